//! Report-only mode: no request is refused or changed, no caller is trusted, and other routes stay
//! enforced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Extension, OriginalUri, Request as AxumRequest},
    routing::{any, post},
};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use countersign::{
    CallerKey, CallerKeys, ClaimOutcome, KeyStore, Keyring, MemoryReplayStore, ReplayClaim,
    ReplayStore, ReplayStoreId, Secret, Signer, SigningKey, StandardWebhooksVerifySettings,
    Timestamp, Unavailable, Verifier, VerifyingKey,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tests::{
    client,
    keys::{NOW, OTHER_SECRET, SECRET, django, hmac_key, keyring, signer},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tower::ServiceExt;
use tower_countersign::{
    BodyLimits, UncoveredHeaders, UnverifiedCaller, VerifiedCaller, VerifyLayer,
};

fn keys() -> Keyring {
    keyring("billing", &hmac_key(SECRET))
}

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keys())
        .with_expected_hosts([AUTHORITY])
        .unwrap()
}

/// Returns the handler's view in the headers of the answer. The body is the request's.
async fn echo(request: AxumRequest) -> (HeaderMap, Bytes) {
    let (parts, body) = request.into_parts();
    let mut seen = HeaderMap::new();
    let verified = parts.extensions.get::<VerifiedCaller>().is_some();
    seen.insert(
        "seen-verified",
        HeaderValue::from_static(if verified { "yes" } else { "no" }),
    );
    if let Some(caller) = parts.extensions.get::<UnverifiedCaller>() {
        let code = caller
            .would_refuse()
            .map_or("none", |refusal| refusal.code());
        seen.insert("seen-code", HeaderValue::from_static(code));
        let verdict = format!("{:?}", caller.verdict());
        let verdict: String = verdict.chars().take_while(|c| c.is_alphabetic()).collect();
        seen.insert("seen-verdict", verdict.parse().unwrap());
        if let Some(id) = caller.asserted_id() {
            seen.insert("seen-asserted", id.parse().unwrap());
        }
    }
    let collected = body.collect().await;
    let collected = match collected {
        Ok(collected) => collected,
        Err(error) => {
            seen.insert("seen-error", HeaderValue::from_static("yes"));
            drop(error);
            return (seen, Bytes::new());
        }
    };
    if let Some(trailers) = collected.trailers() {
        seen.insert("seen-trailer", trailers["x-trailer"].clone());
    }
    for name in ["x-http-method-override", "x-original-url", "x-uncovered"] {
        if let Some(value) = parts.headers.get(name) {
            seen.insert(
                format!("seen-{name}").parse::<http::HeaderName>().unwrap(),
                value.clone(),
            );
        }
    }
    (seen, collected.to_bytes())
}

fn app<K, R>(layer: VerifyLayer<K, R>) -> Router
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    Router::new().fallback(any(echo)).layer(layer)
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn seen(&self, what: &str) -> Option<&str> {
        let value = self.headers.get(format!("seen-{what}"))?;
        Some(value.to_str().unwrap())
    }
}

