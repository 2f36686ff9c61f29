//! A signed request is handled once: with any number of copies, over any connections, with any
//! change of the clocks, and at any service.

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
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{
    ArcReplayStore, CallerKey, ClaimOutcome, ConfigErrorKind, KeyStore, Keyring, MemoryReplayStore,
    ReplayClaim, ReplayStore, ReplayStoreId, Signer, Timestamp, Unavailable, Verifier,
};
use futures::future::{BoxFuture, join_all};
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::Full;
use tests::{
    bodies::Pending,
    client,
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key, keyring, signer},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_countersign::{
    BodyLimits, Refusal, RequestBody, UncoveredHeaders, VerifiedCaller, VerifyLayer,
};

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

/// A clock that the test sets.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_unix_micros())))
    }

    fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_micros(), Ordering::SeqCst);
    }

    fn clock(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static + use<> {
        let micros = Arc::clone(&self.0);
        move || Timestamp::from_unix_micros(micros.load(Ordering::SeqCst))
    }
}

/// Returns the tests' usual time, moved by this number of seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds)
}

/// A handler that counts its calls.
#[derive(Clone, Default)]
struct Handler(Arc<AtomicUsize>);

impl Handler {
    fn handled(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Service<Request<RequestBody>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<RequestBody>) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Response::new(Full::new(Bytes::new()))) })
    }
}

/// `handled`, or the code of the refusal.
async fn send<K, R>(layer: &VerifyLayer<K, R>, request: Request<Body>) -> &'static str
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let response = layer
        .layer(Handler::default())
        .oneshot(request)
        .await
        .unwrap();
    let refusal = response.extensions().get::<Refusal>();
    refusal.map_or("handled", Refusal::code)
}

/// A store that never answers at once, and gives no hints.
#[derive(Clone)]
struct Late<S>(S);

