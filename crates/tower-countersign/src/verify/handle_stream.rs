//! Calls the handler of a request whose body is verified while the handler reads it.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use bytes::Bytes;
use countersign::{KeyStore, ReplayStore};
use http::{Request, Response, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use tower_service::Service;

use super::{
    body_mode::BodyMode,
    budget::Holder,
    chunked::ErasedChunkedBody,
    decide::Accepted,
    drain,
    request_body::RequestBody,
    response_body::ResponseBody,
    stream::{BodyStream, Gate, Report},
    verification::Verification,
};
use crate::{BoxError, grpc, refusal::Refusal};

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Verifies the head, calls the handler, and holds its answer back until the body is verified.
    ///
    /// | the body, when the handler answers | the peer gets |
    /// |---|---|
    /// | is verified | the answer |
    /// | has failed | the refusal |
    /// | is open, the status is 400 or more | the answer |
    /// | is open, and dropped by the handler | the same as above, after the layer has read the rest |
    /// | is open, and held by the handler | the same as above, once the handler has read it |
    pub(super) async fn handle_stream<S, ResBody>(
        self: Arc<Self>,
        mut parts: Parts,
        mut body: UnsyncBoxBody<Bytes, BoxError>,
        inner: S,
    ) -> Result<Response<ResponseBody<ResBody>>, S::Error>
    where
        S: Service<Request<RequestBody>, Response = Response<ResBody>>,
        ResBody: Body,
        ResBody::Error: Into<BoxError>,
    {
        let is_grpc = grpc::is_call(&parts.method, &parts.headers);
        let sends_first = drain::sends_first(&parts);
        let (accepted, read, mut inner, answering) = {
            let body = Pin::new(&mut body);
            match self
                .enforce(&mut parts, body, BodyMode::Stream, inner)
                .await
            {
                Ok(accepted) => accepted,
                Err(refusal) => return Ok(refusal.map(ResponseBody::refused)),
            }
        };
        let (stream, body) = match accepted {
            Accepted::Request(caller) => (BodyStream::verified_before(caller), read),
            Accepted::Head(caller, mut check) => {
                let body = match check.take_decoder() {
                    Some(decoder) => ErasedChunkedBody::new(body, decoder).boxed_unsync(),
                    None => body,
                };
                let holder = Holder::Caller(caller.id().clone());
                let stream = BodyStream::open(
                    caller,
                    *check,
                    body,
                    self.settings.stream_limits.clone(),
                    self.settings.budget.open(holder),
                    self.report_on(&parts),
                );
                (stream.clone(), RequestBody::streamed(stream))
            }
        };
        parts.extensions.insert(stream.caller());
        parts.extensions.insert(stream.clone());
        let answer = inner.call(Request::from_parts(parts, body)).await?;
        // The inner service may hold a permit, which must not wait for the rest of a body.
        drop(inner);

        let limits = &self.settings.stream_limits;
        let mut gate = Gate::new(stream.clone(), limits.idle);
        let is_early = answer.status().as_u16() >= 400;
        let judged = poll_fn(|cx| gate.poll_answer(cx, is_early || limits.answers_before_end));
        let answer = match judged.await {
            Ok(()) if !is_early && limits.answers_before_end => {
                answer.map(|body| ResponseBody::guarded(body, gate))
            }
            Ok(()) => answer.map(ResponseBody::handled),
            Err(refusal) => {
                // Ends the handler's work on the answer before the rest is drained.
                drop(answer);
                self.drain_rest(&stream, sends_first, &refusal).await;
                let response = self.response(refusal, is_grpc, self.settings.clock.now());
                let response = match answering {
                    None => response,
                    Some(answering) => answering.sign_refusal(response),
                };
                return Ok(response.map(ResponseBody::refused));
            }
        };
        match answering {
            None => Ok(answer),
            Some(answering) => Ok(answering.sign(answer).await),
        }
    }

    fn report_on(&self, parts: &Parts) -> Report {
        let settings = &self.settings;
        Report {
            events: settings.events.clone(),
            metrics: Arc::clone(&settings.metrics),
            clock: Arc::clone(&settings.clock),
            method: parts.method.clone(),
            peer: settings.source.of(&parts.headers, &parts.extensions),
        }
    }

    async fn drain_rest(&self, stream: &BodyStream, sends_first: bool, refusal: &Refusal) {
        let drain = &self.settings.drain;
        if let Some(mut rest) = stream.take_rest()
            && sends_first
            && drain.can_end(None, refusal, &rest)
        {
            drain.read(Pin::new(&mut rest)).await;
        }
    }
}
