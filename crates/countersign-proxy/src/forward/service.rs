//! Forwards requests that the layers have accepted or signed.

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{FORWARDED, HOST},
};
use http_body::Body;
use http_body_util::BodyExt;
use tower_countersign::{BoxError, SignedBody};
use tower_service::Service;

use super::{
    AnswerBody,
    answer::error,
    sender::Sender,
    upstream::{SentBody, Target, UpstreamClient},
};
use crate::{
    authorized::Authorized,
    identity::Identity,
    listen::Guard,
    message::{hop_by_hop::Trailers, look_alike::LookAlikes, signature_headers, upgrade},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The time limits towards an upstream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpstreamLimits {
    /// For a new connection.
    pub(crate) connect: Duration,
    /// From the end of verification to the head of the answer.
    pub(crate) answer: Duration,
    /// How long an unused connection is kept.
    pub(crate) idle: Duration,
    /// How long an upgraded connection may carry no byte.
    pub(crate) tunnel_idle: Duration,
}

/// What the first step found about a request. The layers keep it in the request's extensions.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) trailers: Trailers,
    pub(crate) upgrade: upgrade::Asked,
    /// The client's address, if it has one.
    pub(crate) client: Option<IpAddr>,
    /// `http` or `https`: how the client reached the proxy.
    pub(crate) proto: &'static str,
    /// Holds the shutdown back until the request is answered.
    pub(crate) guard: Guard,
}

/// Sends authorized requests to one upstream.
#[derive(Clone)]
pub(crate) struct Forward {
    sender: Sender,
    identity: Identity,
    settings: ForwardSettings,
}

/// The changes to a request besides the identity.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ForwardSettings {
    /// Leaves the headers of the signature on the request.
    pub(crate) keep_signature: bool,
    /// The proxies in front, whose `X-Forwarded-For` is kept and appended to.
    pub(crate) trusted_hops: usize,
}

impl Forward {
    pub(crate) fn new(
        section: &Arc<str>,
        target: Target,
        limits: UpstreamLimits,
        identity: Identity,
        settings: ForwardSettings,
    ) -> Self {
        Self {
            sender: Sender {
                section: Arc::clone(section),
                client: UpstreamClient::new(target, &limits),
                limits,
                alike: Arc::clone(identity.look_alikes()),
            },
            identity,
            settings,
        }
    }

    /// Forwards the request and returns the answer: the upstream's, 502 or 504.
    pub(crate) async fn call(&self, mut request: Authorized) -> Response<AnswerBody> {
        let caller = request.caller().cloned();
        let parts = request.parts();
        if let Some(caller) = &caller
            && !self.settings.keep_signature
        {
            signature_headers::remove(&mut parts.headers, caller.scheme());
        }
        self.identity.set(&mut parts.headers, caller.as_ref());
        let (mut parts, body, authority) = request.into_inner();
        let Some(front) = parts.extensions.remove::<Front>() else {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured");
        };
        let Ok(host) = HeaderValue::from_str(authority.as_str()) else {
            return error(StatusCode::BAD_REQUEST, "malformed");
        };
        self.set_forwarded(&mut parts.headers, &front, &host);
        self.sender
            .send(parts, body.boxed_unsync(), &host, front)
            .await
    }

    /// Sets what the upstream learns about the client's connection. The client's own words about it
    /// are removed, except those that a trusted proxy in front has appended to.
    fn set_forwarded(&self, headers: &mut HeaderMap, front: &Front, host: &HeaderValue) {
        headers.remove(FORWARDED);
        let before = if self.settings.trusted_hops == 0 {
            Vec::new()
        } else {
            let lines = headers.get_all(X_FORWARDED_FOR).iter();
            lines
                .filter_map(|line| Some(line.to_str().ok()?.to_owned()))
                .collect()
        };
        headers.remove(X_FORWARDED_FOR);
        let client = front.client.map(|client| client.to_canonical().to_string());
        let all: Vec<String> = before.into_iter().chain(client).collect();
        if let Ok(value) = HeaderValue::from_str(&all.join(", "))
            && !all.is_empty()
        {
            headers.insert(X_FORWARDED_FOR, value);
        }
        if self.settings.trusted_hops == 0 || !headers.contains_key(X_FORWARDED_PROTO) {
            headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(front.proto));
        }
        headers.insert(X_FORWARDED_HOST, host.clone());
    }
}

/// Sends signed requests to one upstream. Only `SignLayer` makes their bodies.
#[derive(Clone)]
pub(crate) struct ForwardSigned(Sender);

impl ForwardSigned {
    pub(crate) fn new(section: &Arc<str>, target: Target, limits: UpstreamLimits) -> Self {
        Self(Sender {
            section: Arc::clone(section),
            client: UpstreamClient::new(target, &limits),
            limits,
            alike: Arc::new(LookAlikes::default()),
        })
    }
}

impl<B> Service<Request<SignedBody<B>>> for ForwardSigned
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<SignedBody<B>>) -> Self::Future {
        let Self(sender) = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let host = parts.headers.get(HOST).cloned().or_else(|| {
                let authority = parts.uri.authority()?.as_str();
                HeaderValue::from_str(authority).ok()
            });
            let (Some(front), Some(host)) = (parts.extensions.remove::<Front>(), host) else {
                return Ok(error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured"));
            };
            Ok(sender.send(parts, boxed(body), &host, front).await)
        })
    }
}

/// Boxes a body of any kind.
pub(crate) fn boxed<B>(body: B) -> SentBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Returns a body without a byte.
pub(crate) fn empty() -> SentBody {
    boxed(http_body_util::Empty::new())
}