async fn send<B>(app: &Router, request: Request<B>) -> Answer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tower_countersign::BoxError>,
{
    let response = app.clone().oneshot(request.map(Body::new)).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn in_full(request: Request<Bytes>) -> Request<Full<Bytes>> {
    request.map(Full::new)
}

fn ago(seconds: u64) -> Timestamp {
    Timestamp::from(SystemTime::now()).saturating_sub(Duration::from_secs(seconds))
}

/// Every refusal passes, with the body unchanged, and uses up no nonce.
#[tokio::test]
async fn what_would_be_refused_is_handled_as_it_came() {
    let hello = || signed::post("/a", "hello");
    let good = || signed::now(&billing(), hello());
    let stranger = signer("stranger", hmac_key(OTHER_SECRET), AUTHORITY);
    let imposter = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let elsewhere = signer("billing", hmac_key(SECRET), "elsewhere");
    let with = |name: &'static str, value: &'static str, mut request: Request<Bytes>| {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        request
    };
    let for_elsewhere = Request::post("http://elsewhere/a")
        .body(Bytes::from("hello"))
        .unwrap();
    let mut other_body = good();
    *other_body.body_mut() = Bytes::from("HELLO");
    for (name, code, asserted, request) in [
        ("unsigned", "missing_signature", None, hello()),
        (
            "not a signature",
            "malformed",
            None,
            with("authorization", "HMAC-SHA256 nonsense", hello()),
        ),
        (
            "for another host",
            "misdirected",
            Some("billing"),
            signed::now(&elsewhere, for_elsewhere),
        ),
        (
            "no nonce",
            "insufficient_coverage",
            Some("billing"),
            signed::now(&billing().insecure_three_headers(), hello()),
        ),
        (
            "stale",
            "expired",
            Some("billing"),
            signed::at(ago(400), &billing(), hello()),
        ),
        (
            "unknown caller",
            "invalid_signature",
            Some("stranger"),
            signed::now(&stranger, hello()),
        ),
        (
            "wrong key",
            "invalid_signature",
            Some("billing"),
            signed::now(&imposter, hello()),
        ),
        ("another body", "body_mismatch", Some("billing"), other_body),
    ] {
        let base = layer();
        let (reporting, enforcing) = (app(base.clone().insecure_report_only()), app(base));
        let body = request.body().clone();
        let answer = send(&reporting, in_full(request.clone())).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.body, body, "{name}");
        assert_eq!(answer.seen("verified"), Some("no"), "{name}");
        assert_eq!(answer.seen("verdict"), Some("Refuse"), "{name}");
        assert_eq!(answer.seen("code"), Some(code), "{name}");
        assert_eq!(answer.seen("asserted"), asserted, "{name}");
        // The enforcing layer gives the same refusal.
        let refused = send(&enforcing, in_full(request)).await;
        assert_ne!(refused.status, StatusCode::OK, "{name}");
        let expected = format!("{{\"error\":\"{code}\"}}");
        assert_eq!(refused.body, expected, "{name}");
    }
}

#[tokio::test]
async fn a_request_in_which_all_is_right_is_still_nobody_s() {
    let answer = send(
        &app(layer().insecure_report_only()),
        in_full(signed::now(&billing(), signed::post("/a", "hello"))),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.seen("verified"), Some("no"));
    assert_eq!(answer.seen("verdict"), Some("Accept"));
    assert_eq!(answer.seen("asserted"), Some("billing"));
    assert_eq!(answer.body, "hello");
}

#[tokio::test]
async fn a_handler_that_asks_for_a_verified_caller_fails_closed() {
    let app = Router::new()
        .route("/strict", any(async |_: VerifiedCaller| "handled"))
        .route(
            "/open",
            any(async |caller: UnverifiedCaller| caller.asserted_id().unwrap().to_owned()),
        )
        .route(
            "/either",
            any(async |caller: Option<VerifiedCaller>| caller.is_some().to_string()),
        );
    let reporting = app.clone().layer(layer().insecure_report_only());
    let enforcing = app.layer(layer());
    for (path, reported, enforced) in [
        ("/strict", (500, None), (200, Some("handled"))),
        ("/open", (200, Some("billing")), (500, None)),
        ("/either", (200, Some("false")), (200, Some("true"))),
    ] {
        for (app, (status, body)) in [(&reporting, reported), (&enforcing, enforced)] {
            let request = signed::now(&billing(), signed::get(path));
            let answer = send(app, in_full(request)).await;
            assert_eq!(answer.status, status, "{path}");
            if let Some(body) = body {
                assert_eq!(answer.body, body, "{path}");
            }
        }
    }
}

