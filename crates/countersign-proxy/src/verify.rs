//! The proxy that verifies. Only the order of its steps is here.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use countersign::{ArcKeyStore, ArcReplayStore};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header::CONNECTION};
use hyper::body::{Body, Incoming};
use tower::{
    Layer, ServiceExt,
    util::{BoxCloneSyncService, MapResponse, service_fn},
};
use tower_countersign::{AuthorizeLayer, BoxError, RequestBody, VerifyLayer};

use crate::{
    authorized::Authorized,
    events,
    forward::{AnswerBody, Forward, Front, boxed, error},
    listen::{Handler, Peer},
    message::{
        Malformed, cookies, hop_by_hop,
        look_alike::LookAlikes,
        target,
        upgrade::{self, Asked},
    },
    routes::{OpenRoute, Route},
};

type Stack = BoxCloneSyncService<Request<Incoming>, Response<AnswerBody>, Infallible>;

/// A reverse proxy in front of a service without signing code.
pub(crate) struct VerifyProxy {
    pub(crate) section: Arc<str>,
    pub(crate) look_alikes: Arc<LookAlikes>,
    pub(crate) open: Vec<OpenRoute>,
    pub(crate) upgrades: Vec<Route>,
    pub(crate) forward: Forward,
    pub(crate) stack: Stack,
}

/// Puts the layers in front of the upstream: verify, authorize, forward.
pub(crate) fn stack(
    verify: &VerifyLayer<ArcKeyStore, ArcReplayStore>,
    authorize: Option<&AuthorizeLayer>,
    forward: Forward,
) -> Stack {
    let admit = service_fn(move |request: Request<RequestBody>| {
        let forward = forward.clone();
        async move {
            Ok::<_, Infallible>(match Authorized::verified(request) {
                Some(authorized) => forward.call(authorized).await,
                // The layers forward verified requests only, so this is a mistake of this program.
                None => error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured"),
            })
        }
    });
    let inner = match authorize {
        Some(authorize) => {
            let authorize = authorize.layer(admit);
            BoxCloneSyncService::new(MapResponse::new(authorize, with_boxed_body))
        }
        None => BoxCloneSyncService::new(admit),
    };
    BoxCloneSyncService::new(MapResponse::new(verify.layer(inner), with_boxed_body))
}

fn with_boxed_body<B>(response: Response<B>) -> Response<AnswerBody>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    response.map(boxed)
}

impl Handler for VerifyProxy {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<AnswerBody> {
        let (is_http1, method) = (
            request.version() < Version::HTTP_2,
            request.method().clone(),
        );
        let asks = request.headers().contains_key(http::header::UPGRADE);
        let mut response = match self.forwarded(request, peer).await {
            Ok(response) => response,
            Err(malformed) => {
                events::malformed(&self.section, &method, malformed);
                if method == Method::CONNECT {
                    error(StatusCode::METHOD_NOT_ALLOWED, "malformed")
                } else {
                    error(StatusCode::BAD_REQUEST, "malformed")
                }
            }
        };
        // Bytes that follow a handshake may be of the other protocol. Never read them as a request.
        if asks && is_http1 && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

impl VerifyProxy {
    async fn forwarded(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Result<Response<AnswerBody>, Malformed> {
        let (mut parts, body) = request.into_parts();
        target::check(&parts.method, &parts.uri, parts.version)?;
        let is_listed = |route: &Route| route.is(&parts.method, &parts.uri);
        let is_listed = self.upgrades.iter().any(is_listed);
        let upgrade = upgrade::asked(&parts.method, parts.version, &parts.headers, is_listed)?;
        if upgrade == Asked::WebSocket && !body.is_end_stream() {
            return Err(Malformed("upgrade: expected no body, found one"));
        }
        if upgrade != Asked::WebSocket {
            parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
        }
        cookies::join(&mut parts.headers);
        let trailers = hop_by_hop::remove_from_request(&mut parts.headers)?;
        self.look_alikes.remove_from(&mut parts.headers);
        parts.extensions.insert(peer.connection);
        if let Some(address) = peer.address {
            parts.extensions.insert(address);
        }
        parts.extensions.insert(Front {
            trailers,
            upgrade,
            client: peer.address.map(|address| address.ip()),
            proto: peer.proto,
            guard: peer.guard,
        });

        let open = self.open.iter().find(|it| it.is(&parts.method, &parts.uri));
        if let Some(route) = open
            && body.is_end_stream()
        {
            return Ok(self.forward.call(Authorized::open(route, parts)).await);
        }
        let stack = self.stack.clone();
        match stack.oneshot(Request::from_parts(parts, body)).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }
}
