//! `SignLayer` over hyper-util's client and reqwest, and `SignMiddleware`. The sent request is the
//! signed one, the signer is bound to its authorities, and an unsigned request is not sent.

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
    collections::HashSet,
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::{OriginalUri, Request as AxumRequest},
    response::IntoResponse,
};
use bytes::Bytes;
use countersign::{Keyring, PayloadDigest, SignError, SignErrorKind, Timestamp, Verifier};
use futures::{
    future::{Ready, ready},
    stream,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tests::{
    bodies::Broken,
    client,
    keys::{NOW, SECRET, hmac_key, keyring},
    server::Server,
    signed::{AUTHORITY, billing},
};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt,
    retry::{Policy, RetryLayer},
    service_fn,
};
use tower_countersign::{
    ReqwestService, SignLayer, SignMiddleware, SignedBody, VerifiedCaller, VerifyLayer,
};

/// A body of any kind.
type Body = BoxBody<Bytes, BoxError>;

/// The SHA-256 of an empty body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The request as a handler received it.
#[derive(Clone, Debug)]
struct Seen {
    version: Version,
    target: String,
    host: Option<String>,
    nonce: String,
    date: Timestamp,
    hash: String,
    body: Bytes,
}

/// A service that verifies requests and records the accepted ones.
struct Callee {
    server: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Callee {
    async fn start() -> Self {
        Self::answering(|_| StatusCode::OK.into_response()).await
    }

    /// Answers each accepted request with its number.
    async fn answering(
        answer: impl Fn(usize) -> axum::response::Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let verifier = Verifier::builder()
            .expected_hosts([AUTHORITY])
            .build()
            .unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let handler = {
            let seen = Arc::clone(&seen);
            async move |caller: VerifiedCaller,
                        OriginalUri(uri): OriginalUri,
                        request: AxumRequest| {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let mut seen = seen.lock().unwrap();
                seen.push(Seen {
                    version: parts.version,
                    target: uri.path_and_query().unwrap().to_string(),
                    host: caller.covered("host").map(str::to_owned),
                    nonce: caller.nonce().unwrap().to_owned(),
                    date: caller.signed_at(),
                    hash: caller.covered("x-content-sha256").unwrap().to_owned(),
                    body,
                });
                answer(seen.len())
            }
        };
        let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
            .with_verifier(verifier)
            .with_clock(|| NOW);
        let server = Server::axum(Router::new().fallback(handler).layer(layer)).await;
        Self { server, seen }
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    fn only(&self, name: &str) -> Seen {
        let seen = self.take();
        assert_eq!(seen.len(), 1, "{name}: {seen:?}");
        seen[0].clone()
    }
}

fn sign_layer() -> SignLayer {
    SignLayer::new(billing()).with_clock(|| NOW)
}

/// A reqwest client that resolves the callee's name to its address and ignores the environment's
/// proxy.
fn reqwest(addr: SocketAddr) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .resolve(AUTHORITY, addr)
}

fn reqwest_service(addr: SocketAddr) -> ReqwestService {
    ReqwestService::from_builder(reqwest(addr)).unwrap()
}

fn with_middleware(addr: SocketAddr) -> ClientWithMiddleware {
    let client = reqwest(addr)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    ClientBuilder::new(client)
        .with(SignMiddleware::new(billing()).with_clock(|| NOW))
        .build()
}

fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    BoxBody::new(body.map_err(Into::into))
}

fn whole(body: impl Into<Bytes>) -> Body {
    boxed(Full::new(body.into()))
}

fn empty() -> Body {
    whole("")
}

/// A body of unknown length, in chunks of 1000 bytes.
fn streamed(body: &[u8]) -> Body {
    let chunks: Vec<_> = body
        .chunks(1000)
        .map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    boxed(StreamBody::new(stream::iter(chunks)))
}

fn url(target: &str) -> String {
    format!("http://{AUTHORITY}{target}")
}