/// An outer layer, or the application, may have inserted any value.
#[tokio::test]
async fn what_others_say_of_the_caller_is_dropped() {
    let inner = Router::new().fallback(any(echo));
    let under = |inner: VerifyLayer<Keyring>, outer: VerifyLayer<Keyring>| {
        Router::new().fallback(any(echo)).layer(inner).layer(outer)
    };
    // The outer layer enforces, the inner layer only reports.
    let app = under(layer().insecure_report_only(), layer());
    let answer = send(&app, in_full(signed::now(&billing(), signed::get("/a")))).await;
    assert_eq!(
        (answer.seen("verified"), answer.seen("code")),
        (Some("no"), Some("none"))
    );
    // The outer layer only reports, the inner layer enforces.
    let app = under(layer(), layer().insecure_report_only());
    let answer = send(&app, in_full(signed::now(&billing(), signed::get("/a")))).await;
    assert_eq!(
        (answer.seen("verified"), answer.seen("verdict")),
        (Some("yes"), None)
    );
    let answer = send(&app, in_full(signed::get("/a"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // Without a layer, there is no caller.
    let answer = send(&inner, in_full(signed::get("/a"))).await;
    assert_eq!(
        (answer.seen("verified"), answer.seen("verdict")),
        (Some("no"), None)
    );
}

/// A report-only layer and an inner enforcing layer share a store, as clones of one layer do.
#[tokio::test]
async fn a_claim_by_the_layer_that_reports_counts_for_the_one_behind_it() {
    let base = layer();
    let app = Router::new()
        .fallback(any(echo))
        .layer(base.clone())
        .layer(base.insecure_report_only());
    let request = signed::now(&billing(), signed::post("/a", "hello"));
    let first = send(&app, in_full(request.clone())).await;
    assert_eq!(
        (first.status, first.seen("verified")),
        (StatusCode::OK, Some("yes"))
    );
    let second = send(&app, in_full(request)).await;
    assert_eq!(second.body, r#"{"error":"replayed"}"#);
}

/// The claim of the report-only layer expires with its window. An inner layer that accepts dates
/// for longer cannot rely on that claim: a later copy would be accepted.
#[tokio::test]
async fn a_claim_that_is_too_short_for_the_layer_behind_lets_nothing_through() {
    let store = MemoryReplayStore::new();
    let now = Arc::new(Mutex::new(NOW));
    let layer = |window| {
        let verifier = Verifier::builder().window(Duration::from_secs(window));
        let now = Arc::clone(&now);
        VerifyLayer::new(keys())
            .with_verifier(verifier.build().unwrap())
            .with_replay_store(store.clone())
            .with_clock(move || *now.lock().unwrap())
    };
    let app = |outer, inner| {
        Router::new()
            .fallback(any(echo))
            // The store answers, so the setting for outages has no effect.
            .layer(layer(inner).insecure_continue_without_replay_store())
            .layer(layer(outer).insecure_report_only())
    };
    for (name, outer, inner, first, later) in [
        ("the same", 300, 300, StatusCode::OK, "replayed"),
        ("longer", 300, 60, StatusCode::OK, "expired"),
        (
            "shorter",
            60,
            300,
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
        ),
    ] {
        *now.lock().unwrap() = NOW;
        let app = app(outer, inner);
        let request = signed::at(NOW, &billing(), signed::post("/a", "hello"));
        let answer = send(&app, in_full(request.clone())).await;
        assert_eq!(answer.status, first, "{name}");
        let then = NOW.saturating_add(Duration::from_secs(200));
        *now.lock().unwrap() = then;
        // Expired entries are purged at the next request.
        let next = signed::at(then, &billing(), signed::post("/a", "next"));
        assert_eq!(send(&app, in_full(next)).await.status, first, "{name}");
        let answer = send(&app, in_full(request)).await;
        let handled_once = first != StatusCode::OK;
        assert!(
            handled_once || answer.body == format!(r#"{{"error":"{later}"}}"#),
            "{name}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_copy_is_handled_and_reported_as_one() {
    let app = app(layer().insecure_report_only());
    let request = signed::now(&billing(), signed::post("/a", "hello"));
    assert_eq!(
        send(&app, in_full(request.clone())).await.seen("verdict"),
        Some("Accept")
    );
    let copy = send(&app, in_full(request)).await;
    assert_eq!(
        (copy.status, copy.seen("code")),
        (StatusCode::OK, Some("replayed"))
    );
    assert_eq!(copy.body, "hello");
}

/// A request that failed for its date or its keys is accepted once these are valid.
#[tokio::test]
async fn an_unproven_request_burns_no_nonce() {
    let store = MemoryReplayStore::new();
    let request = signed::now(&billing(), signed::post("/a", "hello"));
    let unknown = Keyring::builder()
        .caller(
            "audit",
            CallerKey::new("1", hmac_key(OTHER_SECRET).verifying_key()).unwrap(),
        )
        .build()
        .unwrap();
    let reporting = VerifyLayer::new(unknown)
        .with_replay_store(store.clone())
        .insecure_report_only();
    let answer = send(&app(reporting), in_full(request.clone())).await;
    assert_eq!(answer.seen("code"), Some("invalid_signature"));
    assert_eq!(store.len(), 0);
    let enforcing = VerifyLayer::new(keys()).with_replay_store(store.clone());
    let answer = send(&app(enforcing), in_full(request)).await;
    assert_eq!((answer.status, store.len()), (StatusCode::OK, 1));
}

/// Counts its polls.
struct Untouched(Arc<AtomicUsize>);

impl http_body::Body for Untouched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::task::Poll::Pending
    }
}

/// This holds for unauthenticated bodies and for signed bodies: the handler runs first.
#[tokio::test]
async fn not_a_byte_of_an_unproven_body_is_read_before_the_handler() {
    let (drf, verify_settings) = django();
    let keys = Keyring::builder()
        .caller(
            "billing",
            CallerKey::new("1", hmac_key(SECRET).verifying_key()).unwrap(),
        )
        .caller("django", CallerKey::new("1", drf.verifying_key()).unwrap())
        .build()
        .unwrap();
    let verifier = Verifier::builder().accept(verify_settings).build().unwrap();
    let app = Router::new()
        .fallback(any(
            async |Extension(_): Extension<UnverifiedCaller>, _unread: Body| "handled",
        ))
        .layer(
            VerifyLayer::new(keys)
                .with_verifier(verifier)
                .insecure_report_only(),
        );
    let by_body = signed::now_in_full(
        &Signer::drf(drf, [AUTHORITY]).unwrap(),
        signed::post("/drf", "x"),
    );
    let imposter = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    for (name, request) in [
        ("unsigned", signed::post("/a", "x")),
        ("wrong key", signed::now(&imposter, signed::post("/a", "x"))),
        ("signed body", by_body),
    ] {
        let polled = Arc::new(AtomicUsize::new(0));
        let body = Untouched(Arc::clone(&polled));
        let answer = send(&app, request.map(|_| body)).await;
        assert_eq!(answer.body, "handled", "{name}");
        assert_eq!(polled.load(Ordering::Relaxed), 0, "{name}");
    }
}

fn frames(chunks: &[&[u8]]) -> Vec<Result<Frame<Bytes>, std::io::Error>> {
    chunks
        .iter()
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect()
}

fn trailer() -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-trailer", HeaderValue::from_static("kept"));
    Frame::trailers(trailers)
}

/// A body that is refused, or that finds no memory, is read in part before the handler.
#[tokio::test]
async fn a_body_that_is_read_in_part_reaches_the_handler_whole() {
    let chunks: [&[u8]; 4] = [b"one ", &[b'x'; 9000], b"two ", b"three"];
    let whole = chunks.concat();
    let small = BodyLimits::default().with_max_bytes(10);
    let no_room = BodyLimits::default().with_total_bytes(10);
    let hurried = BodyLimits::default().with_deadline(Duration::from_millis(20));
    for (name, code, limits, pending_first) in [
        ("within the limits", "none", BodyLimits::default(), false),
        ("too large", "too_large", small, false),
        ("no room", "unavailable", no_room, false),
        ("too slow", "timeout", hurried, true),
    ] {
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let tell = Arc::new(Mutex::new(Some(tell)));
        // The rest of a slow body comes when the handler reads it.
        let handler = move |request: AxumRequest| {
            let tell = tell.lock().unwrap().take().unwrap();
            let _: Result<(), ()> = tell.send(());
            echo(request)
        };
        let app = Router::new()
            .fallback(any(handler))
            .layer(layer().with_body_limits(limits).insecure_report_only());
        let (parts, _) = signed::now(&billing(), signed::post("/a", whole.clone())).into_parts();
        let mut sent = frames(&chunks);
        sent.push(Ok(trailer()));
        let mut sent = sent.into_iter();
        let first = sent.next().unwrap();
        let rest = async move {
            if pending_first {
                told.await.unwrap();
            }
            futures::stream::iter(sent)
        };
        let stream = futures::StreamExt::chain(
            futures::stream::iter([first]),
            futures::FutureExt::flatten_stream(rest),
        );
        let body = StreamBody::new(stream);
        let answer = send(&app, Request::from_parts(parts, body)).await;
        assert_eq!(
            (answer.status, answer.seen("code")),
            (StatusCode::OK, Some(code)),
            "{name}"
        );
        assert_eq!(answer.body, whole, "{name}");
        assert_eq!(answer.seen("trailer"), Some("kept"), "{name}");
    }
}

#[tokio::test]
async fn an_error_of_the_body_is_the_handler_s_to_see() {
    let app = app(layer().insecure_report_only());
    for (name, request) in [
        (
            "proven",
            signed::now(&billing(), signed::post("/a", "whole")),
        ),
        ("unproven", signed::post("/a", "whole")),
    ] {
        let mut sent = frames(&[b"who"]);
        sent.push(Err(std::io::Error::other("reset")));
        let body = StreamBody::new(futures::stream::iter(sent));
        let answer = send(&app, request.map(|_| body)).await;
        assert_eq!(answer.seen("error"), Some("yes"), "{name}");
    }
}

#[derive(Clone)]
struct Down;

impl KeyStore for Down {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        Err(Unavailable::new("key store"))
    }
}

#[derive(Clone)]
struct DownReplay(ReplayStoreId);

impl ReplayStore for DownReplay {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Err(Unavailable::new("replay store"))
    }

    fn id(&self) -> ReplayStoreId {
        self.0
    }
}

#[tokio::test]
async fn a_store_that_is_down_refuses_nobody() {
    let no_keys = app(VerifyLayer::new(Down).insecure_report_only());
    let no_nonces = app(layer()
        .with_replay_store(DownReplay(ReplayStoreId::unique()))
        .insecure_report_only());
    for app in [no_keys, no_nonces] {
        let answer = send(
            &app,
            in_full(signed::now(&billing(), signed::post("/a", "hello"))),
        )
        .await;
        assert_eq!(
            (answer.status, answer.seen("code")),
            (StatusCode::OK, Some("unavailable"))
        );
        assert_eq!(answer.body, "hello");
    }
}

#[tokio::test]
async fn headers_stay_as_they_are_whatever_the_policy() {
    let allowed = UncoveredHeaders::refuse_all_but([]);
    for (policy, code) in [
        (UncoveredHeaders::strip_overrides(), "none"),
        (UncoveredHeaders::strip_all_but([]), "none"),
        (allowed, "insufficient_coverage"),
    ] {
        let app = app(layer()
            .with_uncovered_headers(policy)
            .insecure_report_only());
        let mut request = signed::now(&billing(), signed::get("/a"));
        for name in ["x-http-method-override", "x-original-url", "x-uncovered"] {
            request
                .headers_mut()
                .insert(name, HeaderValue::from_static("DELETE"));
        }
        let answer = send(&app, in_full(request)).await;
        assert_eq!(answer.seen("code"), Some(code));
        for name in ["x-http-method-override", "x-original-url", "x-uncovered"] {
            assert_eq!(answer.seen(name), Some("DELETE"), "{name}");
        }
    }
}

/// Over a connection, because clients and routers would normalize some of these.
#[tokio::test]
async fn a_route_that_reports_opens_no_other() {
    let layer = layer()
        .insecure_report_only_for([(Method::GET, "/a"), (Method::POST, "/item/{id}/note")])
        .unwrap();
    let server = Server::axum(app(layer)).await;
    for (line, header, expected) in [
        ("GET /a", "", 200),
        ("GET /a?x=1", "", 200),
        ("GET /a?x=/../b", "", 200),
        ("POST /item/7/note", "", 200),
        ("GET http://user-service.internal/a", "", 200),
        ("POST /a", "", 401),
        ("HEAD /a", "", 401),
        ("GET /", "", 401),
        ("GET /b", "", 401),
        ("GET /A", "", 401),
        ("GET /a/", "", 401),
        ("GET /a/b", "", 401),
        ("GET /a/../b", "", 401),
        ("GET /b/../a", "", 401),
        ("GET /./a", "", 401),
        ("GET /a/.", "", 401),
        ("GET //a", "", 401),
        ("GET /a//", "", 401),
        ("GET /%61", "", 401),
        ("GET /a%2f..%2fb", "", 401),
        ("GET /a%00", "", 401),
        ("GET /a;b", "", 401),
        ("GET http://user-service.internal/b", "", 401),
        ("GET http://user-service.internal//a", "", 401),
        ("OPTIONS *", "", 401),
        ("POST /item/7/other", "", 401),
        ("POST /item/../note", "", 401),
        ("POST /item//note", "", 401),
        ("POST /item/7/8/note", "", 401),
        ("POST /item/7%2f8/note", "", 401),
        ("GET /item/7/note", "", 401),
        ("GET /a", "x-http-method-override: DELETE\r\n", 401),
        ("GET /a", "x_http_method_override: DELETE\r\n", 401),
        ("GET /a", "X-Original-URL: /b\r\n", 401),
        ("GET /a", "x-rewrite-url: /b\r\n", 401),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nhost: {AUTHORITY}\r\n{header}content-length: 0\r\n\
             connection: close\r\n\r\n"
        );
        let answer = raw::exchange(server.addr(), request.as_bytes()).await;
        assert_eq!(raw::status(&answer), expected, "{line} {header}");
        assert_eq!(
            answer.contains("seen-verified: no"),
            expected == 200,
            "{line} {header}"
        );
    }
}

#[tokio::test]
async fn routes_that_are_enforced_go_on_as_before() {
    let layer = layer()
        .insecure_report_only_for([(Method::POST, "/a")])
        .unwrap();
    let app = app(layer);
    let accepted = send(
        &app,
        in_full(signed::now(&billing(), signed::post("/b", "hello"))),
    )
    .await;
    assert_eq!(
        (accepted.status, accepted.seen("verified")),
        (StatusCode::OK, Some("yes"))
    );
    let reported = send(
        &app,
        in_full(signed::now(&billing(), signed::post("/a", "hello"))),
    )
    .await;
    assert_eq!(
        (reported.status, reported.seen("verified")),
        (StatusCode::OK, Some("no"))
    );
}

#[tokio::test]
async fn what_is_set_last_holds_and_routes_add_up() {
    let only = |layer: VerifyLayer<Keyring>, path| {
        layer
            .insecure_report_only_for([(Method::GET, path)])
            .unwrap()
    };
    for (name, layer, open, closed) in [
        (
            "routes",
            only(only(layer(), "/a"), "/b"),
            &["/a", "/b"][..],
            &["/c"][..],
        ),
        (
            "everywhere, then routes",
            only(layer().insecure_report_only(), "/a"),
            &["/a"],
            &["/b"],
        ),
        (
            "routes, then everywhere",
            only(layer(), "/a").insecure_report_only(),
            &["/a", "/b"],
            &[],
        ),
        (
            "no routes",
            layer()
                .insecure_report_only()
                .insecure_report_only_for([(Method::GET, "/x")])
                .unwrap(),
            &[],
            &["/a"],
        ),
    ] {
        let app = app(layer);
        for (paths, expected) in [(open, StatusCode::OK), (closed, StatusCode::UNAUTHORIZED)] {
            for path in paths {
                let answer = send(&app, in_full(signed::get(path))).await;
                assert_eq!(answer.status, expected, "{name}: {path}");
            }
        }
    }
}

/// Two layers on separate routes. The router decides to which route a request belongs.
#[tokio::test]
async fn two_layers_on_different_routes_each_keep_to_their_own() {
    let base = layer();
    let reporting = Router::new()
        .route("/a/{id}", any(echo))
        .route_layer(base.clone().insecure_report_only());
    let enforcing = Router::new().route("/a/admin", any(echo)).route_layer(base);
    let server = Server::axum(reporting.merge(enforcing)).await;
    for (path, expected) in [
        ("/a/7", 200),
        ("/a/admin", 401),
        ("/a/../a/admin", 404),
        ("/a/%61dmin", 401),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {AUTHORITY}\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(server.addr(), request.as_bytes()).await;
        // The router may or may not compare decoded paths. The handler of the other route is not
        // reached.
        if path == "/a/%61dmin" {
            assert!(!answer.contains("seen-verified: yes"), "{answer}");
            continue;
        }
        assert_eq!(raw::status(&answer), expected, "{path}");
    }
}

#[tokio::test]
async fn behind_nest_the_path_of_the_request_line_decides() {
    let inner = |pattern: &str| {
        let layer = layer()
            .insecure_report_only_for([(Method::GET, pattern)])
            .unwrap();
        Router::new().nest("/api", Router::new().route("/a", any(echo)).layer(layer))
    };
    for (pattern, expected) in [("/api/a", 200), ("/a", 401)] {
        let answer = send(&inner(pattern), in_full(signed::get("/api/a"))).await;
        assert_eq!(answer.status, expected, "{pattern}");
    }
}

/// A client that waits for `100 Continue` gets it from the handler, because the layer does not read
/// first.
#[tokio::test]
async fn an_upload_that_waits_to_be_let_in_is() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::axum(app(layer().insecure_report_only())).await;
    let mut stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let head = format!(
        "POST /a HTTP/1.1\r\nhost: {AUTHORITY}\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go = [0; 25];
    stream.read_exact(&mut go).await.unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("200 OK") && answer.ends_with("hello"),
        "{answer}"
    );
}

