//! Servers that do the same behind different layers: none, one that does nothing, the lower bound, this project's, and
//! one written by hand.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use countersign::MemoryReplayStore;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower_countersign::VerifyLayer;
use tower_layer::{Identity, layer_fn};
use tower_service::Service;

use crate::{
    lower_bound,
    request::{self, Layout},
};

/// What stands before the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guard {
    /// Nothing.
    None,
    /// A layer that does nothing: what axum itself asks for a layered route.
    Identity,
    /// The lower bound: verifies the head, then reads and verifies the body.
    LowerBound(Layout),
    /// This project's layer, with its replay store.
    Countersign(Layout),
    /// A middleware function written by hand.
    Naive,
}

impl Guard {
    /// Every guard, with the name by which a server is started with it.
    pub const ALL: [(&'static str, Self); 7] = [
        ("no layer", Self::None),
        ("identity layer", Self::Identity),
        (
            "lower bound, three headers",
            Self::LowerBound(Layout::Three),
        ),
        (
            "lower bound, default layout",
            Self::LowerBound(Layout::Default),
        ),
        (
            "countersign, three headers",
            Self::Countersign(Layout::Three),
        ),
        (
            "countersign, default layout",
            Self::Countersign(Layout::Default),
        ),
        ("naive", Self::Naive),
    ];

    /// The guard of this name.
    pub fn named(name: &str) -> Option<Self> {
        let (_, guard) = Self::ALL.into_iter().find(|(known, _)| *known == name)?;
        Some(guard)
    }
}

/// A router behind this guard.
pub fn router(guard: Guard) -> Router {
    let routes = Router::new().route(
        "/api/v1/accounts/{id}/transfers",
        post(async |body: Bytes| body.len().to_string()),
    );
    match guard {
        Guard::None => routes,
        Guard::Identity => routes.layer(Identity::new()),
        Guard::LowerBound(layout) => {
            let keys = Arc::new(keys(lower_bound::key));
            routes.layer(layer_fn(move |inner| LowerBound {
                inner,
                keys: Arc::clone(&keys),
                layout,
            }))
        }
        Guard::Countersign(layout) => {
            let replay = MemoryReplayStore::builder()
                .quota_per_caller(1 << 26)
                .callers(1)
                .build()
                .unwrap();
            routes.layer(VerifyLayer::new(layout.keyring()).with_replay_store(replay))
        }
        Guard::Naive => {
            let keys = Arc::new(keys(<[u8]>::to_vec));
            routes.layer(middleware::from_fn_with_state(keys, naive))
        }
    }
}

/// What a verifier by hand knows.
pub fn keys<K>(key: impl FnOnce(&[u8]) -> K) -> HashMap<String, K> {
    let secret = hex::decode(request::KEY).unwrap();
    HashMap::from([(request::CALLER.to_string(), key(&secret))])
}

#[derive(Clone)]
struct LowerBound<S> {
    inner: S,
    keys: Arc<HashMap<String, lower_bound::Key>>,
    layout: Layout,
}

impl<S> Service<Request<Body>> for LowerBound<S>
where
    S: Service<Request<Body>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let keys = Arc::clone(&self.keys);
        let layout = self.layout;
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            if !lower_bound::verify_head(&keys, layout, &parts) {
                return Ok(StatusCode::UNAUTHORIZED.into_response());
            }
            let Ok(body) = body.collect().await else {
                return Ok(StatusCode::BAD_REQUEST.into_response());
            };
            let body = body.to_bytes();
            if !lower_bound::verify_body(&parts, &body) {
                return Ok(StatusCode::UNAUTHORIZED.into_response());
            }
            inner
                .call(Request::from_parts(parts, Body::from(body)))
                .await
        })
    }
}

async fn naive(
    State(keys): State<Arc<HashMap<String, Vec<u8>>>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, 2 * 1024 * 1024).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match crate::naive::verify(&keys, &parts, &body) {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        Err(reason) => (StatusCode::UNAUTHORIZED, reason).into_response(),
    }
}
