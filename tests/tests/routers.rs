//! `VerifyLayer` in axum routers: nested, merged, and combined with other layers. The signed
//! request is the handled request, and a handler that takes a caller never runs without one.

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
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{FromRequestParts, OriginalUri, Path, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{IntoMakeService, any, get, post},
};
use bytes::Bytes;
use countersign::{Keyring, MemoryReplayStore};
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderValue, Request, StatusCode, Uri, request::Parts};
use http_body_util::{BodyExt, Full};
use tests::{
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key, keyring, signer},
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_countersign::{CallerRejection, Refusal, RequestBody, VerifiedCaller, VerifyLayer};
use tower_http::{
    compression::CompressionLayer,
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    normalize_path::NormalizePathLayer,
    timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
};

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

fn request(path: &str) -> Request<Body> {
    signed::at(NOW, &billing(), signed::get(path)).map(Body::from)
}

/// Returns status and body of an answer, or the code of a refusal.
async fn send(app: &Router, request: Request<Body>) -> (u16, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    text(response).await
}

async fn text(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let refusal = response.extensions().get::<Refusal>().cloned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (
        status,
        refusal.map_or(text, |refusal| refusal.code().to_owned()),
    )
}

fn handled(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn whoami(caller: VerifiedCaller, uri: Uri) -> String {
    format!("{} at {}", caller.id(), uri.path())
}

#[tokio::test]
async fn nested_routers_verify_the_whole_path() {
    let routes = || {
        Router::new()
            .route("/", get(whoami))
            .route("/account/{id}", get(whoami))
    };
    let leaf =
        || routes().fallback(async |caller: VerifiedCaller| format!("{} nowhere", caller.id()));
    let once = Router::new().nest("/api", leaf().layer(layer()));
    let twice = Router::new().nest("/api", Router::new().nest("/v1", leaf().layer(layer())));
    let thrice = Router::new().nest(
        "/a",
        Router::new().nest("/b", Router::new().nest("/c", leaf().layer(layer()))),
    );
    let parameter = Router::new().nest("/{tenant}/api", routes().layer(layer()));
    let outside = Router::new().nest("/api", leaf()).layer(layer());
    let between = Router::new().nest("/api", Router::new().nest("/v1", leaf()).layer(layer()));
    let service = Router::new().nest_service("/api", leaf().layer(layer()));
    let layered_service = Router::new().nest_service("/api", layer().layer(leaf()));
    for (name, app, path, expected) in [
        ("once", &once, "/api/account/7", "billing at /account/7"),
        (
            "once, a query",
            &once,
            "/api/account/7?a=1&a=2&b",
            "billing at /account/7",
        ),
        (
            "once, an empty query",
            &once,
            "/api/account/7?",
            "billing at /account/7",
        ),
        (
            "once, escapes",
            &once,
            "/api/account/%2e%2E%2F",
            "billing at /account/%2e%2E%2F",
        ),
        ("once, exactly the prefix", &once, "/api", "billing at /"),
        (
            "once, exactly the prefix and a query",
            &once,
            "/api?a=1",
            "billing at /",
        ),
        (
            "once, fallback",
            &once,
            "/api/else/where",
            "billing nowhere",
        ),
        (
            "once, the prefix again",
            &once,
            "/api/api/account/7",
            "billing nowhere",
        ),
        (
            "twice",
            &twice,
            "/api/v1/account/7?q",
            "billing at /account/7",
        ),
        (
            "twice, exactly the prefix",
            &twice,
            "/api/v1",
            "billing at /",
        ),
        (
            "thrice",
            &thrice,
            "/a/b/c/account/7",
            "billing at /account/7",
        ),
        (
            "three times, exactly the prefix",
            &thrice,
            "/a/b/c",
            "billing at /",
        ),
        (
            "a parameter",
            &parameter,
            "/acme/api/account/7",
            "billing at /account/7",
        ),
        (
            "a parameter, exactly the prefix",
            &parameter,
            "/acme/api",
            "billing at /",
        ),
        (
            "outside",
            &outside,
            "/api/account/7",
            "billing at /account/7",
        ),
        (
            "outside, exactly the prefix",
            &outside,
            "/api",
            "billing at /",
        ),
        (
            "between",
            &between,
            "/api/v1/account/7",
            "billing at /account/7",
        ),
        (
            "between, exactly the prefix",
            &between,
            "/api/v1",
            "billing at /",
        ),
        (
            "a service",
            &service,
            "/api/account/7",
            "billing at /account/7",
        ),
        (
            "a service, exactly the prefix",
            &service,
            "/api",
            "billing at /",
        ),
        (
            "a layered service",
            &layered_service,
            "/api/account/7",
            "billing at /account/7",
        ),
        (
            "a layered service, exactly the prefix",
            &layered_service,
            "/api",
            "billing at /",
        ),
    ] {
        assert_eq!(send(app, request(path)).await, handled(expected), "{name}");
        // Signed for the path that the nested router sees, as for a router that is not nested.
        let moved = with_uri(request("/account/7"), path);
        let expected = refused(401, "invalid_signature");
        assert_eq!(
            send(app, moved).await,
            expected,
            "{name}, the prefix was not signed"
        );
        let unsigned = signed::get(path).map(Body::from);
        let expected = refused(401, "missing_signature");
        assert_eq!(send(app, unsigned).await, expected, "{name}, unsigned");
    }
}

fn with_uri(mut request: Request<Body>, path: &str) -> Request<Body> {
    *request.uri_mut() = format!("http://{AUTHORITY}{path}").parse().unwrap();
    request
}

#[tokio::test]
async fn a_layer_covers_the_routes_that_were_there_before_it() {
    let open = || Router::new().route("/open", get(async || "open"));
    let covered = || Router::new().route("/account/{id}", get(whoami));
    let apps = [
        (
            "merged before",
            covered().merge(open()).layer(layer()),
            "missing_signature",
        ),
        (
            "merged after",
            covered().layer(layer()).merge(open()),
            "open",
        ),
        (
            "merged into",
            open().merge(covered().layer(layer())),
            "open",
        ),
        (
            "route_layer",
            covered()
                .route_layer(layer())
                .route("/open", get(async || "open")),
            "open",
        ),
        (
            "a method router's layer",
            Router::new()
                .route("/account/{id}", get(whoami).layer(layer()))
                .merge(open()),
            "open",
        ),
        (
            "a handler's layer",
            Router::new()
                .route(
                    "/account/{id}",
                    get(axum::handler::Handler::layer(whoami, layer())),
                )
                .merge(open()),
            "open",
        ),
        (
            "in a nest beside an open one",
            Router::new()
                .nest(
                    "/account",
                    Router::new().route("/{id}", get(whoami)).layer(layer()),
                )
                .nest("/open", Router::new().route("/", get(async || "open"))),
            "open",
        ),
        (
            "in a fallback service",
            open().fallback_service(covered().layer(layer())),
            "open",
        ),
    ];
    for (name, app, answered) in apps {
        let (status, body) = send(&app, request("/account/7")).await;
        assert_eq!(status, 200, "{name}: {body}");
        assert!(body.starts_with("billing at "), "{name}: {body}");
        let unsigned = signed::get("/account/7").map(Body::from);
        assert_eq!(
            send(&app, unsigned).await,
            refused(401, "missing_signature"),
            "{name}"
        );
        let (_, body) = send(&app, signed::get("/open").map(Body::from)).await;
        assert_eq!(body, answered, "{name}");
    }
}

#[tokio::test]
async fn a_layer_covers_fallbacks_and_a_route_layer_does_not() {
    let routes = || {
        Router::new()
            .route("/account/{id}", get(whoami))
            .fallback(async |caller: Option<VerifiedCaller>| {
                caller.map_or("nobody".to_owned(), |caller| caller.id().to_string())
            })
            .method_not_allowed_fallback(async || "not allowed")
    };
    let unsigned = |path| signed::get(path).map(Body::from);
    let layered = routes().layer(layer());
    assert_eq!(
        send(&layered, unsigned("/x")).await,
        refused(401, "missing_signature")
    );
    assert_eq!(send(&layered, request("/x")).await, handled("billing"));
    let post = signed::post("/account/7", "").map(Body::from);
    assert_eq!(
        send(&layered, post).await,
        refused(401, "missing_signature")
    );

    let routes_only = routes().route_layer(layer());
    assert_eq!(send(&routes_only, unsigned("/x")).await, handled("nobody"));
    let (status, _) = send(&routes_only, unsigned("/account/7")).await;
    assert_eq!(status, 401);
}

// The extractor.

/// Every extractor for a caller.
fn askers() -> Vec<(&'static str, Router)> {
    async fn first(caller: VerifiedCaller, _path: Path<u64>, _body: Bytes) -> String {
        caller.id().to_string()
    }
    async fn between(_path: Path<u64>, caller: VerifiedCaller, _body: Bytes) -> String {
        caller.id().to_string()
    }
    async fn last(_path: Path<u64>, caller: VerifiedCaller) -> String {
        caller.id().to_string()
    }
    async fn pair((caller, _path): (VerifiedCaller, Path<u64>)) -> String {
        caller.id().to_string()
    }
    async fn extension(Extension(caller): Extension<VerifiedCaller>) -> String {
        caller.id().to_string()
    }
    async fn question(
        caller: Result<VerifiedCaller, CallerRejection>,
    ) -> Result<String, CallerRejection> {
        Ok(caller?.id().to_string())
    }
    async fn own(Caller(name): Caller) -> String {
        name
    }
    async fn with_state(State(prefix): State<&'static str>, caller: VerifiedCaller) -> String {
        format!("{prefix}{}", caller.id())
    }
    async fn guard(
        caller: VerifiedCaller,
        request: axum::extract::Request,
        next: Next,
    ) -> Response {
        let name = caller.id().to_string();
        let (mut parts, _) = next.run(request).await.into_parts();
        parts.headers.remove("content-length");
        Response::from_parts(parts, Body::from(name))
    }
    let route = |method| Router::new().route("/{id}", method);
    vec![
        ("first", route(any(first))),
        ("between", route(any(between))),
        ("last", route(any(last))),
        ("in a pair", route(any(pair))),
        ("as an extension", route(any(extension))),
        ("with a question mark", route(any(question))),
        ("in a custom extractor", route(any(own))),
        (
            "with state",
            Router::new().route("/{id}", any(with_state)).with_state(""),
        ),
        (
            "in a middleware",
            route(any(async || "no")).layer(middleware::from_fn(guard)),
        ),
        (
            "as a guard",
            route(any(async || "billing")).layer(middleware::from_extractor::<VerifiedCaller>()),
        ),
        (
            "in a fallback",
            Router::new().fallback(async |caller: VerifiedCaller| caller.id().to_string()),
        ),
        (
            "in a nested router",
            Router::new().nest("/{id}", Router::new().route("/", any(own))),
        ),
    ]
}

/// An extractor that a service defines.
struct Caller(String);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let caller = VerifiedCaller::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self(caller.id().to_string()))
    }
}

