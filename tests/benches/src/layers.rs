//! Servers that do the same behind different layers: none, one that does nothing, the lower bound,
//! this project's, and one written by hand.

use std::{
    collections::HashMap,
    env, fs,
    future::Future,
    mem,
    pin::Pin,
    process,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
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
use countersign::{MemoryReplayStore, Policy};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tower_countersign::{AuthorizeLayer, VerifyLayer, metrics, reload::Reload};
use tower_layer::{Identity, layer_fn};
use tower_service::Service;

use crate::{
    lower_bound, policies,
    request::{self, Layout},
};

/// The layer before the handler.
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
    /// The same with keys that are reloaded from a file, a policy, and everything counted for
    /// Prometheus.
    Everything(Layout),
    /// A middleware function written by hand.
    Naive,
}

impl Guard {
    /// The guards that can stand in one process, with their names.
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
            routes.layer(VerifyLayer::new(layout.keyring()).with_replay_store(nonces()))
        }
        Guard::Everything(layout) => everything(layout, routes),
        Guard::Naive => {
            let keys = Arc::new(keys(<[u8]>::to_vec));
            routes.layer(middleware::from_fn_with_state(keys, naive))
        }
    }
}

fn nonces() -> MemoryReplayStore {
    MemoryReplayStore::builder()
        .quota_per_caller(1 << 26)
        .callers(1)
        .build()
        .unwrap()
}

/// Counts for the whole process, and watches its file until the process ends.
fn everything(layout: Layout, routes: Router) -> Router {
    let mut prometheus = PrometheusBuilder::new();
    for metric in metrics::ALL {
        if !metric.buckets().is_empty() {
            let name = Matcher::Full(metric.name().to_owned());
            prometheus = prometheus
                .set_buckets_for_metric(name, metric.buckets())
                .unwrap();
        }
    }
    let handle = prometheus.install_recorder().unwrap();
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_secs(1));
            handle.run_upkeep();
        }
    });
    let file = env::temp_dir().join(format!("countersign-bench-{}", process::id()));
    fs::write(&file, "").unwrap();
    // What the keys are is the layout's; that they can change at any time is what this one is
    // about.
    let (keys, watched) = Reload::new()
        .keyring_with(&file, move |_| Ok(layout.keyring()))
        .unwrap();
    mem::forget(watched);
    let transfers = "[[statements]]\nid = \"transfers\"\neffect = \"allow\"\ncallers = [\"billing\"]\nmethods = [\"POST\"]\npaths = [\"/api/v1/accounts/*/transfers\"]\n";
    let policy = Policy::from_toml(&(policies::text(100) + transfers)).unwrap();
    routes
        .layer(AuthorizeLayer::new(policy))
        .layer(VerifyLayer::new(keys).with_replay_store(nonces()))
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
        let mut inner = mem::replace(&mut self.inner, unready);
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
