//! Reports the decision on a request without enforcing it.

use std::{
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use countersign::{Asserted, KeyId, KeyStore, ReplayStore, RequestHead, Timestamp};
use http::{Request, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use super::{
    buffered::Buffered,
    decide::Accepted,
    erased::erased,
    events,
    progress::Progress,
    request_body::RequestBody,
    request_uri,
    tee_body::{BodyCopy, TeeBody},
    verification::Verification,
};
use crate::{BoxError, metrics::Decision, mode::Mode, unverified_caller::UnverifiedCaller};

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Returns the request unchanged, and adds the verdict to its extensions.
    ///
    /// A body is read only if the head is authenticated. The inner service gets the bytes that were
    /// read, and then the rest.
    pub(super) async fn report<B>(
        self: &Arc<Self>,
        mut parts: Parts,
        body: B,
    ) -> Request<RequestBody>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let now = self.settings.clock.now();
        let decision = Decision::begin(Mode::ReportOnly, &self.settings.metrics);
        let mut body = erased(body);
        if !body.is_end_stream() && self.must_read_to_authenticate(&parts, now) {
            return self.verify_while_read(parts, body, decision, now);
        }
        let mut buffered = Buffered::default();
        let mut progress = Progress::new(decision);
        let verified = self
            .decide(
                &mut parts,
                Pin::new(&mut body),
                now,
                &mut progress,
                &mut buffered,
            )
            .await;
        let decision = progress.decision;
        let caller = match verified {
            Ok(accepted) => {
                self.accepted(accepted.facts(), decision, Some(buffered.held()), now);
                match accepted {
                    Accepted::Request(caller) => UnverifiedCaller::accepted(caller),
                    // In this mode the body is always read first.
                    Accepted::Head(caller, _) => {
                        UnverifiedCaller::undecided(Some(caller.id().clone()))
                    }
                }
            }
            Err(refused) => {
                let asserted = self.refused(&parts, &refused, &mut buffered, decision, now);
                let asserted = asserted.and_then(|key_id| KeyId::new(&key_id).ok());
                UnverifiedCaller::refused(refused.refusal, refused.caller.or(asserted))
            }
        };
        parts.extensions.insert(caller);
        Request::from_parts(parts, buffered.into_unverified(body))
    }

    /// Returns whether the signature can be checked only after the body of an unauthenticated peer
    /// was read.
    fn must_read_to_authenticate(&self, parts: &Parts, now: Timestamp) -> bool {
        let Ok(uri) = request_uri::of(parts) else {
            return false;
        };
        let Ok(public) = self.settings.public_head(parts, uri) else {
            return false;
        };
        let head = match &public {
            Some(public) => public.head(&parts.method),
            None => RequestHead::new(&parts.method, uri, &parts.headers),
        };
        let unverified = self.settings.verifier.parse(head, now);
        unverified.is_ok_and(|head| head.needs_body())
    }

    /// Returns the request at once, and verifies it while the handler reads its body.
    ///
    /// The nonce is not claimed, because an inner layer may have claimed it by then.
    fn verify_while_read(
        self: &Arc<Self>,
        mut parts: Parts,
        body: UnsyncBoxBody<Bytes, BoxError>,
        decision: Decision,
        now: Timestamp,
    ) -> Request<RequestBody> {
        let this = Arc::clone(self);
        let mut verified_parts = parts.clone();
        let body = TeeBody::new(body, |copy: BodyCopy| async move {
            let mut buffered = Buffered::discarding();
            let mut copy = pin!(copy);
            let mut progress = Progress::new(decision);
            let verified = this
                .decide(
                    &mut verified_parts,
                    copy.as_mut(),
                    now,
                    &mut progress,
                    &mut buffered,
                )
                .await;
            let decision = progress.decision;
            match verified {
                _ if buffered.is_undecided() => events::undecided(),
                Ok(accepted) => {
                    this.accepted(accepted.facts(), decision, Some(copy.bytes()), now);
                }
                Err(refused) => {
                    this.refused(&verified_parts, &refused, &mut buffered, decision, now);
                }
            }
        });
        let asserted = self.settings.verifier.asserted(&parts);
        let asserted = asserted.and_then(Asserted::into_key_id);
        let caller = UnverifiedCaller::undecided(asserted.and_then(|id| KeyId::new(&id).ok()));
        parts.extensions.insert(caller);
        let buffered = Buffered::default();
        Request::from_parts(parts, buffered.into_unverified(body.boxed_unsync()))
    }
}