#[tokio::test]
async fn large_bodies_come_through_over_both_versions_to_the_byte() {
    let limits = BodyLimits::default().with_max_bytes(100_000);
    let server = Server::axum(
        app(layer().with_body_limits(limits).insecure_report_only())
            .layer(axum::extract::DefaultBodyLimit::disable()),
    )
    .await;
    let body: Bytes = (0..1_000_000_u32)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    for (name, request) in [
        ("unsigned", signed::post("/a", body.clone())),
        (
            "over its limit",
            signed::now(&billing(), signed::post("/a", body.clone())),
        ),
        (
            "another one",
            signed::now(&billing(), signed::post("/a", "x")).map(|_| body.clone()),
        ),
    ] {
        let responses = [
            client::http1(server.addr())
                .request(in_full(request.clone()))
                .await
                .unwrap(),
            client::http2(server.addr())
                .request(in_full(request))
                .await
                .unwrap(),
        ];
        for response in responses {
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            let received = response.into_body().collect().await.unwrap().to_bytes();
            assert!(received == body, "{name}");
        }
    }
}

/// A webhook is verified by the bytes that the handler reads. The replay store is not called.
#[tokio::test]
async fn a_signed_body_is_judged_while_the_handler_reads_it() {
    let text = Base64::encode_string(&[
        7, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
    ]);
    let secret = Secret::from_base64(&text).unwrap();
    let keys = Keyring::builder()
        .caller(
            "svix",
            CallerKey::new("1", VerifyingKey::standard_webhooks(&secret)).unwrap(),
        )
        .build()
        .unwrap();
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix")
        .unwrap()
        .with_route(Method::POST, "/hook")
        .unwrap();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let store = MemoryReplayStore::new();
    let layer = VerifyLayer::new(keys)
        .with_verifier(verifier)
        .with_replay_store(store.clone());
    let signer =
        Signer::standard_webhooks([SigningKey::standard_webhooks(&secret)], [AUTHORITY]).unwrap();
    let request = signed::now_in_full(&signer, signed::post("/hook", "event"));
    let reporting = app(layer.clone().insecure_report_only());
    for _ in 0..2 {
        let answer = send(&reporting, in_full(request.clone())).await;
        assert_eq!(
            (answer.seen("verdict"), answer.seen("verified")),
            (Some("Undecided"), Some("no"))
        );
        assert_eq!(answer.body, "event");
    }
    assert_eq!(store.len(), 0);
    // The inner layer decides separately.
    let both = Router::new()
        .route("/hook", post(echo))
        .layer(layer.clone())
        .layer(layer.insecure_report_only());
    let answer = send(&both, in_full(request)).await;
    assert_eq!(
        (answer.status, answer.seen("verified")),
        (StatusCode::OK, Some("yes"))
    );
    assert_eq!((answer.body.as_ref(), store.len()), (&b"event"[..], 1));
}

