//! Asks the layers about a described request.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use countersign::{ArcKeyStore, ArcReplayStore, BodyState, PayloadDigest};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{
    Layer, ServiceExt,
    util::{BoxCloneSyncService, MapResponse, service_fn},
};
use tower_countersign::{AuthorizeLayer, RequestBody, VerifiedCaller, VerifyLayer};

use super::description::{Described, Description, DescriptionRules, Refused};
use crate::{
    authorized::Authorized,
    events,
    forward::{AnswerBody, SentBody, error},
    identity::Identity,
    message::signature_headers,
    verify::with_boxed_body,
};

type Stack = BoxCloneSyncService<Request<SentBody>, Response<AnswerBody>, Infallible>;

type Asked = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

/// What a gateway can know about bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// The gateway hands on the whole body.
    Forwarded,
    /// The gateway hands on no body, and must send none to the upstream.
    None,
}

/// The answer of the layers.
pub(super) enum Decision {
    /// The upstream may get the request, with exactly these headers of the identity.
    Allow(Allow),
    /// The status and the body for the client. The status is never a success.
    Refuse(Response<Bytes>),
}

/// The headers of an allowed request.
#[derive(Clone, Debug)]
pub(super) struct Allow {
    pub(super) set: Vec<(HeaderName, HeaderValue)>,
    /// Headers that the layers removed, as the request had them.
    pub(super) remove: Vec<HeaderName>,
    /// The headers of the signature, which the upstream needs no more.
    pub(super) signature: Vec<HeaderName>,
}

/// Decides about described requests.
pub(crate) struct Decider {
    pub(crate) section: Arc<str>,
    pub(crate) rules: DescriptionRules,
    pub(crate) stack: Stack,
}

/// Puts the layers in front of the answer that allows.
pub(crate) fn stack(
    verify: &VerifyLayer<ArcKeyStore, ArcReplayStore>,
    authorize: Option<&AuthorizeLayer>,
    identity: Identity,
    bodies: Bodies,
) -> Stack {
    let allow = service_fn(move |request: Request<RequestBody>| {
        let identity = identity.clone();
        async move { Ok::<_, Infallible>(allow(request, &identity, bodies)) }
    });
    let inner = match authorize {
        Some(authorize) => {
            let authorize = authorize.layer(allow);
            BoxCloneSyncService::new(MapResponse::new(authorize, with_boxed_body))
        }
        None => BoxCloneSyncService::new(allow),
    };
    BoxCloneSyncService::new(MapResponse::new(verify.layer(inner), with_boxed_body))
}

/// Answers a request that the layers accepted.
fn allow(
    mut request: Request<RequestBody>,
    identity: &Identity,
    bodies: Bodies,
) -> Response<AnswerBody> {
    let described = request.extensions_mut().remove::<Described>();
    let left = request.headers().clone();
    let authorized = Authorized::verified(request);
    let caller = authorized.as_ref().and_then(Authorized::caller);
    let (Some(caller), Some(Described(names))) = (caller, described) else {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured");
    };
    if !is_body_known(caller, bodies) {
        return error(StatusCode::FORBIDDEN, "body_not_signed");
    }
    let remove = names.into_iter().filter(|name| !left.contains_key(name));
    let allow = Allow {
        set: identity.of(Some(caller)),
        remove: remove.collect(),
        signature: signature_headers::of(caller.scheme())
            .iter()
            .map(|name| HeaderName::from_static(name))
            .filter(|name| left.contains_key(name))
            .collect(),
    };
    let mut response = error(StatusCode::OK, "none");
    response.extensions_mut().insert(allow);
    response
}

/// Returns whether the signature covers the body that the upstream will get.
fn is_body_known(caller: &VerifiedCaller, bodies: Bodies) -> bool {
    match (caller.body(), bodies) {
        (BodyState::Verified(digest), Bodies::None) => digest == PayloadDigest::of(b""),
        (BodyState::Verified(_) | BodyState::Signed, Bodies::Forwarded) => true,
        _ => false,
    }
}

impl Decider {
    /// Asks the layers.
    pub(super) async fn decide(&self, description: Result<Description, Refused>) -> Decision {
        let request = description.and_then(|it| it.into_request(&self.rules));
        let (request, alike) = match request {
            Ok(request) => request,
            Err(refused) => return self.refuse(refused),
        };
        let mut response = match self.ask(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        // Only the innermost service inserts this. No status of a layer can stand in for it: a
        // refused gRPC call has the status 200.
        if let Some(mut allow) = response.extensions_mut().remove::<Allow>() {
            allow.remove.extend(alike);
            return Decision::Allow(allow);
        }
        let (mut parts, body) = response.into_parts();
        parts.status = refusing(parts.status, &parts.headers);
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        Decision::Refuse(Response::from_parts(parts, body.unwrap_or_default()))
    }

    // A function that is not async: the compiler would otherwise make the lifetime of the error in
    // the body general, which no boxed service is.
    fn ask(&self, request: Request<SentBody>) -> Asked {
        Box::pin(self.stack.clone().oneshot(request))
    }

    /// Refuses a description, or a gateway.
    pub(super) fn refuse(&self, refused: Refused) -> Decision {
        events::description_refused(&self.section, refused.0);
        let body = Bytes::from_static(b"{\"error\":\"not_decided\"}");
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::FORBIDDEN;
        Decision::Refuse(response)
    }
}

/// Returns a status that refuses. A refused gRPC call has 200 and says in `grpc-status` what it is.
fn refusing(status: StatusCode, headers: &http::HeaderMap) -> StatusCode {
    if status.is_client_error() || status.is_server_error() {
        return status;
    }
    let unauthenticated = headers.get("grpc-status").is_some_and(|it| it == "16");
    if unauthenticated {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::FORBIDDEN
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn no_status_of_a_refusal_is_a_success() {
        for (status, grpc, expected) in [
            (200, Some("16"), 401),
            (200, Some("7"), 403),
            (200, Some("14"), 403),
            (200, None, 403),
            (204, None, 403),
            (302, None, 403),
            (401, None, 401),
            (421, None, 421),
            (503, None, 503),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(grpc) = grpc {
                headers.insert("grpc-status", HeaderValue::from_static(grpc));
            }
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                refusing(status, &headers).as_u16(),
                expected,
                "{status} {grpc:?}"
            );
        }
    }
}