#[tokio::test]
async fn whoever_asks_for_a_caller_gets_one_or_does_not_run() {
    for (name, routes) in askers() {
        let covered = routes.clone().layer(layer());
        assert_eq!(
            send(&covered, request("/7")).await,
            handled("billing"),
            "{name}"
        );
        let unsigned = signed::get("/7").map(Body::from);
        let expected = refused(401, "missing_signature");
        assert_eq!(send(&covered, unsigned).await, expected, "{name}, unsigned");

        let beside = Router::new().route("/beside", get(whoami)).layer(layer());
        let merged = if name == "in a fallback" {
            beside.fallback_service(routes.clone())
        } else {
            beside.merge(routes.clone())
        };
        for (where_, app) in [
            ("no layer at all", routes),
            ("merged after the layer", merged),
        ] {
            for (how, request) in [
                ("unsigned", signed::get("/7").map(Body::from)),
                ("signed", request("/7")),
            ] {
                let (status, body) = send(&app, request).await;
                assert_eq!(status, 500, "{name}, {where_}, {how}: {body}");
                assert!(!body.contains("billing"), "{name}, {where_}, {how}: {body}");
            }
        }
    }
}

#[tokio::test]
async fn an_optional_caller_is_nobody_only_where_no_layer_ran() {
    async fn maybe(caller: Option<VerifiedCaller>) -> String {
        caller.map_or("nobody".to_owned(), |caller| caller.id().to_string())
    }
    let routes = Router::new().route("/", get(maybe));
    let covered = routes.clone().layer(layer());
    assert_eq!(send(&covered, request("/")).await, handled("billing"));
    let unsigned = || signed::get("/").map(Body::from);
    assert_eq!(
        send(&covered, unsigned()).await,
        refused(401, "missing_signature")
    );
    assert_eq!(send(&routes, unsigned()).await, handled("nobody"));
    assert_eq!(send(&routes, request("/")).await, handled("nobody"));
}