#[tokio::test]
async fn requests_of_every_client_are_accepted() {
    let callee = Callee::start().await;
    let http1 = sign_layer().layer(client::http1(callee.addr()));
    let http2 = sign_layer().layer(client::http2(callee.addr()));
    let by_reqwest = sign_layer().layer(reqwest_service(callee.addr()));
    let middleware = with_middleware(callee.addr());
    let body = vec![b'x'; 100_000];
    for (method, target, sent, is_stream) in [
        ("GET", "/account/7", 0, false),
        ("GET", "/account/7?a=1&a=2&b=%2F", 0, false),
        ("GET", "/", 0, false),
        ("DELETE", "/account/7", 0, false),
        ("POST", "/account/7", 0, false),
        ("POST", "/account/7", 100_000, false),
        ("PUT", "/account/7", 100_000, true),
        ("PATCH", "/account/7", 1, true),
        ("POST", "/nothing-streamed", 0, true),
    ] {
        let sent = &body[..sent];
        let request = || {
            let body = if is_stream {
                streamed(sent)
            } else {
                whole(sent.to_vec())
            };
            Request::builder()
                .method(method)
                .uri(url(target))
                .header("content-type", "application/octet-stream")
                .body(body)
                .unwrap()
        };
        let through_middleware = async {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let body = if is_stream {
                reqwest::Body::wrap(streamed(sent))
            } else {
                reqwest::Body::from(sent.to_vec())
            };
            let request = middleware.request(method, url(target)).body(body);
            let request = request.header("content-type", "application/octet-stream");
            request.send().await.unwrap().status()
        };
        for (name, status) in [
            (
                "HTTP/1.1",
                http1.clone().oneshot(request()).await.unwrap().status(),
            ),
            (
                "HTTP/2",
                http2.clone().oneshot(request()).await.unwrap().status(),
            ),
            (
                "reqwest",
                by_reqwest
                    .clone()
                    .oneshot(request())
                    .await
                    .unwrap()
                    .status(),
            ),
            ("reqwest-middleware", through_middleware.await),
        ] {
            assert_eq!(status, 200, "{name}, {method} {target}");
        }
        let seen = callee.take();
        assert_eq!(seen.len(), 4, "{method} {target}");
        for seen in &seen {
            assert_eq!(seen.target, target, "{seen:?}");
            assert_eq!(seen.body, sent, "{method} {target}");
            assert_eq!(seen.host.as_deref(), Some(AUTHORITY));
            assert_eq!(seen.hash == EMPTY, sent.is_empty(), "{method} {target}");
        }
        let nonces: HashSet<_> = seen.iter().map(|seen| &seen.nonce).collect();
        assert_eq!(nonces.len(), 4, "a different nonce for each");
        assert_eq!(seen[1].version, Version::HTTP_2);
    }
}

