//! The decision server for gateways that ask over HTTP.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{
    answer,
    decision::{Bodies, Decider, Decision},
    description::{Description, Refused},
    forwarded::{self, ensure_gateway},
    line,
    secret::GatewaySecret,
};
use crate::{
    events,
    forward::{AnswerBody, boxed, empty},
    listen::{Handler, Peer},
};

/// How a gateway describes a request over HTTP.
#[derive(Clone, Debug)]
pub(crate) enum Gateway {
    /// nginx, HAProxy, Caddy.
    Line(GatewaySecret),
    /// Traefik, Caddy.
    Forwarded(GatewaySecret),
    /// Envoy's HTTP ext_authz. The prefix is put in front of every path.
    EnvoyHttp {
        secret: GatewaySecret,
        path_prefix: String,
    },
}

/// The service of a listener.
pub(crate) struct HttpService {
    pub(crate) decider: Arc<Decider>,
    pub(crate) gateway: Gateway,
    pub(crate) bodies: Bodies,
}

impl Handler for HttpService {
    async fn answer(&self, request: Request<Incoming>, _peer: Peer) -> Response<AnswerBody> {
        let decision = self.decider.decide(self.describe(request)).await;
        let response = match decision {
            // These gateways cannot remove a header that the layers would not pass on.
            Decision::Allow(allow) if !allow.remove.is_empty() => {
                let refused =
                    Refused("headers: expected none that overrides the method or the URL");
                match self.decider.refuse(refused) {
                    Decision::Refuse(response) => response,
                    Decision::Allow(_) => return refused_plainly(),
                }
            }
            Decision::Allow(allow) => {
                let mut response = Response::new(boxed(Full::default()));
                for (name, value) in allow.set {
                    response.headers_mut().insert(name, value);
                }
                return response;
            }
            Decision::Refuse(response) => response,
        };
        let response = match self.gateway {
            Gateway::Line(_) => answer::for_line(response),
            Gateway::EnvoyHttp { .. } => answer::for_envoy_http(response),
            Gateway::Forwarded(_) => response,
        };
        events::denied(&self.decider.section, response.status());
        response.map(|body| boxed(Full::new(body)))
    }
}

impl HttpService {
    fn describe(&self, request: Request<Incoming>) -> Result<Description, Refused> {
        let (parts, body) = request.into_parts();
        let body = match self.bodies {
            Bodies::Forwarded => boxed(body),
            Bodies::None => empty(),
        };
        match &self.gateway {
            Gateway::Line(secret) => line::describe(parts.headers, secret),
            Gateway::Forwarded(secret) => forwarded::describe(parts.headers, body, secret),
            Gateway::EnvoyHttp {
                secret,
                path_prefix,
            } => {
                let mut headers = parts.headers;
                ensure_gateway(&mut headers, secret)?;
                super::envoy::ensure_whole(&headers)?;
                let target = parts.uri.path_and_query();
                let target = target.and_then(|it| it.as_str().strip_prefix(&**path_prefix));
                let target = target.ok_or(Refused("target: expected the path prefix"))?;
                let host = headers.get(http::header::HOST).cloned();
                Ok(Description {
                    method: parts.method,
                    host: host.ok_or(Refused("host: expected one"))?,
                    target: target.to_owned(),
                    headers,
                    body,
                    source: None,
                })
            }
        }
    }
}

fn refused_plainly() -> Response<AnswerBody> {
    crate::forward::error(StatusCode::FORBIDDEN, "not_decided")
}