#[tokio::test]
async fn nobody_elses_word_for_the_caller_gets_through() {
    let orders = keyring("orders", &hmac_key(OTHER_SECRET));
    let (seen, see) = captured();
    let theirs = Router::new()
        .route("/", get(see))
        .layer(VerifyLayer::new(orders).with_clock(|| NOW));
    let by_orders = signer("orders", hmac_key(OTHER_SECRET), AUTHORITY);
    let by_orders = signed::at(NOW, &by_orders, signed::get("/")).map(Body::from);
    assert_eq!(send(&theirs, by_orders).await.0, 200);
    let forged: VerifiedCaller = seen.lock().unwrap().take().unwrap();
    assert_eq!(forged.id(), &"orders");

    let ours = Router::new().route("/", get(whoami)).layer(layer());
    let mut unsigned = signed::get("/").map(Body::from);
    unsigned.extensions_mut().insert(forged.clone());
    assert_eq!(
        send(&ours, unsigned).await,
        refused(401, "missing_signature")
    );
    let mut signed = request("/");
    signed.extensions_mut().insert(forged);
    assert_eq!(send(&ours, signed).await, handled("billing at /"));
}

/// A handler that stores its caller for the test.
fn captured() -> (
    Arc<Mutex<Option<VerifiedCaller>>>,
    impl Fn(VerifiedCaller) -> std::future::Ready<()> + Clone + Send + Sync + 'static,
) {
    let seen = Arc::new(Mutex::new(None));
    let see = {
        let seen = Arc::clone(&seen);
        move |caller: VerifiedCaller| {
            *seen.lock().unwrap() = Some(caller);
            std::future::ready(())
        }
    };
    (seen, see)
}