/// Finds keys only after several polls.
#[derive(Clone)]
struct Waits(Keyring);

impl KeyStore for Waits {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        self.0.try_lookup(key_id).unwrap()
    }
}

/// The verification has seen each chunk before the next one is read, however slow the key store is.
#[tokio::test]
async fn a_signed_body_in_many_chunks_waits_for_a_slow_key_store_and_loses_nothing() {
    let (key, verify_settings) = django();
    let keys = keyring("django", &key);
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _listening = metrics::set_default_local_recorder(&recorder);
    let app = app(VerifyLayer::new(Waits(keys))
        .with_verifier(verifier)
        .insecure_report_only());
    let chunks: [&[u8]; 4] = [b"one ", &[b'x'; 9000], b"two ", b"three"];
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let request = signed::now_in_full(&signer, signed::post("/drf", chunks.concat()));
    let mut sent = frames(&chunks);
    sent.push(Ok(trailer()));
    let body = StreamBody::new(futures::stream::iter(sent));
    let answer = send(&app, request.map(|_| body)).await;
    assert_eq!(answer.body, chunks.concat());
    assert_eq!(answer.seen("trailer"), Some("kept"));
    let counted = handle.render();
    let accepted = counted
        .lines()
        .find(|line| line.contains("outcome=\"accepted\""));
    assert!(
        accepted.is_some_and(|line| line.contains("caller=\"django\"")),
        "{counted}"
    );
}

