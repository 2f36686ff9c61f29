use std::sync::Arc;

use bytes::Bytes;
use countersign::{
    PayloadDigest, RequestHead, ResponseBinding, ResponseSigner, SigningKey, Timestamp,
    UnverifiedHead,
};
use http::{Method, Response, StatusCode, header::HeaderName, request, response::Parts};
use http_body::Body;

use super::{
    AnswerSigning,
    collect::{Collected, collect},
    settings::Large,
    unsignable::Unsignable,
};
use crate::{
    BoxError,
    clock::Clock,
    grpc,
    refusal::Refusal,
    verify::{events::Events, response_body::ResponseBody},
};

/// Signs the response to one request, once its signature matched.
pub(crate) struct Answering {
    settings: Arc<AnswerSigning>,
    binding: ResponseBinding,
    method: Method,
    is_matched: bool,
    /// The key that is made of the caller's secret.
    derived: Option<Arc<SigningKey>>,
    clock: Arc<dyn Clock>,
    events: Events,
}

impl Answering {
    /// Returns `None` if no response to this request is signed: its signature covers the body
    /// alone, or its route is left out.
    pub(in super::super) fn new(
        settings: &Arc<AnswerSigning>,
        parts: &request::Parts,
        head: &RequestHead<'_>,
        unverified: &UnverifiedHead<'_>,
        clock: &Arc<dyn Clock>,
        events: &Events,
    ) -> Option<Box<Self>> {
        if !settings.signs(parts) {
            return None;
        }
        Some(Box::new(Self {
            settings: Arc::clone(settings),
            binding: unverified.response_binding(head)?,
            method: parts.method.clone(),
            is_matched: false,
            derived: None,
            clock: Arc::clone(clock),
            events: events.clone(),
        }))
    }

    /// Notes that the signature of the request matched a key, and the key that is made of it.
    pub(in super::super) fn matched(&mut self, derived: Option<Arc<SigningKey>>) {
        self.is_matched = true;
        self.derived = derived;
    }

    pub(in super::super) fn is_matched(&self) -> bool {
        self.is_matched
    }

    /// Signs a response of the inner service, after its body is complete. A response that cannot be
    /// signed is replaced by one that says so.
    pub(in super::super) async fn sign<B>(
        self: Box<Self>,
        response: Response<ResponseBody<B>>,
    ) -> Response<ResponseBody<B>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = response.into_parts();
        if let Some(problem) = Self::unsignable_head(&parts) {
            return self.refuse(&problem);
        }
        if let Some(digest) = parts.extensions.get().copied().or_else(|| {
            self.has_no_content(parts.status)
                .then(|| PayloadDigest::of(b""))
        }) {
            return match self.add_signature(&mut parts, digest) {
                Ok(()) => Response::from_parts(parts, body),
                Err(problem) => self.refuse(&problem),
            };
        }
        let AnswerSigning {
            max_bytes,
            deadline,
            large,
            ..
        } = *self.settings;
        let mut body = Box::pin(body);
        let Collected { chunks, digest } = collect(body.as_mut(), max_bytes, deadline).await;
        let signed = digest.and_then(|digest| self.add_signature(&mut parts, digest));
        match signed {
            Ok(()) => Response::from_parts(parts, ResponseBody::collected(chunks)),
            Err(Unsignable::TooLarge { .. }) if large == Large::Unsigned => {
                Response::from_parts(parts, ResponseBody::begun(chunks, body))
            }
            Err(problem) => {
                drop(body);
                self.refuse(&problem)
            }
        }
    }

    /// Signs a refusal.
    pub(in super::super) fn sign_refusal(
        self: Box<Self>,
        refusal: Response<Bytes>,
    ) -> Response<Bytes> {
        let (mut parts, body) = refusal.into_parts();
        if grpc::is_grpc(&parts.headers) {
            return Response::from_parts(parts, body);
        }
        // A refusal that cannot be signed is sent as it would be to a stranger.
        if let Err(problem) = self.add_signature(&mut parts, PayloadDigest::of(&body)) {
            self.report(&problem);
        }
        Response::from_parts(parts, body)
    }

    fn has_no_content(&self, status: StatusCode) -> bool {
        self.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }

    /// Returns why no response with this head can be signed.
    fn unsignable_head(parts: &Parts) -> Option<Unsignable> {
        if parts.status.is_informational() {
            Some(Unsignable::Informational)
        } else if grpc::is_grpc(&parts.headers) {
            Some(Unsignable::Grpc)
        } else {
            None
        }
    }

    fn add_signature(&self, parts: &mut Parts, digest: PayloadDigest) -> Result<(), Unsignable> {
        let (signer, key): (&ResponseSigner, _) = self
            .settings
            .choose(self.derived.clone())
            .ok_or(Unsignable::NoKey)?;
        // A handler that passes on the response of another service would send its signature.
        for name in REPLACED {
            parts.headers.remove(name);
        }
        let now: Timestamp = self.clock.now();
        let signature = signer
            .sign(&key, &self.binding, parts, digest, now)
            .map_err(Unsignable::Signer)?;
        signature.apply(parts);
        Ok(())
    }

    /// Returns the response that takes the place of one that cannot be signed.
    fn refuse<B>(self: Box<Self>, problem: &Unsignable) -> Response<ResponseBody<B>> {
        self.report(problem);
        let refusal = Refusal::unsignable_response();
        self.sign_refusal(refusal).map(ResponseBody::refused)
    }

    fn report(&self, problem: &Unsignable) {
        self.events.unsignable(problem, self.clock.now());
    }
}

const REPLACED: [HeaderName; 3] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("signature-input"),
    HeaderName::from_static("signature"),
];