// Rewritten URIs.

/// A service that changes the URI of every request.
fn rewritten<S>(
    inner: S,
    to: &'static str,
) -> impl Service<
    Request<Body>,
    Response = Response,
    Error = Infallible,
    Future = BoxFuture<'static, Result<Response, Infallible>>,
> + Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    service_fn(move |mut request: Request<Body>| {
        let inner = inner.clone();
        let mut uri = request.uri().clone().into_parts();
        uri.path_and_query = Some(to.parse().unwrap());
        *request.uri_mut() = Uri::from_parts(uri).unwrap();
        inner.oneshot(request).boxed()
    })
}

#[tokio::test]
async fn a_path_is_never_verified_and_another_one_handled() {
    let reached = Arc::new(AtomicUsize::new(0));
    let verified = {
        let reached = Arc::clone(&reached);
        Router::new()
            .fallback(move || {
                reached.fetch_add(1, Ordering::SeqCst);
                async { "handled" }
            })
            .layer(layer())
    };
    let fallback = |to| Router::new().fallback_service(rewritten(verified.clone(), to));
    let nest = |to| Router::new().nest_service("/api", rewritten(verified.clone(), to));
    let deep = |to| {
        let inner = Router::new().nest_service("/v1", rewritten(verified.clone(), to));
        Router::new().nest("/api", inner)
    };
    for (name, app, path) in [
        ("another path", fallback("/account/8"), "/account/7"),
        ("a prefix added", fallback("/v1/account/7"), "/account/7"),
        ("a slash added", fallback("/account/7/"), "/account/7"),
        ("a slash removed", fallback("/account/7"), "/account/7/"),
        ("case changed", fallback("/Account/7"), "/account/7"),
        (
            "an escape decoded",
            fallback("/account/a/b"),
            "/account/a%2Fb",
        ),
        ("a prefix stripped", fallback("/admin"), "/public/admin"),
        ("to the root", fallback("/"), "/account/7"),
        ("a query added", fallback("/account/7?admin"), "/account/7"),
        (
            "a query removed",
            fallback("/account/7"),
            "/account/7?limit=1",
        ),
        ("a query emptied", fallback("/account/7?"), "/account/7"),
        (
            "a query changed",
            fallback("/account/7?id=8"),
            "/account/7?id=7",
        ),
        (
            "a query reordered",
            fallback("/account/7?a=2&a=1"),
            "/account/7?a=1&a=2",
        ),
        ("nested, another path", nest("/account/8"), "/api/account/7"),
        (
            "nested, a query",
            nest("/account/7?admin"),
            "/api/account/7",
        ),
        (
            "nested, one more prefix stripped",
            nest("/admin"),
            "/api/public/admin",
        ),
        (
            "nested, to the root of a directory",
            nest("/"),
            "/api/public/",
        ),
        ("nested, to the root", nest("/"), "/api/account/7"),
        (
            "nested, to the root and a query",
            nest("/?a"),
            "/api/account/7",
        ),
        ("nested, the root to elsewhere", nest("/account"), "/api"),
        ("nested twice, to the root", deep("/"), "/api/v1/account/7"),
        (
            "nested twice, another path",
            deep("/account/8"),
            "/api/v1/account/7",
        ),
    ] {
        let answer = send(&app, request(path)).await;
        assert_eq!(answer, refused(500, "misconfigured"), "{name}");
        assert_eq!(reached.load(Ordering::SeqCst), 0, "{name}: handled");
    }
}

