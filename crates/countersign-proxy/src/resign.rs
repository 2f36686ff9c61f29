//! The proxy that verifies a local caller's signature and signs with the real key. Only the order
//! of its steps is here.

use std::{convert::Infallible, sync::Arc};

use countersign::{ArcKeyStore, ArcReplayStore, BodyState};
use http::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HOST},
    request::Parts,
    uri::Authority,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower::{
    Layer, ServiceExt,
    util::{BoxCloneSyncService, MapResponse, service_fn},
};
use tower_countersign::{
    AllowCallers, AuthorizeLayer, BoxError, RequestBody, SignLayer, VerifyLayer,
};

use crate::{
    authorized::Authorized,
    events,
    forward::{AnswerBody, ForwardSigned, Scheme, error, uri},
    front,
    listen::{Handler, Peer},
    message::{look_alike::LookAlikes, signature_headers},
    sign::{not_signed, refuse_browsers, refuse_presigned},
    verify::with_boxed_body,
};

type Stack = BoxCloneSyncService<Request<Incoming>, Response<AnswerBody>, Infallible>;
type Signing = BoxCloneSyncService<Request<RequestBody>, Response<AnswerBody>, BoxError>;

/// A proxy for clients that sign with a placeholder key, which is worth nothing elsewhere.
pub(crate) struct ResignProxy {
    pub(crate) section: Arc<str>,
    pub(crate) allow_browsers: bool,
    pub(crate) stack: Stack,
}

/// The layers of the proxy, from the outermost to the innermost.
pub(crate) struct Layers {
    pub(crate) verify: VerifyLayer<ArcKeyStore, ArcReplayStore>,
    /// The callers whose keys are placeholders.
    pub(crate) callers: AllowCallers,
    pub(crate) authorize: AuthorizeLayer,
    pub(crate) sign: SignLayer,
}

/// The target of the new signature.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) section: Arc<str>,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
}

/// Puts the layers in front of the target: verify, authorize, sign, forward.
pub(crate) fn stack(layers: &Layers, destination: Destination, forward: ForwardSigned) -> Stack {
    let signing: Signing = BoxCloneSyncService::new(layers.sign.layer(forward));
    let resign = service_fn(move |request: Request<RequestBody>| {
        let (signing, destination) = (signing.clone(), destination.clone());
        async move {
            Ok::<_, Infallible>(match Authorized::verified(request) {
                Some(authorized) => resign(authorized, destination, signing).await,
                // The layers pass verified requests on only, so this is a mistake of this program.
                None => error(StatusCode::INTERNAL_SERVER_ERROR, "misconfigured"),
            })
        }
    });
    let authorize = MapResponse::new(layers.authorize.layer(resign), with_boxed_body);
    let authorize = BoxCloneSyncService::new(authorize);
    let callers = MapResponse::new(layers.callers.layer(authorize), with_boxed_body);
    let callers = BoxCloneSyncService::new(callers);
    BoxCloneSyncService::new(MapResponse::new(
        layers.verify.layer(callers),
        with_boxed_body,
    ))
}

async fn resign(
    authorized: Authorized,
    destination: Destination,
    signing: Signing,
) -> Response<AnswerBody> {
    let caller = authorized.caller().cloned();
    let (mut parts, body, _) = authorized.into_inner();
    // Whatever the placeholder's scheme is, no credential of the client reaches the target.
    signature_headers::remove_all(&mut parts.headers);
    parts.headers.remove(HOST);
    let target = uri(destination.scheme, destination.authority, &parts.uri);
    let Some(target) = target else {
        return error(StatusCode::BAD_REQUEST, "malformed");
    };
    parts.uri = target;
    if let Some(caller) = caller
        && let BodyState::Verified(digest) = caller.body()
    {
        // The body was hashed while it was verified. The signer takes this hash.
        parts.extensions.insert(digest);
    }
    let method = parts.method.clone();
    match signing.oneshot(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(problem) => not_signed(&problem).answer(&destination.section, &method),
    }
}

impl Handler for ResignProxy {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<AnswerBody> {
        let (mut parts, body) = request.into_parts();
        if let Some(refusal) = self.refusal(&parts) {
            return refusal;
        }
        if let Err(malformed) = front::prepare(&mut parts, &body, peer, &LookAlikes::default(), &[])
        {
            events::malformed(&self.section, &parts.method, malformed);
            return error(status_of(&parts.method), "malformed");
        }
        let stack = self.stack.clone();
        match stack.oneshot(Request::from_parts(parts, body)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl ResignProxy {
    /// Refuses what no signature can make right.
    fn refusal(&self, parts: &Parts) -> Option<Response<AnswerBody>> {
        let refused = refuse_browsers(&parts.headers, self.allow_browsers)
            .and_then(|()| refuse_presigned(&parts.uri));
        if let Err(not_signed) = refused {
            return Some(not_signed.answer(&self.section, &parts.method));
        }
        let hash = parts.headers.get("x-amz-content-sha256")?;
        if hash.as_bytes().starts_with(b"STREAMING-") {
            let reason = "x-amz-content-sha256: expected a hash of the body, found STREAMING-";
            events::refused(&self.section, &parts.method, "streaming_payload", reason);
            return Some(streaming());
        }
        None
    }
}

/// Answers a body that is signed in chunks, and names the setting of the SDK that avoids it.
fn streaming() -> Response<AnswerBody> {
    let body = concat!(
        r#"{"error":"streaming_payload","hint":"set request_checksum_calculation = when_required "#,
        r#"(AWS_REQUEST_CHECKSUM_CALCULATION=when_required): this proxy signs the whole body"}"#
    );
    let body = Full::from(body).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn status_of(method: &Method) -> StatusCode {
    if *method == Method::CONNECT {
        StatusCode::METHOD_NOT_ALLOWED
    } else {
        StatusCode::BAD_REQUEST
    }
}