impl<S: ReplayStore> ReplayStore for Late<S> {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        tokio::task::yield_now().await;
        self.0.claim(claim).await
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_copies_in_one_process_exactly_one_is_handled() {
    async fn race<R: ReplayStore + Clone>(name: &str, copies: usize, store: R) {
        let handler = Handler::default();
        let service = layer().with_replay_store(store).layer(handler.clone());
        let request = signed::at(NOW, &billing(), signed::post("/transfer", "100 to orders"));
        let calls = (0..copies).map(|_| {
            let call = service.clone().oneshot(request.clone().map(Full::new));
            tokio::spawn(async move { call.await.unwrap().status().as_u16() })
        });
        let mut statuses: HashMap<u16, usize> = HashMap::new();
        for status in join_all(calls).await {
            *statuses.entry(status.unwrap()).or_default() += 1;
        }
        assert_eq!(handler.handled(), 1, "{name}");
        let expected = HashMap::from([(200, 1), (401, copies - 1)]);
        assert_eq!(statuses, expected, "{name}");
    }
    race("in memory", 10_000, MemoryReplayStore::new()).await;
    race(
        "erased",
        1000,
        ArcReplayStore::new(MemoryReplayStore::new()),
    )
    .await;
    race("late", 1000, Late(MemoryReplayStore::new())).await;
    race(
        "late, in an erased store",
        1000,
        ArcReplayStore::new(Late(MemoryReplayStore::new())),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_copies_over_http2_exactly_one_is_handled() {
    const CONNECTIONS: usize = 4;
    const COPIES: usize = 10_000;
    let handled = Arc::new(AtomicUsize::new(0));
    let app = Router::new()
        .route(
            "/transfer",
            any({
                let handled = Arc::clone(&handled);
                move || {
                    handled.fetch_add(1, Ordering::SeqCst);
                    async { "handled" }
                }
            }),
        )
        .layer(layer());
    let server = Server::axum(app).await;
    let request = signed::at(NOW, &billing(), signed::post("/transfer", "100 to orders"));
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| client::http2(server.addr()))
        .collect();
    let calls = (0..COPIES).map(|copy| {
        let connection = connections[copy % CONNECTIONS].clone();
        let request = request.clone();
        tokio::spawn(async move {
            loop {
                let sent = connection.request(request.clone().map(Full::new)).await;
                match sent {
                    Ok(response) => return response.status().as_u16(),
                    // The server refuses streams above its maximum before it reads them (RFC 9113
                    // section 8.7).
                    Err(error) if format!("{error:?}").contains("REFUSED_STREAM") => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    });
    let mut statuses: HashMap<u16, usize> = HashMap::new();
    for status in join_all(calls).await {
        *statuses.entry(status.unwrap()).or_default() += 1;
    }
    assert_eq!(handled.load(Ordering::SeqCst), 1);
    assert_eq!(statuses, HashMap::from([(200, 1), (401, COPIES - 1)]));
}

/// Source: design, replay. The claim is the last step, so `replayed` means that the first copy was
/// handled.
#[tokio::test]
async fn what_was_refused_for_its_body_burns_nothing() {
    let limits = BodyLimits::default()
        .with_max_bytes(100)
        .with_deadline(Duration::from_millis(20))
        .with_total_bytes(100);
    let store = MemoryReplayStore::new();
    let layer = layer()
        .with_body_limits(limits)
        .with_replay_store(store.clone());
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    for (name, body, code) in [
        ("another body", Body::from("bodx"), "body_mismatch"),
        ("half of it", Body::from("bo"), "body_mismatch"),
        (
            "too much of the body",
            Body::from("body".repeat(100)),
            "too_large",
        ),
        ("too slow", Body::new(Pending), "timeout"),
    ] {
        let copy = request.clone().map(|_| body);
        assert_eq!(send(&layer, copy).await, code, "{name}");
        assert!(store.is_empty(), "{name}: the nonce was burnt");
    }
    assert_eq!(
        send(&layer, request.clone().map(Body::from)).await,
        "handled"
    );
    assert_eq!(send(&layer, request.map(Body::from)).await, "replayed");
}

/// Otherwise anyone on the way could use up the nonce of a request by adding a header.
#[tokio::test]
async fn what_was_refused_for_a_header_that_was_added_burns_nothing() {
    let store = MemoryReplayStore::new();
    let layer = layer()
        .with_replay_store(store.clone())
        .with_uncovered_headers(UncoveredHeaders::refuse_all_but([]));
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    let mut copy = request.clone();
    let role = HeaderValue::from_static("admin");
    copy.headers_mut().insert("x-role", role);
    assert_eq!(
        send(&layer, copy.map(Body::from)).await,
        "insufficient_coverage"
    );
    assert!(store.is_empty(), "the nonce was used up");
    assert_eq!(send(&layer, request.map(Body::from)).await, "handled");
}

#[tokio::test]
async fn refused_heads_burn_nothing_either() {
    let store = MemoryReplayStore::new();
    let layer = layer().with_replay_store(store.clone());
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    let mut elsewhere = request.clone();
    *elsewhere.uri_mut() = format!("http://{AUTHORITY}/elsewhere").parse().unwrap();
    assert_eq!(
        send(&layer, elsewhere.map(Body::from)).await,
        "invalid_signature"
    );
    let stranger = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let stolen = countersign::Nonce::new(request.headers()["x-nonce"].to_str().unwrap()).unwrap();
    let (mut parts, body) = signed::post("/", "body").into_parts();
    let digest = countersign::PayloadDigest::of(&body);
    let signature = stranger
        .sign_with_nonce(&parts, digest, stolen, NOW)
        .unwrap();
    signature.apply(&mut parts);
    let stolen = Request::from_parts(parts, Body::from(body));
    assert_eq!(send(&layer, stolen).await, "invalid_signature");
    assert!(store.is_empty());
    assert_eq!(send(&layer, request.map(Body::from)).await, "handled");
}

/// A nonce belongs to its caller. Another caller with the same nonce has no effect on it.
#[tokio::test]
async fn two_callers_may_use_one_nonce() {
    let layer = VerifyLayer::new(billing_and_orders()).with_clock(|| NOW);
    let nonce = || countersign::Nonce::new("0123456789abcdef").unwrap();
    for caller in [billing(), orders()] {
        let (mut parts, body) = signed::get("/").into_parts();
        let digest = countersign::PayloadDigest::of(&body);
        caller
            .sign_with_nonce(&parts, digest, nonce(), NOW)
            .unwrap()
            .apply(&mut parts);
        for expected in ["handled", "replayed"] {
            let request = Request::from_parts(parts.clone(), Body::empty());
            assert_eq!(
                send(&layer, request).await,
                expected,
                "{:?}",
                caller.caller()
            );
        }
    }
}

fn orders() -> Signer {
    signer("orders", hmac_key(OTHER_SECRET), AUTHORITY)
}

fn billing_and_orders() -> Keyring {
    let key = |secret| CallerKey::new("1", hmac_key(secret).verifying_key()).unwrap();
    Keyring::builder()
        .caller("billing", key(SECRET))
        .caller("orders", key(OTHER_SECRET))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_head_that_has_been_through_opens_no_second_body() {
    struct Counted(Arc<AtomicUsize>, Option<Bytes>);
    impl http_body::Body for Counted {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Poll::Ready(self.1.take().map(|bytes| Ok(Frame::data(bytes))))
        }
    }
    // Draining is off, because it would read a refused body.
    let layer = layer().with_refused_body_drain(0, Duration::ZERO);
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    let polls = Arc::new(AtomicUsize::new(0));
    let copy = || {
        let polls = Arc::clone(&polls);
        request
            .clone()
            .map(|body| Body::new(Counted(polls, Some(body))))
    };
    assert_eq!(send(&layer, copy()).await, "handled");
    let once = polls.load(Ordering::SeqCst);
    assert!(once > 0);
    for _ in 0..10 {
        assert_eq!(send(&layer, copy()).await, "replayed");
    }
    assert_eq!(
        polls.load(Ordering::SeqCst),
        once,
        "the bodies of the copies were not polled"
    );
    // Without a hint, the body is read, and the request is still refused.
    let late = layer.with_replay_store(Late(MemoryReplayStore::new()));
    assert_eq!(send(&late, copy()).await, "handled");
    assert_eq!(send(&late, copy()).await, "replayed");
    assert!(polls.load(Ordering::SeqCst) > once);
}

#[tokio::test]
async fn a_store_that_was_restarted_forgets_unless_it_refuses_what_was_signed_before() {
    let hands = Hands::at(NOW);
    let layer = layer().with_clock(hands.clock());
    let request = |seconds| signed::at(at(seconds), &billing(), signed::get("/")).map(Body::from);
    let old = signed::at(NOW, &billing(), signed::get("/"));
    assert_eq!(send(&layer, old.clone().map(Body::from)).await, "handled");

    hands.set(at(10));
    let restarted = layer.clone().with_replay_store(MemoryReplayStore::new());
    assert_eq!(
        send(&restarted, old.clone().map(Body::from)).await,
        "handled",
        "the gap"
    );
    assert_eq!(
        send(&restarted, old.clone().map(Body::from)).await,
        "replayed"
    );

    let closed = MemoryReplayStore::builder()
        .refuse_dates_before(at(10))
        .build()
        .unwrap();
    let restarted = layer.with_replay_store(closed);
    assert_eq!(
        send(&restarted, old.map(Body::from)).await,
        "replayed",
        "the gap is closed"
    );
    assert_eq!(send(&restarted, request(9)).await, "replayed", "at a price");
    assert_eq!(send(&restarted, request(10)).await, "handled");
    assert_eq!(send(&restarted, request(11)).await, "handled");
}

#[tokio::test]
async fn a_caller_at_its_quota_changes_nothing_for_another() {
    let store = MemoryReplayStore::builder()
        .quota_per_caller(20)
        .callers(2)
        .build()
        .unwrap();
    let layer = VerifyLayer::new(billing_and_orders())
        .with_clock(|| NOW)
        .with_replay_store(store.clone());
    let by = |signer: &Signer| signed::at(NOW, signer, signed::get("/"));
    let first = by(&billing());
    assert_eq!(send(&layer, first.clone().map(Body::from)).await, "handled");
    for _ in 1..20 {
        assert_eq!(
            send(&layer, by(&billing()).map(Body::from)).await,
            "handled"
        );
    }
    for _ in 0..100 {
        assert_eq!(
            send(&layer, by(&billing()).map(Body::from)).await,
            "over_quota"
        );
    }
    assert_eq!(store.len(), 20);
    for _ in 0..20 {
        assert_eq!(send(&layer, by(&orders()).map(Body::from)).await, "handled");
    }
    assert_eq!(
        send(&layer, by(&orders()).map(Body::from)).await,
        "over_quota"
    );
    assert_eq!(
        send(&layer, first.map(Body::from)).await,
        "replayed",
        "nothing was evicted"
    );
    assert_eq!(store.len(), store.capacity());
}

/// A request is known from the first to the last time at which its date is accepted.
#[tokio::test]
async fn a_copy_is_replayed_while_its_date_is_accepted_and_expired_after() {
    for (name, signed_at, moments) in [
        (
            "dated now",
            0,
            [
                (0, "handled"),
                (1, "replayed"),
                (299, "replayed"),
                (300, "replayed"),
                (301, "expired"),
                (335, "expired"),
                (336, "expired"),
                (10_000, "expired"),
            ],
        ),
        (
            "dated ahead",
            300,
            [
                (0, "handled"),
                (1, "replayed"),
                (300, "replayed"),
                (599, "replayed"),
                (600, "replayed"),
                (601, "expired"),
                (636, "expired"),
                (10_000, "expired"),
            ],
        ),
        (
            "dated back",
            -300,
            [
                (0, "handled"),
                (0, "replayed"),
                (0, "replayed"),
                (0, "replayed"),
                (1, "expired"),
                (35, "expired"),
                (36, "expired"),
                (10_000, "expired"),
            ],
        ),
    ] {
        let hands = Hands::at(NOW);
        let layer = VerifyLayer::new(billing_and_orders()).with_clock(hands.clock());
        let request = signed::at(at(signed_at), &billing(), signed::get("/"));
        for (moment, expected) in moments {
            hands.set(at(moment));
            // Requests of another caller make the store purge entries.
            for _ in 0..5 {
                let other = signed::at(at(moment), &orders(), signed::get("/"));
                assert_eq!(
                    send(&layer, other.map(Body::from)).await,
                    "handled",
                    "{name}"
                );
            }
            let copy = request.clone().map(Body::from);
            assert_eq!(send(&layer, copy).await, expected, "{name}, at {moment} s");
        }
        hands.set(Timestamp::from_unix_micros(
            at(signed_at + 300).as_unix_micros() + 1,
        ));
        let copy = request.map(Body::from);
        assert_eq!(
            send(&layer, copy).await,
            "expired",
            "{name}: a microsecond past the window"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_reopens_nothing() {
    let hands = Hands::at(NOW);
    let layer = VerifyLayer::new(billing_and_orders()).with_clock(hands.clock());
    let used = signed::at(NOW, &billing(), signed::get("/"));
    let unused = signed::at(NOW, &billing(), signed::get("/"));
    assert_eq!(send(&layer, used.clone().map(Body::from)).await, "handled");
    for step in [10_000, 20_000] {
        hands.set(at(step));
        for _ in 0..100 {
            let other = signed::at(at(step), &orders(), signed::get("/"));
            assert_eq!(send(&layer, other.map(Body::from)).await, "handled");
        }
    }
    hands.set(NOW);
    assert_eq!(send(&layer, used.map(Body::from)).await, "replayed");
    assert_eq!(
        send(&layer, unused.map(Body::from)).await,
        "replayed",
        "the record no longer covers the period"
    );
    hands.set(at(20_000));
    let fresh = signed::at(at(20_000), &billing(), signed::get("/"));
    assert_eq!(send(&layer, fresh.map(Body::from)).await, "handled");
}

/// A body may arrive until its deadline, after its date was checked. The nonce must be known until
/// then.
#[tokio::test]
async fn a_copy_whose_body_ends_after_the_window_is_replayed() {
    struct Moving(Hands, Timestamp, Option<Bytes>);
    impl http_body::Body for Moving {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.set(self.1);
            Poll::Ready(self.2.take().map(|bytes| Ok(Frame::data(bytes))))
        }
    }
    let hands = Hands::at(at(299));
    let store = MemoryReplayStore::new();
    let layer = VerifyLayer::new(billing_and_orders())
        .with_clock(hands.clock())
        // There is no hint, so both bodies are read.
        .with_replay_store(Late(store.clone()));
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    let copy = |ends: i64| {
        let hands = hands.clone();
        request
            .clone()
            .map(move |body| Body::new(Moving(hands, at(ends), Some(body))))
    };
    assert_eq!(send(&layer, copy(300)).await, "handled");
    for ends in [300, 310, 329, 330] {
        hands.set(at(ends));
        let other = signed::at(at(ends), &orders(), signed::get("/"));
        assert_eq!(send(&layer, other.map(Body::from)).await, "handled");
        hands.set(at(300));
        assert_eq!(
            send(&layer, copy(ends)).await,
            "replayed",
            "ends at {ends} s"
        );
    }
}

/// A claim lasts as long as anyone can accept the date, including the slowest body and the clock
/// difference.
#[tokio::test]
async fn a_claim_says_how_long_it_must_be_remembered() {
    #[derive(Clone)]
    struct Told(Arc<Mutex<Vec<ReplayClaim>>>);
    impl ReplayStore for Told {
        async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
            self.0.lock().unwrap().push(claim);
            Ok(ClaimOutcome::Fresh)
        }
        fn id(&self) -> ReplayStoreId {
            ReplayStoreId::unique()
        }
    }
    let told = Told(Arc::default());
    let usual = layer().with_replay_store(told.clone());
    let verifier = Verifier::builder()
        .window(Duration::from_secs(60))
        .build()
        .unwrap();
    let limits = BodyLimits::default().with_deadline(Duration::from_secs(7));
    let own = usual
        .clone()
        .with_verifier(verifier)
        .with_body_limits(limits)
        .with_clock_difference(Duration::from_secs(2));
    for (name, layer, signed_at, expires_at) in [
        ("signed now", &usual, 0, 300 + 30 + 5),
        ("dated ahead", &usual, 100, 100 + 300 + 30 + 5),
        ("dated back", &usual, -100, -100 + 300 + 30 + 5),
        ("with other settings", &own, 0, 60 + 7 + 2),
    ] {
        let request = signed::at(at(signed_at), &billing(), signed::get("/"));
        assert_eq!(
            send(layer, request.map(Body::from)).await,
            "handled",
            "{name}"
        );
        let claim = told.0.lock().unwrap().pop().unwrap();
        assert_eq!(claim.caller, "billing", "{name}");
        assert_eq!(claim.signed_at, at(signed_at), "{name}");
        assert_eq!(claim.expires_at, at(expires_at), "{name}");
        assert_eq!(claim.now, NOW, "{name}");
    }
}

/// A store may purge expired entries, so an expired claim is not made.
#[tokio::test]
async fn a_claim_that_expired_while_its_body_came_is_not_made() {
    struct Moving(Hands, i64, Option<Bytes>);
    impl http_body::Body for Moving {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.set(at(self.1));
            Poll::Ready(self.2.take().map(|bytes| Ok(Frame::data(bytes))))
        }
    }
    let hands = Hands::at(NOW);
    let layer = layer()
        .with_clock(hands.clock())
        .with_replay_store(AlwaysFresh);
    // The date plus window, deadline and clock difference.
    for (ends, expected) in [(334, "handled"), (335, "replayed"), (10_000, "replayed")] {
        hands.set(NOW);
        let request = signed::at(NOW, &billing(), signed::post("/", "body"));
        let moving = request.map(|body| Body::new(Moving(hands.clone(), ends, Some(body))));
        assert_eq!(send(&layer, moving).await, expected, "ends at {ends} s");
    }
}

/// A store that keeps no entries.
#[derive(Clone)]
struct AlwaysFresh;

impl ReplayStore for AlwaysFresh {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Ok(ClaimOutcome::Fresh)
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

// Copies that are sent to other services.

/// `user-service` calls `billing`. Its request is sent back to it.
#[tokio::test]
async fn a_reflected_request_is_refused() {
    // The keys with which user-service signs, and the callers that it accepts.
    let outgoing = signer("user-service", hmac_key(OTHER_SECRET), "billing.internal");
    let (parts, body) = Request::get("http://billing.internal/pay")
        .body(Bytes::new())
        .unwrap()
        .into_parts();
    let captured = signed::at(NOW, &outgoing, Request::from_parts(parts, body));
    let incoming = keyring("billing", &hmac_key(SECRET));
    incoming.ensure_distinct_from(&[&outgoing]).unwrap();
    // One secret for both directions. The process can detect this by asking.
    let both_ways = keyring("user-service", &hmac_key(OTHER_SECRET));
    let error = both_ways.ensure_distinct_from(&[&outgoing]).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::SharedKey);

    let moved = |authority: &str| {
        let mut copy = captured.clone();
        *copy.uri_mut() = format!("http://{authority}/pay").parse().unwrap();
        copy
    };
    for (name, keys, hosts, copy, expected) in [
        (
            "as it was",
            &incoming,
            true,
            captured.clone(),
            "misdirected",
        ),
        (
            "as it was, no hosts",
            &incoming,
            false,
            captured.clone(),
            "invalid_signature",
        ),
        (
            "with our host",
            &incoming,
            true,
            moved(AUTHORITY),
            "invalid_signature",
        ),
        (
            "with our host, no hosts",
            &incoming,
            false,
            moved(AUTHORITY),
            "invalid_signature",
        ),
        (
            "one secret for both",
            &both_ways,
            true,
            captured.clone(),
            "misdirected",
        ),
        (
            "one secret for both, our host",
            &both_ways,
            true,
            moved(AUTHORITY),
            "invalid_signature",
        ),
        (
            "one secret for both, our host, no hosts",
            &both_ways,
            false,
            moved(AUTHORITY),
            "invalid_signature",
        ),
        // Only expected hosts or separate secrets refuse this request.
        (
            "one secret for both, no hosts",
            &both_ways,
            false,
            captured,
            "handled",
        ),
    ] {
        let layer = VerifyLayer::new(keys.clone()).with_clock(|| NOW);
        let layer = if hosts {
            layer.with_expected_hosts([AUTHORITY]).unwrap()
        } else {
            layer
        };
        assert_eq!(send(&layer, copy.map(Body::from)).await, expected, "{name}");
    }
}

/// Two services share a caller's secret. A request to the first is relayed to the second, with its
/// host unchanged.
#[tokio::test]
async fn a_request_relayed_to_a_sibling_is_refused_or_visible() {
    let app = |hosts: &[&str]| {
        let layer = layer();
        let layer = if hosts.is_empty() {
            layer
        } else {
            layer.with_expected_hosts(hosts).unwrap()
        };
        Router::new()
            .fallback(async |caller: VerifiedCaller| {
                format!("audience checked: {}", caller.audience_checked())
            })
            .layer(layer)
    };
    for (name, hosts, status, said) in [
        ("itself", &[AUTHORITY][..], 200, "audience checked: true"),
        (
            "itself among others",
            &["a.internal", AUTHORITY],
            200,
            "audience checked: true",
        ),
        ("a sibling", &["sibling.internal"], 421, "misdirected"),
        (
            "a sibling with the same prefix",
            &["user-service.internal.example"],
            421,
            "misdirected",
        ),
        (
            "a sibling on another port",
            &["user-service.internal:8081"],
            421,
            "misdirected",
        ),
        (
            "a sibling without hosts",
            &[],
            200,
            "audience checked: false",
        ),
    ] {
        let server = Server::axum(app(hosts)).await;
        let captured = signed::at(NOW, &billing(), signed::get("/account/7"));
        let text = raw::exchange(server.addr(), &signed::bytes(&captured)).await;
        assert_eq!(raw::status(&text), status, "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");

        let renamed = String::from_utf8(signed::bytes(&captured)).unwrap();
        let renamed = renamed.replacen(AUTHORITY, "sibling.internal", 1);
        let text = raw::exchange(server.addr(), renamed.as_bytes()).await;
        assert!(
            matches!(raw::status(&text), 401 | 421),
            "{name}, with its host: {text}"
        );
    }
}

#[tokio::test]
async fn handlers_can_ask_whether_a_replay_was_ruled_out() {
    let key = CallerKey::new("1", hmac_key(SECRET).verifying_key())
        .unwrap()
        .insecure_three_headers();
    let keys = Keyring::builder().caller("billing", key).build().unwrap();
    let told = service_fn(|request: Request<RequestBody>| async move {
        let caller: &VerifiedCaller = request.extensions().get().unwrap();
        let text = format!(
            "{} {:?}",
            caller.replay_protected(),
            caller.nonce().map(str::len)
        );
        Ok::<_, Infallible>(Response::new(text))
    });
    let service = VerifyLayer::new(keys).with_clock(|| NOW).layer(told);
    for (name, signer, expected) in [
        ("with a nonce", billing(), "true Some(32)"),
        (
            "without one",
            billing().insecure_three_headers(),
            "false None",
        ),
    ] {
        let request = signed::at(NOW, &signer, signed::get("/")).map(Full::new);
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .unwrap();
        assert_eq!(body.to_bytes(), expected, "{name}");
    }
}
