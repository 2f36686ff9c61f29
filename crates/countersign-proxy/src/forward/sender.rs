//! Sends a request to the upstream and passes its answer on.

use std::sync::Arc;

use http::{
    HeaderValue, Request, Response, StatusCode, Version,
    header::{CONTENT_LENGTH, EXPECT, HOST, TE, UPGRADE},
    request::Parts,
    uri::Authority,
};
use http_body_util::{BodyExt, Empty};
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::Error;
use tokio::time::timeout;

use super::{
    AnswerBody, Front, UpstreamLimits,
    answer::{error, pass_on},
    tunnel,
    upstream::{Protocol, SentBody, UpstreamClient, uri},
};
use crate::{
    events,
    message::{hop_by_hop::Trailers, look_alike::LookAlikes, upgrade},
};

/// The client of one upstream. Requests reach it through [`Forward`](super::Forward) and
/// [`ForwardSigned`](super::ForwardSigned) only.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) section: Arc<str>,
    pub(super) client: UpstreamClient,
    pub(super) limits: UpstreamLimits,
    pub(super) alike: Arc<LookAlikes>,
}

impl Sender {
    /// Sends the request and returns the answer: the upstream's, 502 or 504. `host` is sent as
    /// `Host`, or as `:authority`.
    pub(super) async fn send(
        &self,
        mut parts: Parts,
        body: SentBody,
        host: &HeaderValue,
        front: Front,
    ) -> Response<AnswerBody> {
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        if !self.set_head(&mut parts, host, &front) {
            return error(StatusCode::BAD_REQUEST, "malformed");
        }
        let is_tunnel =
            front.upgrade == upgrade::Asked::WebSocket && self.client.protocol == Protocol::Http1;
        if is_tunnel {
            upgrade::ask(&mut parts.headers);
        }
        let sent = self.client.send(Request::from_parts(parts, body));
        let Ok(answered) = timeout(self.limits.answer, sent).await else {
            events::upstream_failed(&self.section, "late", None);
            return error(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout");
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(failed) => return self.failed(&failed),
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return pass_on(response, &self.alike);
        }
        let agreed = response.headers().get(UPGRADE);
        let agreed = agreed.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let (true, true, Some(client)) = (is_tunnel, agreed, on_upgrade) else {
            events::upstream_failed(&self.section, "unasked_upgrade", None);
            return error(StatusCode::BAD_GATEWAY, "upstream_failed");
        };
        let upstream = hyper::upgrade::on(&mut response);
        let mut answer = pass_on(response, &self.alike);
        upgrade::ask(answer.headers_mut());
        let nothing = Empty::new().map_err(|never| match never {});
        *answer.body_mut() = nothing.boxed_unsync();
        let idle = self.limits.tunnel_idle;
        tokio::spawn(tunnel::carry(client, upstream, idle, front.guard));
        answer
    }

    /// Writes the head that the upstream gets. Returns whether the request can be written.
    fn set_head(&self, parts: &mut Parts, host: &HeaderValue, front: &Front) -> bool {
        let Ok(authority) = Authority::try_from(host.as_bytes()) else {
            return false;
        };
        let Some(target) = uri(self.client.scheme, authority, &parts.uri) else {
            return false;
        };
        parts.uri = target;
        let headers = &mut parts.headers;
        // The framing is derived from the body, which is whole in memory.
        headers.remove(CONTENT_LENGTH);
        // Answered already: reading the body asked the client to send it.
        headers.remove(EXPECT);
        match self.client.protocol {
            Protocol::Http1 => {
                parts.version = Version::HTTP_11;
                headers.insert(HOST, host.clone());
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