#[tokio::test]
async fn a_path_that_was_normalised_outside_is_not_the_signed_one() {
    let app = Router::new()
        .route("/account/{id}", get(whoami))
        .layer(layer());
    let normalised = NormalizePathLayer::trim_trailing_slash().layer(app);
    let send = async |path: &str| {
        let normalised = normalised.clone();
        text(normalised.oneshot(request(path)).await.unwrap()).await
    };
    assert_eq!(send("/account/7/").await, refused(401, "invalid_signature"));
    assert_eq!(send("/account/7").await, handled("billing at /account/7"));
}

#[tokio::test]
async fn a_path_that_is_normalised_inside_was_verified_as_it_came() {
    let inner = Router::new().route("/account/{id}", get(whoami));
    let normalised = NormalizePathLayer::trim_trailing_slash().layer(inner);
    let app = Router::new().fallback_service(layer().layer(normalised));
    assert_eq!(
        send(&app, request("/account/7/")).await,
        handled("billing at /account/7")
    );
}

// Other layers.

/// `hello hello hello hello`, compressed with gzip.
const GZIPPED_HELLOS: [u8; 28] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57,
    0xc8, 0x40, 0x27, 0x01, 0xe3, 0x51, 0x3d, 0x8d, 0x17, 0x00, 0x00, 0x00,
];