#[tokio::test]
async fn the_authority_is_sent_in_the_form_that_is_signed() {
    let callee = Callee::start().await;
    for (name, url) in [
        ("plain", "http://user-service.internal/a"),
        ("the default port", "http://user-service.internal:80/a"),
        ("an empty port", "http://user-service.internal:/a"),
    ] {
        let host = HeaderValue::from_static(AUTHORITY);
        let port = HeaderValue::from_static("user-service.internal:80");
        for (host_name, host) in [
            ("no Host", None),
            ("Host", Some(host)),
            ("Host with a port", Some(port)),
        ] {
            if host_name == "Host with a port" && name != "the default port" {
                continue;
            }
            let request = || {
                let mut request = Request::get(url).body(empty()).unwrap();
                request
                    .headers_mut()
                    .extend(host.clone().map(|host| (http::header::HOST, host)));
                request
            };
            for (version, http) in [
                ("HTTP/1.1", client::http1(callee.addr())),
                ("HTTP/2", client::http2(callee.addr())),
            ] {
                let name = format!("{name}, {host_name}, {version}");
                let answer = sign_layer().layer(http).oneshot(request()).await;
                assert_eq!(answer.unwrap().status(), 200, "{name}");
                assert_eq!(
                    callee.only(&name).host.as_deref(),
                    Some(AUTHORITY),
                    "{name}"
                );
            }
        }
    }
    let by_reqwest = sign_layer().layer(reqwest_service(callee.addr()));
    let response = by_reqwest
        .oneshot(Request::get(url("/a")).body(empty()).unwrap())
        .await;
    assert_eq!(response.unwrap().status(), 200);
    let response = with_middleware(callee.addr())
        .get(url("/a?b#fragment"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let targets: Vec<_> = callee.take().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/a", "/a?b"]);

    // The same host in another case.
    let host = "User-Service.Internal";
    for (name, http) in [
        ("HTTP/1.1", client::http1(callee.addr())),
        ("HTTP/2", client::http2(callee.addr())),
    ] {
        let request = Request::get(url("/a"))
            .header("host", host)
            .body(empty())
            .unwrap();
        let response = sign_layer().layer(http).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "Host in another case, {name}");
    }
    let request = with_middleware(callee.addr())
        .get(url("/a"))
        .header("host", host);
    let response = request.send().await.unwrap();
    assert_eq!(
        response.status(),
        200,
        "Host in another case, reqwest-middleware"
    );
}

#[tokio::test]
async fn a_port_of_https_is_folded_by_its_own_default() {
    for (name, url, expected) in [
        (
            "the default",
            "https://user-service.internal:443/a",
            "https://user-service.internal/a",
        ),
        (
            "http's default",
            "http://user-service.internal:80/a",
            "http://user-service.internal/a",
        ),
    ] {
        let inner = Recorder::default();
        let request = Request::get(url).body(empty()).unwrap();
        sign_layer()
            .layer(inner.clone())
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(inner.sent()[0].0.to_string(), expected, "{name}");
    }
    for url in [
        "https://user-service.internal:80/a",
        "http://user-service.internal:443/a",
    ] {
        refused(
            url,
            Request::get(url).body(empty()).unwrap(),
            SignErrorKind::Authority,
        )
        .await;
    }
}

/// An inner service that records the received heads.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(http::Uri, HeaderMap)>>>);

impl Recorder {
    fn sent(&self) -> Vec<(http::Uri, HeaderMap)> {
        self.0.lock().unwrap().clone()
    }
}

impl<B> Service<Request<B>> for Recorder {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, _) = request.into_parts();
        self.0.lock().unwrap().push((parts.uri, parts.headers));
        ready(Ok(Response::new(())))
    }
}

/// Asserts that a request is an error of this kind, and that nothing is sent.
async fn refused(name: &str, request: Request<Body>, kind: SignErrorKind) -> SignError {
    refused_by(sign_layer(), name, request, kind).await
}

async fn refused_by(
    layer: SignLayer,
    name: &str,
    request: Request<Body>,
    kind: SignErrorKind,
) -> SignError {
    let inner = Recorder::default();
    let Err(error) = layer.layer(inner.clone()).oneshot(request).await else {
        panic!("{name}: it was signed");
    };
    let error = error
        .downcast::<SignError>()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(error.kind(), kind, "{name}: {error}");
    assert!(inner.sent().is_empty(), "{name}: it was sent");
    *error
}

