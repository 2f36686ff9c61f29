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
    forward::{AnswerBody, Forward, boxed, error},
    front,
    listen::{Handler, Peer},
    message::{Malformed, look_alike::LookAlikes},
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

/// Boxes the body that a layer answers with.
pub(crate) fn with_boxed_body<B>(response: Response<B>) -> Response<AnswerBody>
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
        front::prepare(&mut parts, &body, peer, &self.look_alikes, &self.upgrades)?;
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