/// Finds keys when the test allows it.
#[derive(Clone)]
struct Gate(Keyring, Arc<tokio::sync::Semaphore>);

impl KeyStore for Gate {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        let _permit = self.1.acquire().await.unwrap();
        self.0.try_lookup(key_id).unwrap()
    }
}

/// Only one chunk that the verification has not read is held, however much is sent meanwhile.
#[tokio::test]
async fn while_a_key_store_is_waited_for_one_chunk_passes_and_no_more() {
    let (key, verify_settings) = django();
    let keys = keyring("django", &key);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let layer = VerifyLayer::new(Gate(keys, Arc::clone(&gate)))
        .with_verifier(
            Verifier::builder()
                .accept_only(verify_settings)
                .build()
                .unwrap(),
        )
        .insecure_report_only();
    let handler = async move |request: AxumRequest| {
        let mut body = request.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(first, "one");
        let second = futures::poll!(Box::pin(body.frame()));
        assert!(second.is_pending(), "{second:?}");
        gate.add_permits(1);
        body.collect().await.unwrap().to_bytes()
    };
    let app = Router::new().fallback(any(handler)).layer(layer);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let request = signed::now_in_full(&signer, signed::post("/drf", "onetwothree"));
    let body = StreamBody::new(futures::stream::iter(frames(&[b"one", b"two", b"three"])));
    let answer = send(&app, request.map(|_| body)).await;
    assert_eq!(answer.body, "twothree");
}