#[tokio::test]
async fn a_signer_signs_for_the_authorities_it_is_bound_to() {
    for (name, url) in [
        ("another host", "http://elsewhere/"),
        ("another port", "http://user-service.internal:8080/"),
        (
            "a name that begins alike",
            "http://user-service.internal.example/",
        ),
        (
            "a name that ends alike",
            "http://evil-user-service.internal/",
        ),
        ("user information", "http://user@user-service.internal/"),
        ("a password", "http://user:pass@user-service.internal/"),
        (
            "the name as user information",
            "http://user-service.internal@elsewhere/",
        ),
        (
            "the name as a password",
            "http://user-service.internal:80@elsewhere/",
        ),
        ("no authority", "/account/7"),
    ] {
        let request = Request::get(url).body(empty()).unwrap();
        refused(name, request, SignErrorKind::Authority).await;
    }
    for (name, url, hosts) in [
        ("another Host", url("/"), &["elsewhere"][..]),
        (
            "another port in Host",
            url("/"),
            &["user-service.internal:8080"],
        ),
        ("an empty Host", url("/"), &[""]),
        ("two Hosts", url("/"), &[AUTHORITY, "elsewhere"]),
        (
            "two Hosts, the other way",
            url("/"),
            &["elsewhere", AUTHORITY],
        ),
        (
            "the same Host twice",
            "/".to_owned(),
            &[AUTHORITY, AUTHORITY],
        ),
        (
            "a foreign Host and no authority",
            "/".to_owned(),
            &["elsewhere"],
        ),
    ] {
        let mut request = Request::get(url).body(empty()).unwrap();
        for host in hosts {
            let value = HeaderValue::from_static(host);
            request.headers_mut().append("host", value);
        }
        refused(name, request, SignErrorKind::Authority).await;
    }
    // The middleware refuses it too, before anything is sent.
    let callee = Callee::start().await;
    let middleware = with_middleware(callee.addr());
    for (name, request, kind) in [
        (
            "another host",
            middleware.get("http://elsewhere/"),
            SignErrorKind::Authority,
        ),
        (
            "another Host",
            middleware.get(url("/")).header("host", "elsewhere"),
            SignErrorKind::Authority,
        ),
        // reqwest turns this into an Authorization header.
        (
            "a password",
            middleware.get("http://user:pass@user-service.internal/"),
            SignErrorKind::AlreadySigned,
        ),
        (
            "an Authorization",
            middleware.get(url("/")).bearer_auth("token"),
            SignErrorKind::AlreadySigned,
        ),
    ] {
        let error = request.send().await.unwrap_err();
        let reqwest_middleware::Error::Middleware(error) = error else {
            panic!("{name}: {error}");
        };
        let error = error
            .downcast::<SignError>()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(error.kind(), kind, "{name}: {error}");
    }
    assert!(callee.take().is_empty());
}

#[tokio::test]
async fn a_request_with_credentials_is_not_signed() {
    for name in ["authorization", "x-date", "x-content-sha256", "x-nonce"] {
        let request = Request::get(url("/"))
            .header(name, "Bearer token")
            .body(empty());
        refused(name, request.unwrap(), SignErrorKind::AlreadySigned).await;
    }
    // A request is not signed twice.
    let inner = Recorder::default();
    let twice = sign_layer().layer(sign_layer().layer(inner.clone()));
    let request = Request::get(url("/")).body(empty()).unwrap();
    let error = twice.oneshot(request).await.unwrap_err();
    assert!(error.is::<SignError>());
    assert!(inner.sent().is_empty());
}

#[tokio::test]
async fn a_request_that_cannot_be_signed_is_not_sent() {
    let with = |edit: &dyn Fn(&mut Request<Body>)| {
        let mut request = Request::get(url("/")).body(empty()).unwrap();
        edit(&mut request);
        request
    };
    for (name, request, kind) in [
        (
            "a method in lower case",
            with(&|request| *request.method_mut() = "get".parse().unwrap()),
            SignErrorKind::Method,
        ),
        (
            "CONNECT",
            with(&|request| *request.method_mut() = http::Method::CONNECT),
            SignErrorKind::Method,
        ),
        (
            "another URL scheme",
            with(&|request| *request.uri_mut() = "ftp://user-service.internal/".parse().unwrap()),
            SignErrorKind::Target,
        ),
        (
            "two content types",
            with(&|request| {
                for value in ["text/plain", "text/html"] {
                    request
                        .headers_mut()
                        .append("content-type", HeaderValue::from_static(value));
                }
            }),
            SignErrorKind::Header,
        ),
        (
            "a content type beyond ASCII",
            with(&|request| {
                let value = HeaderValue::from_bytes(b"text/pl\xe4in").unwrap();
                request.headers_mut().insert("content-type", value);
            }),
            SignErrorKind::Header,
        ),
    ] {
        refused(name, request, kind).await;
    }
    let covering = billing()
        .with_covered_header(HeaderName::from_static("x-tenant"))
        .unwrap();
    let layer = SignLayer::new(covering).with_clock(|| NOW);
    refused_by(
        layer,
        "a covered header that is absent",
        with(&|_| {}),
        SignErrorKind::Header,
    )
    .await;
    let ancient = sign_layer().with_clock(|| Timestamp::from_unix_seconds(i64::MAX));
    refused_by(
        ancient,
        "a date past the year 9999",
        with(&|_| {}),
        SignErrorKind::Date,
    )
    .await;
}

