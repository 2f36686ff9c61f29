//! What becomes of a request where nothing is refused.

use std::{
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use countersign::{KeyId, KeyStore, ReplayStore, RequestHead, Timestamp};
use http::{Request, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use super::{
    events,
    intake::Intake,
    passing_body::{PassingBody, Shown},
    report_only::Mode,
    request_body::RequestBody,
    request_uri,
    service::Verification,
};
use crate::{BoxError, metrics::Decision, unverified_caller::UnverifiedCaller};

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// The request as it came, with what would have been decided on it.
    ///
    /// Of a body nothing is read unless its head is authenticated. What was read is handed on, and the rest after it.
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
        let mut decision = Decision::begin(Mode::ReportOnly, &self.settings.metrics);
        let mut body = erased(body);
        if !body.is_end_stream() && self.must_read_to_authenticate(&parts, now) {
            return self.judge_in_passing(parts, body, decision, now);
        }
        let mut intake = Intake::default();
        let verified = self
            .verify(
                &mut parts,
                Pin::new(&mut body),
                now,
                &mut decision,
                &mut intake,
            )
            .await;
        let caller = match verified {
            Ok(caller) => {
                self.accepted(&caller, decision, intake.held(), now);
                UnverifiedCaller::accepted(caller)
            }
            Err(refused) => {
                let hint = self.hint(&parts, &refused, &mut intake, now);
                self.refused(&parts, &refused, hint.as_ref(), decision, now);
                let proven = refused.caller;
                let claimed = proven.or_else(|| self.claimed(&parts));
                UnverifiedCaller::refused(refused.refusal, claimed)
            }
        };
        parts.extensions.insert(caller);
        Request::from_parts(parts, intake.into_unverified(body))
    }

    /// Whether the request could be judged only by reading the body of a peer that has proven nothing.
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
        let claim = self.settings.verifier.parse(head, now);
        claim.is_ok_and(|claim| claim.needs_body())
    }

    /// Such a request goes to its handler at once, and is judged by what the handler reads.
    ///
    /// Nothing is claimed for it: a layer further in may have claimed for it by then.
    fn judge_in_passing(
        self: &Arc<Self>,
        mut parts: Parts,
        body: UnsyncBoxBody<Bytes, BoxError>,
        mut decision: Decision,
        now: Timestamp,
    ) -> Request<RequestBody> {
        let this = Arc::clone(self);
        let mut judged = parts.clone();
        let body = PassingBody::new(body, |shown: Shown| async move {
            let mut intake = Intake::passing();
            let mut shown = pin!(shown);
            let verified = this
                .verify(&mut judged, shown.as_mut(), now, &mut decision, &mut intake)
                .await;
            match verified {
                _ if intake.is_undecided() => events::undecided(),
                Ok(caller) => this.accepted(&caller, decision, shown.seen(), now),
                Err(refused) => {
                    let hint = this.hint(&judged, &refused, &mut intake, now);
                    this.refused(&judged, &refused, hint.as_ref(), decision, now);
                }
            }
        });
        let caller = UnverifiedCaller::undecided(self.claimed(&parts));
        parts.extensions.insert(caller);
        let intake = Intake::default();
        Request::from_parts(parts, intake.into_unverified(body.boxed_unsync()))
    }

    fn claimed(&self, parts: &Parts) -> Option<KeyId> {
        let claimed = self.settings.verifier.claimed_key_id(parts)?;
        KeyId::new(&claimed).ok()
    }
}

fn erased<B>(body: B) -> UnsyncBoxBody<Bytes, BoxError>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    body.map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
        .map_err(Into::into)
        .boxed_unsync()
}
