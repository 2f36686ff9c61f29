//! Enforces the decision on a request.

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use countersign::{KeyStore, ReplayStore, Timestamp};
use http::{Response, request::Parts};
use http_body::Body;

use super::{
    body_mode::BodyMode,
    buffered::Buffered,
    decide::Accepted,
    progress::Progress,
    request_body::RequestBody,
    settings::Settings,
    signed_answers::Answering,
    verification::{Refused, Verification},
};
use crate::{BoxError, grpc, metrics::Decision, mode::Mode, refusal::Refusal};

/// An accepted request, its body, the service that handles it, and what signs the answer.
type Enforced<S> = (Accepted, RequestBody, S, Option<Box<Answering>>);

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Returns the caller, the bytes that were read of the body and the inner service, or the
    /// response that refuses the request.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` keeps its arguments twice"
    )]
    pub(super) fn enforce<B, S>(
        &self,
        parts: &mut Parts,
        mut body: Pin<&mut B>,
        body_mode: BodyMode,
        inner: S,
    ) -> impl Future<Output = Result<Enforced<S>, Response<Bytes>>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            let now = self.settings.clock.now();
            let decision = Decision::begin(Mode::Enforced, &self.settings.metrics)
                // This comes first, because the decision can remove headers.
                .of_grpc(grpc::is_call(&parts.method, &parts.headers));
            let mut progress = Progress::new(decision);
            let mut buffered = Buffered::in_mode(body_mode);
            let decided = self.decide(parts, body.as_mut(), now, &mut progress, &mut buffered);
            let refused = match decided.await {
                Ok(accepted) => {
                    let caller = accepted.caller();
                    let held = caller.is_some().then(|| buffered.held());
                    let (decision, answering) = progress.into_parts();
                    self.accepted(accepted.facts(), decision, held, now);
                    let body = buffered.into_verified(caller.cloned());
                    return Ok((accepted, body, inner, answering));
                }
                Err(refused) => refused,
            };
            // The inner service may hold a permit. A refused peer must not keep it from others.
            drop(inner);
            let refusing = self.refuse(parts, body, refused, buffered, progress, now);
            Err(Box::pin(refusing).await)
        }
    }

    /// Reports a refusal, drains the body, and returns the response. Signs the response if the
    /// signature over the head matched.
    async fn refuse<B>(
        &self,
        parts: &Parts,
        body: Pin<&mut B>,
        refused: Refused,
        mut buffered: Buffered,
        mut progress: Progress,
        now: Timestamp,
    ) -> Response<Bytes>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        if let Some(date) = refused.refusal.stale_date()
            && progress.signs_answers(&self.settings)
        {
            self.authenticate_stale(parts, date, now, &mut progress)
                .await;
        }
        let (decision, answering) = progress.into_parts();
        // A body must not be polled after its end or after an error.
        let (ended, is_grpc) = (buffered.has_ended(), decision.is_grpc());
        self.refused(parts, &refused, &mut buffered, decision, now);
        // Frees the bytes that were read before the rest is drained.
        drop(buffered);
        let drain = &self.settings.drain;
        if !ended && drain.is_worth_it(parts, &refused.refusal, &*body) {
            drain.read(body).await;
        }
        let response = self.response(refused.refusal, is_grpc, now);
        match answering {
            None => response,
            Some(answering) => answering.sign_refusal(response),
        }
    }

    /// Returns the response that refuses a request.
    pub(super) fn response(
        &self,
        refusal: Refusal,
        is_grpc: bool,
        now: Timestamp,
    ) -> Response<Bytes> {
        if is_grpc {
            return refusal.into_grpc_response();
        }
        let Settings {
            verifier, realm, ..
        } = &self.settings;
        refusal.into_response(verifier, realm, now)
    }
}