// Bodies.

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_and_not_sent() {
    let layer = || sign_layer().with_buffer_bytes(1000);
    let post = |body: Body| Request::post(url("/")).body(body).unwrap();
    for (name, body) in [
        ("of a known length", whole(vec![b'x'; 1001])),
        ("of an unknown length", streamed(&[b'x'; 1001])),
        ("far over it", streamed(&vec![b'x'; 1_000_000])),
        ("broken off", boxed(Broken::default())),
        ("with trailers", with_trailers(b"body")),
        ("of trailers alone", with_trailers(b"")),
    ] {
        refused_by(layer(), name, post(body), SignErrorKind::Body).await;
    }
    for (name, body) in [
        ("nothing", empty()),
        ("at the limit", whole(vec![b'x'; 1000])),
        ("at the limit, unknown", streamed(&[b'x'; 1000])),
    ] {
        let inner = Recorder::default();
        layer()
            .layer(inner.clone())
            .oneshot(post(body))
            .await
            .unwrap();
        assert_eq!(inner.sent().len(), 1, "{name}");
    }

    let callee = Callee::start().await;
    let client = reqwest(callee.addr()).build().unwrap();
    let small = SignMiddleware::new(billing())
        .with_clock(|| NOW)
        .with_buffer_bytes(1000);
    let middleware = ClientBuilder::new(client).with(small).build();
    for (name, body) in [
        ("of an unknown length", streamed(&[b'x'; 1001])),
        ("broken off", boxed(Broken::default())),
        ("with trailers", with_trailers(b"body")),
    ] {
        let sent = middleware
            .post(url("/"))
            .body(reqwest::Body::wrap(body))
            .send()
            .await;
        let Err(reqwest_middleware::Error::Middleware(error)) = sent else {
            panic!("{name}: {sent:?}");
        };
        let kind = error.downcast_ref::<SignError>().map(SignError::kind);
        assert_eq!(kind, Some(SignErrorKind::Body), "{name}: {error}");
    }
    assert!(callee.take().is_empty(), "nothing was sent");
}

fn with_trailers(body: &'static [u8]) -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-role", HeaderValue::from_static("admin"));
    let mut frames = vec![Ok::<_, Infallible>(Frame::data(Bytes::from_static(body)))];
    frames.push(Ok(Frame::trailers(trailers)));
    boxed(StreamBody::new(stream::iter(frames)))
}