/// A key whose check needs the whole body. The body is not kept, and the request is not reported as
/// refused.
#[tokio::test]
async fn a_body_that_would_have_to_be_kept_is_not_decided_on() {
    let seed: Vec<u8> = (100..132).rev().collect();
    let text = format!("whsk_{}", Base64::encode_string(&seed));
    let key = SigningKey::standard_webhooks_ed25519(&text).unwrap();
    let keys = Keyring::builder()
        .caller("svix", CallerKey::new("1", key.verifying_key()).unwrap())
        .build()
        .unwrap();
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let verify_settings = verify_settings.with_route(Method::POST, "/hook").unwrap();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _listening = metrics::set_default_local_recorder(&recorder);
    let layer = VerifyLayer::new(keys)
        .with_verifier(
            Verifier::builder()
                .accept_only(verify_settings)
                .build()
                .unwrap(),
        )
        .insecure_report_only();
    let signer = Signer::standard_webhooks([key], [AUTHORITY]).unwrap();
    let request = signed::now_in_full(&signer, signed::post("/hook", "event"));
    let answer = send(&app(layer), in_full(request)).await;
    assert_eq!(answer.body, "event");
    let counted = handle.render();
    for (outcome, expected) in [("undecided", 1), ("accepted", 0), ("refused", 0)] {
        let outcome = format!("outcome=\"{outcome}\"");
        let lines = counted
            .lines()
            .filter(|line| line.starts_with("countersign_decisions_total{"));
        let found = lines.filter(|line| line.contains(&outcome)).count();
        assert_eq!(found, expected, "{outcome}: {counted}");
    }
}

