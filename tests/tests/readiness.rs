//! The contract of tower: the instance that was polled ready is called, errors are those of the
//! inner service, and an abandoned request leaves nothing held.

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
    cell::Cell,
    convert::Infallible,
    fmt,
    marker::PhantomPinned,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use countersign::{
    ArcKeyStore, ArcReplayStore, CallerKeys, KeyStore, Keyring, MemoryReplayStore, ReplayStore,
    Signer, Unavailable,
};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
    stream,
};
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tests::{
    client,
    keys::{NOW, SECRET, hmac_key, keyring},
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::{sleep, timeout},
};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, buffer::BufferLayer,
    limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer, service_fn, timeout::TimeoutLayer,
    util::BoxCloneService,
};
use tower_countersign::{
    BodyLimits, Clock, Refusal, RequestBody, ReqwestService, SignLayer, SignMiddleware, SignedBody,
    SystemClock, UncoveredHeaders, VerifiedCaller, VerifyLayer,
    sign::{Sign, SignFuture},
    verify::{ResponseBody, Verify, VerifyFuture},
};

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

fn request(body: &'static str) -> Request<Body> {
    signed::at(NOW, &billing(), signed::post("/", body)).map(Body::from)
}

/// Returns a service for these requests that was polled ready.
async fn ready<S>(service: &mut S) -> &mut S
where
    S: Service<Request<Body>>,
    S::Error: fmt::Debug,
{
    ServiceExt::<Request<Body>>::ready(service).await.unwrap()
}

/// A service that is ready for one call at a time. It panics if an instance is called that was not
/// polled ready.
struct Strict {
    shared: Arc<Shared>,
    ready: bool,
}

#[derive(Default)]
struct Shared {
    reserved: AtomicUsize,
    handled: AtomicUsize,
    most_at_a_time: AtomicUsize,
    running: AtomicUsize,
    changed: Mutex<Vec<std::task::Waker>>,
}

impl Strict {
    fn new() -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared::default());
        let service = Self {
            shared: Arc::clone(&shared),
            ready: false,
        };
        (service, shared)
    }
}

/// A clone holds no reservation.
impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ready: false,
        }
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        if self.ready {
            self.shared.give_back();
        }
    }
}

impl Shared {
    fn give_back(&self) {
        self.reserved.fetch_sub(1, Ordering::SeqCst);
        for waker in self.changed.lock().unwrap().drain(..) {
            waker.wake();
        }
    }
}

impl<B: Send + 'static> Service<Request<B>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = BoxFuture<'static, Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.ready {
            return Poll::Ready(Ok(()));
        }
        let mut changed = self.shared.changed.lock().unwrap();
        let free = self
            .shared
            .reserved
            .compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if free {
            self.ready = true;
            return Poll::Ready(Ok(()));
        }
        changed.push(cx.waker().clone());
        Poll::Pending
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(self.ready, "called an instance that was not polled ready");
        self.ready = false;
        let reserved = Reserved(Arc::clone(&self.shared));
        Box::pin(async move {
            let shared = &reserved.0;
            let running = shared.running.fetch_add(1, Ordering::SeqCst) + 1;
            shared.most_at_a_time.fetch_max(running, Ordering::SeqCst);
            tokio::task::yield_now().await;
            shared.running.fetch_sub(1, Ordering::SeqCst);
            shared.handled.fetch_add(1, Ordering::SeqCst);
            if request.uri().path() == "/error" {
                return Err("the handler's own");
            }
            Ok(Response::new(Full::new(Bytes::from_static(b"handled"))))
        })
    }
}

struct Reserved(Arc<Shared>);