/// Source: design, layers: a body of unknown length is never silently signed as empty.
#[tokio::test]
async fn a_body_of_unknown_length_is_never_signed_as_empty() {
    let callee = Callee::start().await;
    // A channel that is still empty at the time of signing.
    let (sender, body) = http_body_util::channel::Channel::<Bytes, io::Error>::new(1);
    let filling = tokio::spawn(async move {
        let mut sender = sender;
        for chunk in ["late ", "but ", "there"] {
            tokio::time::sleep(Duration::from_millis(5)).await;
            sender.send_data(Bytes::from(chunk)).await.unwrap();
        }
    });
    let client = sign_layer().layer(client::http1(callee.addr()));
    let request = Request::post(url("/")).body(body).unwrap();
    assert_eq!(client.oneshot(request).await.unwrap().status(), 200);
    filling.await.unwrap();
    let seen = callee.only("a channel");
    assert_eq!(seen.body, "late but there");
    assert_ne!(seen.hash, EMPTY);

    let by_reqwest = sign_layer().layer(reqwest_service(callee.addr()));
    let request = Request::post(url("/")).body(streamed(b"streamed")).unwrap();
    assert_eq!(by_reqwest.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(callee.only("reqwest").body, "streamed");

    let body = reqwest::Body::wrap(streamed(b"streamed"));
    let sent = with_middleware(callee.addr())
        .post(url("/"))
        .body(body)
        .send()
        .await;
    assert_eq!(sent.unwrap().status(), 200);
    assert_eq!(callee.only("reqwest-middleware").body, "streamed");
}

#[tokio::test]
async fn a_body_whose_digest_is_supplied_is_streamed() {
    /// A body that counts its polls.
    struct Counted(Arc<AtomicUsize>, Body);
    impl http_body::Body for Counted {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Pin::new(&mut self.1).poll_frame(cx)
        }
    }
    let callee = Callee::start().await;
    let large = vec![b'x'; 1_000_000];
    let polls = Arc::new(AtomicUsize::new(0));
    let request = |digest: PayloadDigest| {
        let counted = Counted(Arc::clone(&polls), streamed(&large));
        let mut request = Request::post(url("/")).body(boxed(counted)).unwrap();
        request.extensions_mut().insert(digest);
        request
    };
    let right = PayloadDigest::of(&large);
    let layer = || sign_layer().with_buffer_bytes(10);

    let inner = Recorder::default();
    layer()
        .layer(inner.clone())
        .oneshot(request(right))
        .await
        .unwrap();
    assert_eq!(
        polls.load(Ordering::SeqCst),
        0,
        "it was not read to be signed"
    );
    assert_ne!(inner.sent()[0].1["x-content-sha256"], EMPTY);

    for (name, http) in [
        ("HTTP/1.1", client::http1(callee.addr())),
        ("HTTP/2", client::http2(callee.addr())),
    ] {
        let response = layer()
            .layer(http.clone())
            .oneshot(request(right))
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(callee.only(name).body, large, "{name}");

        for wrong in [PayloadDigest::of(b""), PayloadDigest::of(b"another body")] {
            let response = layer()
                .layer(http.clone())
                .oneshot(request(wrong))
                .await
                .unwrap();
            assert_eq!(response.status(), 401, "{name}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "{\"error\":\"body_mismatch\"}", "{name}");
            assert!(callee.take().is_empty(), "{name}");
        }
    }
    let by_reqwest = layer().layer(reqwest_service(callee.addr()));
    assert_eq!(
        by_reqwest.oneshot(request(right)).await.unwrap().status(),
        200
    );
    assert_eq!(callee.only("reqwest").body, large);
}

// Retries.

/// Tries three times while the answer is 503.
#[derive(Clone)]
struct Thrice(usize);

impl<R> Policy<Request<Full<Bytes>>, Response<R>, BoxError> for Thrice {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _request: &mut Request<Full<Bytes>>,
        result: &mut Result<Response<R>, BoxError>,
    ) -> Option<Ready<()>> {
        let again = matches!(result, Ok(response) if response.status() == 503) && self.0 < 2;
        self.0 += 1;
        again.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
        Some(request.clone())
    }
}

/// A clock that advances by a second at each read.
fn ticking() -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let seconds = AtomicI64::new(NOW.as_unix_seconds());
    move || Timestamp::from_unix_seconds(seconds.fetch_add(1, Ordering::SeqCst))
}

fn failing_twice() -> impl Fn(usize) -> axum::response::Response + Clone + Send + Sync + 'static {
    |number| {
        let status = if number < 3 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::OK
        };
        status.into_response()
    }
}

fn assert_signed_again(attempts: &[Seen]) {
    assert_eq!(attempts.len(), 3);
    let nonces: HashSet<_> = attempts.iter().map(|seen| &seen.nonce).collect();
    assert_eq!(nonces.len(), 3, "a nonce for each attempt");
    let dates: HashSet<_> = attempts.iter().map(|seen| seen.date).collect();
    assert_eq!(dates.len(), 3, "a date for each attempt");
    for seen in attempts {
        assert_eq!(seen.body, "again and again");
    }
}

#[tokio::test]
async fn every_attempt_of_a_retry_is_signed_again() {
    let request = || {
        Request::post(url("/"))
            .body(Full::new(Bytes::from("again and again")))
            .unwrap()
    };
    let layer = || SignLayer::new(billing()).with_clock(ticking());
    for http2 in [false, true] {
        let callee = Callee::answering(failing_twice()).await;
        let http = if http2 {
            client::http2(callee.addr())
        } else {
            client::http1(callee.addr())
        };
        let client = ServiceBuilder::new()
            .layer(RetryLayer::new(Thrice(0)))
            .layer(layer())
            .service(http);
        let response = client.oneshot(request()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_signed_again(&callee.take());
    }

    let callee = Callee::answering(failing_twice()).await;
    let client = reqwest(callee.addr()).build().unwrap();
    let client = ClientBuilder::new(client)
        .with(RetryMiddleware)
        .with(SignMiddleware::new(billing()).with_clock(ticking()))
        .build();
    let response = client
        .post(url("/"))
        .body("again and again")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_signed_again(&callee.take());
}

/// Tries three times while the answer is 503.
struct RetryMiddleware;

#[tonic::async_trait]
impl Middleware for RetryMiddleware {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        for _ in 0..2 {
            let attempt = request.try_clone().expect("a body in memory");
            let response = next.clone().run(attempt, extensions).await?;
            if response.status() != 503 {
                return Ok(response);
            }
        }
        next.run(request, extensions).await
    }
}

