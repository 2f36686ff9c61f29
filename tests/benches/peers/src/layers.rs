//! Routers behind the peers' verification, as axum middleware, and behind ours in the same schemes.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use benches::{
    layers::{self, Guard},
    ours, request,
    schemes::Scheme,
};
use futures::FutureExt;
use http::{Request, StatusCode};
use http_body_util::Full;
use httpsig_hyper::prelude::SharedKey;
use tower_countersign::VerifyLayer;

use crate::{httpsig, scratchstack};

/// The longest body that the peers' middleware buffers.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Returns the router behind our layer in this scheme.
pub fn ours(scheme: Scheme) -> Router {
    let layer = VerifyLayer::new(ours::schemes::keyring(scheme));
    layers::router(Guard::None).layer(layer.with_verifier(ours::schemes::verifier(scheme)))
}

/// Returns the router behind httpsig-hyper, hmac-sha256 with content digest.
pub fn httpsig_hyper() -> Router {
    let key = Arc::new(SharedKey::HmacSha256(hex::decode(request::KEY).unwrap()));
    layers::router(Guard::None).layer(middleware::from_fn_with_state(key, verify_messages))
}

/// Returns the router behind scratchstack-aws-signature.
pub fn scratchstack_aws_signature() -> Router {
    let key = Arc::new(scratchstack::Key::new());
    layers::router(Guard::None).layer(middleware::from_fn_with_state(key, verify_sigv4))
}

async fn verify_messages(
    State(key): State<Arc<SharedKey>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // The peer takes no body that is not `Sync`, and axum's is none.
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // The authority is in the URI, where the peer looks for it.
    let request = Request::from_parts(crate::absolute(parts), Full::new(body));
    match httpsig::verified_with(&*key, request).await {
        Some(request) => next.run(request.map(Body::new)).await,
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn verify_sigv4(
    State(key): State<Arc<scratchstack::Key>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // Its future is not `Send` for every lifetime, and never waits.
    let verified = key.verified(Request::from_parts(parts, body));
    match verified.now_or_never().flatten() {
        Some((parts, body)) => {
            let request = Request::from_parts(parts, Body::from(body));
            next.run(request).await
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}