/// The URI was rewritten between the routers, from a report-only route to another: the request is
/// on neither.
#[tokio::test]
async fn a_request_that_was_rewritten_is_on_no_route_that_reports() {
    let app = app(layer()
        .insecure_report_only_for([(Method::GET, "/a"), (Method::GET, "/b")])
        .unwrap());
    let mut request = signed::get("/b");
    let original = format!("http://{AUTHORITY}/a").parse().unwrap();
    request.extensions_mut().insert(OriginalUri(original));
    let answer = send(&app, in_full(request)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body, r#"{"error":"misconfigured"}"#);
}

/// Each store claims the nonce separately.
#[tokio::test]
async fn a_claim_in_one_store_is_none_in_another() {
    let (outer, inner) = (MemoryReplayStore::new(), MemoryReplayStore::new());
    for reports in [true, false] {
        let mut outside = layer().with_replay_store(outer.clone());
        if reports {
            outside = outside.insecure_report_only();
        }
        let app = Router::new()
            .fallback(any(echo))
            .layer(layer().with_replay_store(inner.clone()))
            .layer(outside);
        let before = (outer.len(), inner.len());
        let request = signed::now(&billing(), signed::post("/a", "hello"));
        assert_eq!(send(&app, in_full(request)).await.status, StatusCode::OK);
        assert_eq!((outer.len(), inner.len()), (before.0 + 1, before.1 + 1));
    }
}