/// Below the signer, a retry sends one signature again, and the callee refuses it as a replay.
#[tokio::test]
async fn a_retry_under_the_signer_is_refused_as_a_replay() {
    let callee = Callee::answering(failing_twice()).await;
    let http = client::http1(callee.addr());
    let retrying = service_fn(move |request: Request<SignedBody<Full<Bytes>>>| {
        let http = http.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let attempt = || Request::from_parts(parts.clone(), Full::new(body.clone()));
            let first = http.request(attempt()).await?.status();
            let second = http.request(attempt()).await?.status();
            Ok::<_, BoxError>((first, second))
        }
    });
    let request = Request::post(url("/"))
        .body(Full::new(Bytes::from("once")))
        .unwrap();
    let answers = sign_layer().layer(retrying).oneshot(request).await.unwrap();
    assert_eq!(
        answers,
        (StatusCode::SERVICE_UNAVAILABLE, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(callee.take().len(), 1);
}

// Influence of a callee on its caller.

#[tokio::test]
async fn redirects_are_not_followed_and_the_signature_goes_to_no_other_host() {
    let reached: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let elsewhere = Server::axum(Router::new().fallback({
        let reached = Arc::clone(&reached);
        async move |headers: HeaderMap| {
            reached.lock().unwrap().push(headers);
            "elsewhere"
        }
    }))
    .await;
    for (status, to) in [
        (301, elsewhere.url("/")),
        (302, elsewhere.url("/")),
        (303, elsewhere.url("/")),
        (307, elsewhere.url("/")),
        (308, elsewhere.url("/")),
        (307, "/same-host".to_owned()),
        (200, elsewhere.url("/")),
    ] {
        let answer = {
            let to = to.clone();
            move |_| {
                let mut response = StatusCode::from_u16(status).unwrap().into_response();
                response
                    .headers_mut()
                    .insert("location", to.parse().unwrap());
                response
            }
        };
        let callee = Callee::answering(answer).await;
        let request = || Request::post(url("/")).body(whole("body")).unwrap();
        let following = reqwest(callee.addr()).redirect(reqwest::redirect::Policy::limited(10));
        let following = ReqwestService::from_builder(following).unwrap();
        for (name, service) in [
            ("with its defaults", reqwest_service(callee.addr())),
            ("built to follow", following),
        ] {
            let response = sign_layer()
                .layer(service)
                .oneshot(request())
                .await
                .unwrap();
            assert_eq!(response.status(), status, "{name} to {to}");
        }
        let response = sign_layer()
            .layer(client::http1(callee.addr()))
            .oneshot(request())
            .await;
        assert_eq!(response.unwrap().status(), status);
        let response = with_middleware(callee.addr())
            .post(url("/"))
            .body("body")
            .send()
            .await;
        assert_eq!(response.unwrap().status(), status);
        let following = reqwest(callee.addr()).redirect(reqwest::redirect::Policy::limited(10));
        let middleware = SignMiddleware::new(billing()).with_clock(|| NOW);
        let client = middleware.client(following).unwrap();
        let response = client.post(url("/")).body("body").send().await;
        assert_eq!(response.unwrap().status(), status);
        assert_eq!(callee.take().len(), 5, "each sent one request");
    }
    assert!(reached.lock().unwrap().is_empty(), "{reached:?}");
}

#[tokio::test]
async fn a_url_that_reqwest_would_change_is_not_sent() {
    let callee = Callee::start().await;
    let by_reqwest = sign_layer().layer(reqwest_service(callee.addr()));
    for target in ["/a/../b", "/a/%2e%2E/b", "/./a", "/a?b='"] {
        let request = Request::get(url(target)).body(empty()).unwrap();
        let error = by_reqwest.clone().oneshot(request).await.unwrap_err();
        let kind = error.downcast_ref::<SignError>().map(SignError::kind);
        assert_eq!(kind, Some(SignErrorKind::Target), "{target}: {error}");
    }
    assert!(callee.take().is_empty());
    // The middleware signs the request that reqwest has built.
    let response = with_middleware(callee.addr())
        .get(url("/a/../b?c='"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(callee.only("the middleware").target, "/b?c=%27");
}

/// Anyone on the path can write a response's `Date`. Trusting it would let them choose when a
/// signature is valid.
#[tokio::test]
async fn a_wrong_date_in_a_response_changes_nothing() {
    let dates = Arc::new(Mutex::new(Vec::new()));
    let lying = Server::axum(Router::new().fallback({
        let dates = Arc::clone(&dates);
        async move |headers: HeaderMap| {
            dates
                .lock()
                .unwrap()
                .push(headers["x-date"].to_str().unwrap().to_owned());
            let challenge = "HMAC-SHA256 realm=\"service\", error=\"stale\"";
            (
                StatusCode::UNAUTHORIZED,
                [
                    ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                    ("www-authenticate", challenge),
                ],
                "{\"error\":\"expired\"}",
            )
        }
    }))
    .await;
    let http1 = sign_layer().layer(client::http1(lying.addr()));
    let http2 = sign_layer().layer(client::http2(lying.addr()));
    let by_reqwest = sign_layer().layer(reqwest_service(lying.addr()));
    let middleware = with_middleware(lying.addr());
    for _ in 0..3 {
        let request = || Request::get(url("/")).body(empty()).unwrap();
        assert_eq!(
            http1.clone().oneshot(request()).await.unwrap().status(),
            401
        );
        assert_eq!(
            http2.clone().oneshot(request()).await.unwrap().status(),
            401
        );
        assert_eq!(
            by_reqwest
                .clone()
                .oneshot(request())
                .await
                .unwrap()
                .status(),
            401
        );
        assert_eq!(middleware.get(url("/")).send().await.unwrap().status(), 401);
    }
    assert_eq!(
        *dates.lock().unwrap(),
        ["Fri, 02 Jan 2026 03:04:05 GMT"; 12]
    );
}

/// Headers that a client adds below the signer do not replace the signature's headers.
#[tokio::test]
async fn default_headers_of_a_client_do_not_replace_the_signature() {
    let callee = Callee::start().await;
    let mut defaults = HeaderMap::new();
    for name in ["authorization", "x-date", "x-content-sha256", "x-nonce"] {
        defaults.insert(name, HeaderValue::from_static("Bearer of the client"));
    }
    let builder = || reqwest(callee.addr()).default_headers(defaults.clone());
    let service = ReqwestService::from_builder(builder()).unwrap();
    let request = Request::post(url("/")).body(whole("body")).unwrap();
    let response = sign_layer().layer(service).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let client = ClientBuilder::new(builder().build().unwrap())
        .with(SignMiddleware::new(billing()).with_clock(|| NOW))
        .build();
    let response = client.post(url("/")).body("body").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(callee.take().len(), 2);
}

#[tokio::test]
async fn a_header_covered_by_the_application_reaches_the_handler_unchanged() {
    let verifier = Verifier::builder()
        .require_headers([HeaderName::from_static("x-tenant")])
        .build()
        .unwrap();
    let app = Router::new()
        .fallback(async |caller: VerifiedCaller| {
            caller.covered("x-tenant").unwrap_or("none").to_owned()
        })
        .layer(
            VerifyLayer::<Keyring>::new(keyring("billing", &hmac_key(SECRET)))
                .with_verifier(verifier)
                .with_clock(|| NOW),
        );
    let server = Server::axum(app).await;
    let signer = billing()
        .with_covered_header(HeaderName::from_static("x-tenant"))
        .unwrap();
    let layer = SignLayer::new(signer).with_clock(|| NOW);
    let client = layer.layer(client::http2(server.addr()));
    let request = Request::get(url("/"))
        .header("x-tenant", "acme")
        .body(empty())
        .unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "acme"
    );
}