#[tokio::test]
async fn compression_outside_and_decompression_inside_work() {
    let app = Router::new()
        .route(
            "/",
            post(async |caller: VerifiedCaller, body: String| format!("{}: {body}", caller.id())),
        )
        .layer(RequestDecompressionLayer::new())
        .layer(layer())
        .layer(CompressionLayer::new());
    let mut gzipped = signed::post("/", GZIPPED_HELLOS.to_vec());
    let gzip = HeaderValue::from_static("gzip");
    gzipped
        .headers_mut()
        .insert("content-encoding", gzip.clone());
    let gzipped = signed::at(NOW, &billing(), gzipped);
    let expected = handled("billing: hello hello hello hello");
    assert_eq!(send(&app, gzipped.clone().map(Body::from)).await, expected);

    let mut accepting = signed::at(NOW, &billing(), signed::post("/", "hello ".repeat(100)));
    accepting.headers_mut().insert("accept-encoding", gzip);
    let response = app.oneshot(accepting.map(Body::from)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let length = response
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .len();
    assert!(length < 100, "{length} bytes");
}

#[tokio::test]
async fn decompression_outside_is_refused() {
    let app = Router::new()
        .route("/", post(async |body: String| body))
        .layer(layer())
        .layer(RequestDecompressionLayer::new());
    let mut gzipped = signed::post("/", GZIPPED_HELLOS.to_vec());
    gzipped
        .headers_mut()
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    let gzipped = signed::at(NOW, &billing(), gzipped).map(Body::from);
    assert_eq!(send(&app, gzipped).await.0, 401);
}

#[tokio::test]
async fn trace_timeout_and_limit_layers_compose_on_either_side() {
    let ten = Duration::from_secs(10);
    let timeout = || TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ten);
    let routes = || Router::new().route("/", any(whoami));
    let stack = |app: Router| {
        app.layer(timeout())
            .layer(RequestBodyTimeoutLayer::new(ten))
            .layer(ResponseBodyTimeoutLayer::new(ten))
            .layer(RequestBodyLimitLayer::new(1024))
            .layer(TraceLayer::new_for_http())
    };
    let outside = stack(routes().layer(layer()));
    let inside = stack(routes()).layer(layer());
    for (name, app) in [("outside", &outside), ("inside", &inside)] {
        assert_eq!(
            send(app, request("/")).await,
            handled("billing at /"),
            "{name}"
        );
        let unsigned = signed::get("/").map(Body::from);
        assert_eq!(
            send(app, unsigned).await,
            refused(401, "missing_signature"),
            "{name}"
        );
    }
    let large = signed::at(NOW, &billing(), signed::post("/", vec![b'x'; 2000])).map(Body::from);
    let streamed = large.map(|body| Body::from_stream(body.into_data_stream()));
    assert_eq!(send(&outside, streamed).await, refused(413, "too_large"));
}

/// The body of the response is `Default` for every inner body. Layers that create responses need
/// that.
#[tokio::test]
async fn a_timeout_outside_needs_nothing_of_the_inner_body() {
    struct Plain(Option<Bytes>);
    impl http_body::Body for Plain {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            std::task::Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
        }
    }
    let handler = |wait: bool| {
        service_fn(move |_: Request<RequestBody>| async move {
            if wait {
                std::future::pending::<()>().await;
            }
            Ok::<_, Infallible>(http::Response::new(Plain(Some(Bytes::from_static(
                b"plain",
            )))))
        })
    };
    let short = Duration::from_millis(20);
    let stack = |wait| {
        ServiceBuilder::new()
            .layer(TimeoutLayer::with_status_code(
                StatusCode::GATEWAY_TIMEOUT,
                short,
            ))
            .layer(layer())
            .service(handler(wait))
    };
    let request = || signed::at(NOW, &billing(), signed::get("/")).map(Full::new);
    let response = stack(false).oneshot(request()).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "plain"
    );
    let response = stack(true).oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
}

// Several layers on one request.

async fn protected(caller: VerifiedCaller) -> String {
    format!("{} {}", caller.id(), caller.replay_protected())
}

#[tokio::test]
async fn a_second_layer_with_the_same_store_takes_over_the_first_ones_claim() {
    let store = MemoryReplayStore::new();
    let shared = || layer().with_replay_store(store.clone());
    let other = || layer().with_replay_store(MemoryReplayStore::new());
    let routes = || Router::new().route("/", get(protected));
    let erased = countersign::ArcReplayStore::new(store.clone());
    for (name, app, entries) in [
        ("two", routes().layer(shared()).layer(shared()), 1),
        (
            "three",
            routes().layer(shared()).layer(shared()).layer(shared()),
            1,
        ),
        (
            "one of them erased",
            routes()
                .layer(shared())
                .layer(layer().with_replay_store(erased)),
            1,
        ),
        (
            "in a nest and outside",
            {
                Router::new()
                    .nest("/nest", routes().layer(shared()))
                    .layer(shared())
            },
            1,
        ),
        (
            "two audiences",
            routes()
                .layer(shared().with_audience("service"))
                .layer(shared().with_audience("gateway")),
            2,
        ),
        ("two stores", routes().layer(shared()).layer(other()), 1),
        (
            "another store between",
            routes().layer(shared()).layer(other()).layer(shared()),
            1,
        ),
        (
            "another audience between",
            routes()
                .layer(shared().with_audience("a"))
                .layer(shared().with_audience("b"))
                .layer(shared().with_audience("a")),
            2,
        ),
    ] {
        let before = store.len();
        let path = if name == "in a nest and outside" {
            "/nest"
        } else {
            "/"
        };
        let request = signed::at(NOW, &billing(), signed::get(path));
        let first = send(&app, request.clone().map(Body::from)).await;
        assert_eq!(first, handled("billing true"), "{name}");
        let again = send(&app, request.map(Body::from)).await;
        assert_eq!(again, refused(401, "replayed"), "{name}");
        assert_eq!(
            store.len() - before,
            entries,
            "{name}: entries in the store"
        );
    }
}