impl Drop for Reserved {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_instance_that_was_polled_ready_is_called() {
    let (inner, shared) = Strict::new();
    let service = layer().layer(inner);
    let calls = (0..100).map(|_| tokio::spawn(service.clone().oneshot(request("body"))));
    for response in join_all(calls).await {
        assert_eq!(response.unwrap().unwrap().status(), 200);
    }
    assert_eq!(shared.handled.load(Ordering::SeqCst), 100);
    assert_eq!(shared.most_at_a_time.load(Ordering::SeqCst), 1);
    assert_eq!(
        shared.reserved.load(Ordering::SeqCst),
        0,
        "every permit was released"
    );
}

#[tokio::test]
async fn the_instance_that_was_polled_ready_is_called_to_sign_too() {
    let (inner, shared) = Strict::new();
    let client = SignLayer::new(billing()).layer(inner);
    let calls = (0..100).map(|_| client.clone().oneshot(signed::get("/").map(Full::new)));
    for response in join_all(calls).await {
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(shared.handled.load(Ordering::SeqCst), 100);
    // A request that cannot be signed releases its permit.
    let stranger = Request::get("http://elsewhere/")
        .body(Full::<Bytes>::default())
        .unwrap();
    let mut client = client;
    ServiceExt::<Request<Full<Bytes>>>::ready(&mut client)
        .await
        .unwrap();
    assert_eq!(shared.reserved.load(Ordering::SeqCst), 1);
    assert!(client.call(stranger).await.is_err());
    assert_eq!(shared.reserved.load(Ordering::SeqCst), 0);
}

/// One instance serves several requests. It is polled ready for each, while the first is still
/// being served.
#[tokio::test]
async fn one_instance_serves_many_requests() {
    let (inner, shared) = Strict::new();
    let mut service = layer().layer(inner);
    let first = ready(&mut service).await.call(request("1"));
    assert!(
        ready(&mut service).now_or_never().is_none(),
        "the first call holds the only permit"
    );
    assert_eq!(first.await.unwrap().status(), 200);
    let second = ready(&mut service).await.call(request("2"));
    assert_eq!(second.await.unwrap().status(), 200);
    let refused = ready(&mut service)
        .await
        .call(signed::get("/").map(Body::from));
    assert_eq!(refused.await.unwrap().status(), 401);
    assert_eq!(
        shared.reserved.load(Ordering::SeqCst),
        0,
        "a refusal releases its permit"
    );
    assert_eq!(shared.handled.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn errors_are_the_inner_services_own() {
    let (inner, _) = Strict::new();
    let failing = signed::at(NOW, &billing(), signed::get("/error")).map(Body::from);
    let error: &'static str = layer()
        .layer(inner.clone())
        .oneshot(failing)
        .await
        .unwrap_err();
    assert_eq!(error, "the handler's own");
    // A refusal is not an error.
    let response = layer()
        .layer(inner)
        .oneshot(signed::get("/error").map(Body::from))
        .await;
    assert_eq!(response.unwrap().status(), 401);
}

#[derive(Debug)]
struct NotReady;

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not ready")
    }
}

impl std::error::Error for NotReady {}

#[derive(Clone)]
struct NeverReady;

impl<B> Service<Request<B>> for NeverReady {
    type Response = Response<Full<Bytes>>;
    type Error = NotReady;
    type Future = std::future::Ready<Result<Self::Response, NotReady>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), NotReady>> {
        Poll::Ready(Err(NotReady))
    }

    fn call(&mut self, _request: Request<B>) -> Self::Future {
        panic!("called although it failed to become ready")
    }
}

#[tokio::test]
async fn a_service_that_fails_to_become_ready_is_not_called() {
    let failed = layer().layer(NeverReady).oneshot(request("body")).await;
    assert!(failed.is_err());
    let signing = SignLayer::new(billing()).layer(NeverReady);
    let failed = signing.oneshot(signed::get("/").map(Full::new)).await;
    assert!(failed.unwrap_err().is::<NotReady>());
}

/// A slow handler that counts its calls.
#[derive(Clone)]
struct Handler(Arc<AtomicUsize>);

fn handler(handled: &Arc<AtomicUsize>) -> Handler {
    Handler(Arc::clone(handled))
}

impl Service<Request<RequestBody>> for Handler {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let handled = Arc::clone(&self.0);
        Box::pin(async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            sleep(Duration::from_millis(1)).await;
            handled.fetch_add(1, Ordering::SeqCst);
            Ok(Response::new(Full::new(body)))
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_buffers_inside_and_outside_serve_everyone() {
    async fn all<S, B>(name: &str, service: S)
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Send + 'static,
    {
        let calls = (0..100).map(|_| {
            let call = service.clone().oneshot(request("body"));
            tokio::spawn(async move { call.await.map_err(Into::into) })
        });
        let calls = timeout(Duration::from_secs(20), join_all(calls));
        let calls = calls.await.unwrap_or_else(|_| panic!("{name}: hangs"));
        for response in calls {
            let response = response
                .unwrap()
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(response.status(), StatusCode::OK, "{name}");
        }
    }
    let handled = Arc::new(AtomicUsize::new(0));
    let one = || ConcurrencyLimitLayer::new(1);
    let ten = || TimeoutLayer::new(Duration::from_secs(10));
    let stack = ServiceBuilder::new().layer(layer()).layer(one());
    all("a limit of one inside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new().layer(one()).layer(layer());
    all("a limit of one outside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new()
        .layer(one())
        .layer(layer())
        .layer(one());
    all(
        "a limit of one on both sides",
        stack.service(handler(&handled)),
    )
    .await;
    let stack = ServiceBuilder::new()
        .layer(layer())
        .layer(BufferLayer::new(4))
        .layer(one());
    all("a buffer inside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new()
        .layer(BufferLayer::new(4))
        .layer(layer())
        .layer(one());
    all("a buffer outside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new()
        .layer(ten())
        .layer(layer())
        .layer(one());
    all("a timeout outside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new()
        .layer(layer())
        .layer(ten())
        .layer(one());
    all("a timeout inside", stack.service(handler(&handled))).await;
    let stack = ServiceBuilder::new()
        .layer(BufferLayer::new(4))
        .layer(LoadShedLayer::new())
        .layer(layer())
        .layer(one());
    let shedding = stack.service(handler(&handled));
    let before = handled.swap(0, Ordering::SeqCst);
    assert_eq!(before, 700);
    let calls = (0..100).map(|_| shedding.clone().oneshot(request("body")));
    let (served, shed): (Vec<_>, Vec<_>) =
        join_all(calls).await.into_iter().partition(Result::is_ok);
    assert!(!served.is_empty() && served.len() + shed.len() == 100);
    assert_eq!(
        handled.load(Ordering::SeqCst),
        served.len(),
        "no shed request was handled"
    );
}

fn boxed<S, B>(service: S) -> BoxCloneService<Request<Body>, StatusCode, BoxError>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: 'static,
{
    BoxCloneService::new(service.map_response(|response: Response<B>| response.status()))
}

#[tokio::test]
async fn load_shed_sheds_what_the_inner_service_has_no_room_for() {
    let go = Arc::new(Notify::new());
    let waiting = service_fn({
        let go = Arc::clone(&go);
        move |_: Request<RequestBody>| {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
            }
        }
    });
    for (name, inside) in [("inside", true), ("outside", false)] {
        let one = ConcurrencyLimitLayer::new(1);
        let mut service = if inside {
            let stack = ServiceBuilder::new().layer(layer()).load_shed().layer(one);
            let service = stack.service(waiting.clone());
            boxed(service)
        } else {
            let stack = ServiceBuilder::new().load_shed().layer(layer()).layer(one);
            let service = stack.service(waiting.clone());
            boxed(service)
        };
        let mut second = service.clone();
        let first = ready(&mut service).await.call(request("1"));
        let mut first = Box::pin(first);
        assert!(
            first.as_mut().now_or_never().is_none(),
            "{name}: the handler waits"
        );
        let shed = second
            .ready()
            .await
            .unwrap()
            .call(request("2"))
            .await
            .unwrap_err();
        assert!(
            shed.is::<tower::load_shed::error::Overloaded>(),
            "{name}: {shed}"
        );
        go.notify_one();
        assert_eq!(first.await.unwrap(), 200, "{name}");
        let after = ready(&mut second).await.call(request("3"));
        go.notify_one();
        assert_eq!(after.await.unwrap(), 200, "{name}");
    }
}

// Abandoned requests.

/// Limits for exactly one body of four bytes.
fn one_body() -> BodyLimits {
    BodyLimits::default()
        .with_total_bytes(4)
        .with_caller_bytes(4)
}

/// A body that yields some bytes and then waits forever.
fn stuck(bytes: &'static str) -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(
        bytes.as_bytes(),
    )))]);
    Body::new(StreamBody::new(futures::StreamExt::chain(
        first,
        stream::pending(),
    )))
}

#[tokio::test]
async fn a_request_that_is_dropped_leaves_nothing_behind() {
    let store = MemoryReplayStore::new();
    let (inner, shared) = Strict::new();
    let service = layer()
        .with_body_limits(one_body())
        .with_replay_store(store.clone())
        .layer(inner);
    let signed = signed::at(NOW, &billing(), signed::post("/", "body"));
    for (name, given) in [
        ("before the body", ""),
        ("in the body", "bod"),
        ("at its last byte", "body"),
    ] {
        let mut service = service.clone();
        let half = signed.clone().map(|_| stuck(given));
        let mut future = Box::pin(ready(&mut service).await.call(half));
        assert!(
            future.as_mut().now_or_never().is_none(),
            "{name}: it waits for the body"
        );
        assert_eq!(shared.reserved.load(Ordering::SeqCst), 1, "{name}");
        drop(future);
        assert_eq!(
            shared.reserved.load(Ordering::SeqCst),
            0,
            "{name}: the permit is given back"
        );
        assert!(store.is_empty(), "{name}: no claim was made");
    }
    assert_eq!(shared.handled.load(Ordering::SeqCst), 0);
    // This body fits only if all memory was released, and the nonce is still unused.
    let whole = signed.map(Body::from);
    assert_eq!(service.oneshot(whole).await.unwrap().status(), 200);
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn a_timeout_outside_drops_a_slow_request_and_leaves_nothing_behind() {
    let store = MemoryReplayStore::new();
    let (inner, shared) = Strict::new();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_millis(30)))
        .layer(
            layer()
                .with_body_limits(one_body())
                .with_replay_store(store.clone()),
        )
        .map_err(BoxError::from)
        .service(inner);
    let signed = signed::at(NOW, &billing(), signed::post("/", "body"));
    let slow = signed.clone().map(|_| stuck("bod"));
    let error = service.clone().oneshot(slow).await.unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    assert_eq!(shared.reserved.load(Ordering::SeqCst), 0);
    assert!(store.is_empty());
    assert_eq!(
        service
            .oneshot(signed.map(Body::from))
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn a_slow_body_gives_everything_back_at_its_deadline() {
    let store = MemoryReplayStore::new();
    let (inner, shared) = Strict::new();
    let limits = one_body().with_deadline(Duration::from_millis(30));
    let service = layer()
        .with_body_limits(limits)
        .with_replay_store(store.clone())
        .layer(inner);
    let signed = signed::at(NOW, &billing(), signed::post("/", "body"));
    for given in ["bod", "bodx"] {
        let slow = signed.clone().map(|_| stuck(given));
        let response = service.clone().oneshot(slow).await.unwrap();
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        assert_eq!(shared.reserved.load(Ordering::SeqCst), 0);
    }
    let wrong = signed.clone().map(|_| Body::from("xxxx"));
    assert_eq!(service.clone().oneshot(wrong).await.unwrap().status(), 401);
    assert!(store.is_empty());
    assert_eq!(
        service
            .oneshot(signed.map(Body::from))
            .await
            .unwrap()
            .status(),
        200
    );
}

/// As documented in "Where to put the layer".
#[tokio::test]
async fn a_slow_body_holds_a_permit_that_poll_ready_took_and_none_of_the_handlers_own() {
    let handled = Arc::new(AtomicUsize::new(0));
    let one = ConcurrencyLimitLayer::new(1);
    let limits = BodyLimits::default().with_deadline(Duration::from_millis(200));
    let verify = layer().with_body_limits(limits);

    let inside = verify.clone().layer(one.clone().layer(handler(&handled)));
    let own = Router::new()
        .route("/", post(async |body: Bytes| body).layer(one))
        .layer(verify);
    let slow = || signed::at(NOW, &billing(), signed::post("/", "body")).map(|_| stuck("bod"));
    let quick = Duration::from_millis(100);

    let mut first = Box::pin(inside.clone().oneshot(slow()));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = Box::pin(inside.oneshot(request("body")));
    assert!(
        timeout(quick, second.as_mut()).await.is_err(),
        "it waits for the permit"
    );
    assert_eq!(first.await.unwrap().status(), 408);
    assert_eq!(
        second.await.unwrap().status(),
        200,
        "the deadline releases the permit"
    );

    let mut first = Box::pin(own.clone().oneshot(slow()));
    assert!(first.as_mut().now_or_never().is_none());
    let second = timeout(quick, own.oneshot(request("body"))).await;
    assert_eq!(second.expect("nothing to wait for").unwrap().status(), 200);
    assert_eq!(first.await.unwrap().status(), 408);
}

/// A refused peer must not keep the permit of `poll_ready` while its body is drained.
#[tokio::test(start_paused = true)]
async fn a_refused_body_that_is_drained_holds_no_permit() {
    let handled = Arc::new(AtomicUsize::new(0));
    let one = ConcurrencyLimitLayer::new(1);
    let service = layer().layer(one.layer(handler(&handled)));
    let stranger = signed::post("/", "body").map(|_| stuck("bod"));

    let mut first = Box::pin(service.clone().oneshot(stranger));
    assert!(first.as_mut().now_or_never().is_none(), "it is drained");
    // The clock is paused: draining alone takes one second of it.
    let second = timeout(Duration::from_millis(100), service.oneshot(request("body"))).await;
    let second = second.expect("the permit is free");
    assert_eq!(second.unwrap().status(), 200);
    assert_eq!(first.await.unwrap().status(), 401);
}

/// A key store that never answers.
#[derive(Clone)]
struct Stuck(Arc<AtomicUsize>);

impl KeyStore for Stuck {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_while_a_store_is_asked_leaves_nothing_behind() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (inner, shared) = Strict::new();
    let mut service = VerifyLayer::new(Stuck(Arc::clone(&asked)))
        .with_clock(|| NOW)
        .layer(inner);
    let mut future = Box::pin(ready(&mut service).await.call(request("body")));
    assert!(future.as_mut().now_or_never().is_none());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    drop(future);
    assert_eq!(shared.reserved.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_counts_until_the_handler_lets_go_of_it() {
    let kept: Arc<Mutex<Vec<RequestBody>>> = Arc::default();
    let keeping = service_fn({
        let kept = Arc::clone(&kept);
        move |request: Request<RequestBody>| {
            kept.lock().unwrap().push(request.into_body());
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
        }
    });
    let service = layer().with_body_limits(one_body()).layer(keeping);
    let send = async |body| {
        service
            .clone()
            .oneshot(request(body))
            .await
            .unwrap()
            .status()
    };
    assert_eq!(send("body").await, 200);
    assert_eq!(send("b").await, 503, "the first body is still there");
    assert_eq!(send("").await, 200, "no body needs no memory");
    kept.lock().unwrap().clear();
    assert_eq!(send("body").await, 200, "the memory was released");
}

/// Over a socket. The peer closes the connection in the middle of its body.
#[tokio::test]
async fn a_peer_that_goes_away_leaves_nothing_behind() {
    let store = MemoryReplayStore::new();
    let handled = Arc::new(AtomicUsize::new(0));
    let app = Router::new()
        .route(
            "/",
            post({
                let handled = Arc::clone(&handled);
                move |_: Bytes| {
                    handled.fetch_add(1, Ordering::SeqCst);
                    async { "handled" }
                }
            }),
        )
        .layer(
            layer()
                .with_body_limits(one_body())
                .with_replay_store(store.clone()),
        );
    let server = Server::axum(app).await;
    let signed = signed::at(NOW, &billing(), signed::post("/", "body"));

    let head = signed::head(&signed.clone().into_parts().0);
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let half = format!("{head}content-length: 4\r\nexpect: 100-continue\r\n\r\n");
    stream.write_all(half.as_bytes()).await.unwrap();
    // `100 Continue` shows that the body is being read.
    let mut leave = [0; 25];
    stream.read_exact(&mut leave).await.unwrap();
    stream.write_all(b"bod").await.unwrap();
    drop(stream);

    let http2 = client::http2(server.addr());
    let half = signed.clone().map(|_| stuck("bod"));
    let sent = timeout(Duration::from_millis(50), http2.request(half)).await;
    assert!(sent.is_err(), "a body without an end is not answered");

    let again = || client::http1(server.addr()).request(signed.clone().map(Full::new));
    let accepted = async {
        // Until the server notices that the peers have closed, their bodies hold the budget.
        while again().await.unwrap().status() == 503 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), accepted)
        .await
        .expect("the budget comes back");
    assert_eq!(
        handled.load(Ordering::SeqCst),
        1,
        "the nonce was still unused"
    );
    assert_eq!(store.len(), 1);
    assert_eq!(again().await.unwrap().status(), 401, "and is now used");
}

// Bounds.

/// No body.
struct Nothing;

#[test]
fn layers_services_and_futures_can_be_sent_and_shared() {
    fn handle<T: Send + Sync + Clone + fmt::Debug + Unpin + 'static>() {}
    fn future<T: Send + fmt::Debug + Unpin + 'static>() {}
    fn body<T: Send + Sync + fmt::Debug + Unpin + 'static>() {}
    fn default<T: Default>() {}
    fn clock(_: impl Clock) {}
    fn store(_: impl ReplayStore + Clone) {}
    type Inner = axum::routing::Route;

    handle::<VerifyLayer<Keyring>>();
    handle::<VerifyLayer<ArcKeyStore, ArcReplayStore>>();
    handle::<Verify<Inner, Keyring, MemoryReplayStore>>();
    handle::<Verify<Inner, ArcKeyStore, ArcReplayStore>>();
    handle::<SignLayer>();
    handle::<Sign<Inner>>();
    handle::<ReqwestService>();
    handle::<SignMiddleware>();
    handle::<VerifiedCaller>();
    handle::<Refusal>();
    handle::<BodyLimits>();
    handle::<UncoveredHeaders>();
    handle::<SystemClock>();
    handle::<Signer>();

    future::<VerifyFuture<Response<ResponseBody<Body>>, Infallible>>();
    future::<SignFuture<Response<Body>>>();

    body::<RequestBody>();
    body::<ResponseBody<Full<Bytes>>>();
    body::<SignedBody<Full<Bytes>>>();

    // `Default` needs nothing from the inner body.
    default::<ResponseBody<Nothing>>();
    default::<RequestBody>();

    clock(|| NOW);
    clock(SystemClock::default());
    store(MemoryReplayStore::new());
    store(ArcReplayStore::new(MemoryReplayStore::new()));
}

/// A body that is neither `Sync` nor `Unpin`, with data in two parts.
struct Awkward {
    frames: Cell<u8>,
    _pinned: PhantomPinned,
}

impl http_body::Body for Awkward {
    type Data = bytes::buf::Chain<Bytes, Bytes>;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        let left = self.frames.get();
        self.frames.set(left.saturating_sub(1));
        let parts = || bytes::Buf::chain(Bytes::from_static(b"bo"), Bytes::from_static(b"dy"));
        Poll::Ready((left > 0).then(|| Ok(Frame::data(parts()))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.get() == 0
    }
}

#[tokio::test]
async fn any_body_can_be_verified_and_signed() {
    let awkward = |frames| Awkward {
        frames: Cell::new(frames),
        _pinned: PhantomPinned,
    };
    let handled = Arc::new(AtomicUsize::new(0));
    let app = layer().layer(handler(&handled));
    for (frames, body) in [(0, ""), (1, "body"), (2, "bodybody")] {
        let request = signed::at(NOW, &billing(), signed::post("/", body));
        let response = app
            .clone()
            .oneshot(request.map(|_| awkward(frames)))
            .await
            .unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            body
        );

        let client = SignLayer::new(billing())
            .with_clock(|| NOW)
            .layer(app.clone());
        let request = Request::post(format!("http://{AUTHORITY}/"));
        let response = client
            .oneshot(request.body(awkward(frames)).unwrap())
            .await
            .unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            body
        );
    }
}
