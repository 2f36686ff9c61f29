//! While the replay store cannot answer, every request is refused, unless the insecure setting is
//! on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use countersign::{
    ClaimOutcome, Keyring, MemoryReplayStore, ReplayClaim, ReplayStore, ReplayStoreId, Unavailable,
};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tests::{
    keys::{NOW, SECRET, hmac_key, keyring},
    signed::{self, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{RequestBody, VerifiedCaller, VerifyLayer};

/// A store that can fail in two ways.
#[derive(Clone)]
struct Switched {
    store: MemoryReplayStore,
    off: Arc<AtomicBool>,
    silent: bool,
}

impl Switched {
    fn new(silent: bool) -> Self {
        let store = MemoryReplayStore::builder().quota_per_caller(2).build();
        Self {
            store: store.unwrap(),
            off: Arc::default(),
            silent,
        }
    }
}

impl ReplayStore for Switched {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        if !self.off.load(Ordering::SeqCst) {
            return self.store.claim(claim).await;
        }
        if self.silent {
            std::future::pending::<()>().await;
        }
        Err(Unavailable::new("replay store").with_source("connection refused"))
    }

    fn id(&self) -> ReplayStoreId {
        self.store.id()
    }
}

fn layer(store: Switched) -> VerifyLayer<Keyring, Switched> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_clock(|| NOW)
        .with_store_deadline(Duration::from_millis(20))
        .with_replay_store(store)
}

/// Returns the status, and the handler's value of `replay_protected`.
async fn send(
    layer: &VerifyLayer<Keyring, Switched>,
    request: Request<Bytes>,
) -> (StatusCode, Option<bool>) {
    let told = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&told);
    let handler = service_fn(move |request: Request<RequestBody>| {
        let caller: &VerifiedCaller = request.extensions().get().unwrap();
        let protected = usize::from(caller.replay_protected());
        seen.store(1 + protected, Ordering::SeqCst);
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    });
    let service = layer.layer(handler);
    let response = service.oneshot(request.map(Body::from)).await.unwrap();
    let told = match told.load(Ordering::SeqCst) {
        0 => None,
        told => Some(told == 2),
    };
    (response.status(), told)
}

fn request() -> Request<Bytes> {
    signed::at(NOW, &billing(), signed::post("/", "body"))
}

#[tokio::test]
async fn an_outage_is_503_by_default_and_burns_nothing() {
    for silent in [false, true] {
        let store = Switched::new(silent);
        let layer = layer(store.clone());
        let request = request();
        store.off.store(true, Ordering::SeqCst);
        assert_eq!(
            send(&layer, request.clone()).await,
            (StatusCode::SERVICE_UNAVAILABLE, None),
            "silent {silent}"
        );
        assert_eq!(layer.unclaimed_requests(), 0);
        store.off.store(false, Ordering::SeqCst);
        assert_eq!(send(&layer, request).await, (StatusCode::OK, Some(true)));
    }
}

#[tokio::test]
async fn a_layer_that_continues_says_so_to_the_handler_and_counts() {
    for silent in [false, true] {
        let store = Switched::new(silent);
        let strict = layer(store.clone());
        let layer = strict.clone().insecure_continue_without_replay_store();
        let clone = layer.clone();
        let request = request();
        store.off.store(true, Ordering::SeqCst);
        for sent in 1..=3 {
            assert_eq!(
                send(&layer, request.clone()).await,
                (StatusCode::OK, Some(false)),
                "silent {silent}"
            );
            assert_eq!(layer.unclaimed_requests(), sent);
            assert_eq!(clone.unclaimed_requests(), sent);
        }
        // Each layer has a separate setting.
        assert_eq!(
            send(&strict, request.clone()).await.0,
            StatusCode::SERVICE_UNAVAILABLE
        );
        store.off.store(false, Ordering::SeqCst);
        assert_eq!(
            send(&layer, request.clone()).await,
            (StatusCode::OK, Some(true))
        );
        assert_eq!(
            send(&layer, request).await,
            (StatusCode::UNAUTHORIZED, None)
        );
        assert_eq!(layer.unclaimed_requests(), 3);
    }
}

/// Answers of the store still count, and so do all earlier checks.
#[tokio::test]
async fn a_layer_that_continues_refuses_everything_else() {
    let store = Switched::new(false);
    let layer = layer(store.clone()).insecure_continue_without_replay_store();
    for status in [
        StatusCode::OK,
        StatusCode::OK,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        assert_eq!(send(&layer, request()).await.0, status);
    }
    store.off.store(true, Ordering::SeqCst);
    let (mut parts, body) = request().into_parts();
    parts.uri = "http://user-service.internal/elsewhere".parse().unwrap();
    let forged = Request::from_parts(parts, body);
    assert_eq!(send(&layer, forged).await, (StatusCode::UNAUTHORIZED, None));
    let other_body = request().map(|_| Bytes::from("bodx"));
    assert_eq!(
        send(&layer, other_body).await,
        (StatusCode::UNAUTHORIZED, None)
    );
    assert_eq!(layer.unclaimed_requests(), 0);
}