#[tokio::test]
async fn expected_hosts_name_the_audience_of_layers_in_a_chain() {
    let store = MemoryReplayStore::new();
    let gateway = layer()
        .with_replay_store(store.clone())
        .with_expected_hosts([AUTHORITY, "gateway.internal"])
        .unwrap();
    let service = layer()
        .with_replay_store(store.clone())
        .with_expected_hosts([AUTHORITY])
        .unwrap();
    let app = Router::new()
        .route("/", get(protected))
        .layer(service.clone())
        .layer(gateway);
    let request = signed::at(NOW, &billing(), signed::get("/"));
    assert_eq!(
        send(&app, request.clone().map(Body::from)).await,
        handled("billing true")
    );
    assert_eq!(store.len(), 2, "one entry for each audience");
    // Replicas with the same hosts share the claim, in any order and case of the hosts.
    for hosts in [
        [AUTHORITY, "gateway.internal"],
        ["Gateway.Internal", AUTHORITY],
    ] {
        let replica = layer()
            .with_replay_store(store.clone())
            .with_expected_hosts(hosts)
            .unwrap();
        let replica = Router::new().route("/", get(protected)).layer(replica);
        let copy = request.clone().map(Body::from);
        assert_eq!(
            send(&replica, copy).await,
            refused(401, "replayed"),
            "{hosts:?}"
        );
    }
}

#[tokio::test]
async fn layers_with_different_keys_in_a_chain_must_both_be_satisfied() {
    let orders = || VerifyLayer::new(keyring("orders", &hmac_key(OTHER_SECRET))).with_clock(|| NOW);
    let app = Router::new()
        .route("/", get(whoami))
        .layer(orders())
        .layer(layer());
    assert_eq!(
        send(&app, request("/")).await,
        refused(401, "invalid_signature")
    );
}

#[tokio::test]
async fn a_request_without_a_nonce_is_said_not_to_be_protected() {
    let key = countersign::CallerKey::new("1", hmac_key(SECRET).verifying_key())
        .unwrap()
        .insecure_three_headers();
    let keys = Keyring::builder().caller("billing", key).build().unwrap();
    let app = Router::new()
        .route("/", get(protected))
        .layer(VerifyLayer::new(keys).with_clock(|| NOW));
    let request = signed::at(NOW, &billing().insecure_three_headers(), signed::get("/"));
    for _ in 0..2 {
        let answer = send(&app, request.clone().map(Body::from)).await;
        assert_eq!(answer, handled("billing false"));
    }
}

#[tokio::test]
async fn the_original_uri_stays_for_the_handler() {
    let app = Router::new().nest(
        "/api",
        Router::new()
            .route(
                "/{id}",
                get(async |OriginalUri(uri): OriginalUri| uri.path().to_owned()),
            )
            .layer(layer()),
    );
    assert_eq!(send(&app, request("/api/7")).await, handled("/api/7"));
    // The layer wraps a whole router, as a service for axum.
    let whole = layer().layer(Router::new().route("/{id}", get(whoami)));
    let response = whole.clone().oneshot(request("/7")).await.unwrap();
    assert_eq!(response.status(), 200);
    let _: IntoMakeService<_> = axum::ServiceExt::<Request<Body>>::into_make_service(whole);
}
