//! Forwards a request to the upstream.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, EXPECT, FORWARDED, HOST, TE, UPGRADE},
    request::Parts,
    uri::Authority,
};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Error;
use tokio::time::timeout;
use tower_countersign::BoxError;

use super::{
    AnswerBody,
    answer::{error, pass_on},
    tunnel,
    upstream::{Protocol, SentBody, Upstream, UpstreamClient, uri},
};
use crate::{
    authorized::Authorized,
    events,
    identity::Identity,
    listen::Guard,
    message::{hop_by_hop::Trailers, signature_headers, upgrade},
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
    section: Arc<str>,
    client: UpstreamClient,
    limits: UpstreamLimits,
    identity: Identity,
    settings: ForwardSettings,
}

/// What is changed on a request besides the identity.
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
        upstream: Upstream,
        protocol: Protocol,
        limits: UpstreamLimits,
        identity: Identity,
        settings: ForwardSettings,
    ) -> Self {
        Self {
            section: Arc::clone(section),
            client: UpstreamClient::new(upstream, protocol, &limits),
            limits,
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
        let (parts, body, authority) = request.into_inner();
        self.send(parts, body.boxed_unsync(), authority).await
    }

    async fn send(
        &self,
        mut parts: Parts,
        body: SentBody,
        authority: Authority,
    ) -> Response<AnswerBody> {
        let Some(front) = parts.extensions.remove::<Front>() else {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured");
        };
        let on_upgrade = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        if !self.set_head(&mut parts, &front, authority) {
            return error(StatusCode::BAD_REQUEST, "malformed");
        }
        let is_tunnel =
            front.upgrade == upgrade::Asked::WebSocket && self.client.protocol == Protocol::Http1;
        if is_tunnel {
            upgrade::ask(&mut parts.headers);
        }
        let sent = self.client.send(http::Request::from_parts(parts, body));
        let Ok(answered) = timeout(self.limits.answer, sent).await else {
            events::upstream_failed(&self.section, "late", None);
            return error(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout");
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(failed) => return self.failed(&failed),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return pass_on(response, self.identity.look_alikes());
        }
        let agreed = response.headers().get(UPGRADE);
        let agreed = agreed.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let (true, true, Some(client)) = (is_tunnel, agreed, on_upgrade) else {
            events::upstream_failed(&self.section, "unasked_upgrade", None);
            return error(StatusCode::BAD_GATEWAY, "upstream_failed");
        };
        let upstream = hyper::upgrade::on(&mut response);
        let mut answer = pass_on(response, self.identity.look_alikes());
        upgrade::ask(answer.headers_mut());
        let nothing = Empty::new().map_err(|never| match never {});
        *answer.body_mut() = nothing.boxed_unsync();
        let idle = self.limits.tunnel_idle;
        tokio::spawn(tunnel::carry(client, upstream, idle, front.guard));
        answer
    }

    /// Writes the head that the upstream gets. Returns whether the request can be written.
    fn set_head(&self, parts: &mut Parts, front: &Front, authority: Authority) -> bool {
        let Ok(host) = HeaderValue::from_str(authority.as_str()) else {
            return false;
        };
        let Some(target) = uri(authority, &parts.uri) else {
            return false;
        };
        parts.uri = target;
        let headers = &mut parts.headers;
        self.set_forwarded(headers, front, &host);
        // The framing is derived from the body, which is whole in memory.
        headers.remove(CONTENT_LENGTH);
        // Answered already: reading the body asked the client to send it.
        headers.remove(EXPECT);
        match self.client.protocol {
            Protocol::Http1 => {
                parts.version = Version::HTTP_11;
                headers.insert(HOST, host);
            }
            Protocol::Http2 => {
                parts.version = Version::HTTP_2;
                // `:authority` of the URI takes its place.
                headers.remove(HOST);
                if front.trailers == Trailers::Accepted {
                    headers.insert(TE, HeaderValue::from_static("trailers"));
                }
            }
        }
        true
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

    fn failed(&self, failed: &Error) -> Response<AnswerBody> {
        let (what, code) = if failed.is_connect() {
            ("unreachable", "upstream_unreachable")
        } else {
            ("broken", "upstream_failed")
        };
        events::upstream_failed(&self.section, what, Some(failed));
        error(StatusCode::BAD_GATEWAY, code)
    }
}

/// Boxes a body of any kind.
pub(crate) fn boxed<B>(body: B) -> SentBody
where
    B: Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}
