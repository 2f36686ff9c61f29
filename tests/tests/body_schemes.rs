//! Signatures over the body, over real sockets: which are accepted, which are refused, and that a
//! peer which has proven nothing gets no more memory, time or attention than is set for such peers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use countersign::{
    CallerKey, Coverage, DrfVerifySettings, Keyring, PayloadDigest, Secret, SignError,
    SignErrorKind, Signer, SigningKey, StandardWebhooksVerifySettings, Timestamp, Verifier,
};
use futures::{StreamExt as _, stream::FuturesUnordered};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tests::{
    client,
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tower::{Layer, ServiceExt};
use tower_countersign::{BodyLimits, SignLayer, VerifiedCaller, VerifyLayer};

const KIB: usize = 1024;
const ECHO: &str = "/api/echo";
const HOOK: &str = "/hook";

fn drf_key() -> SigningKey {
    SigningKey::drf(&Secret::from_text(OTHER_SECRET).unwrap())
}

fn webhooks_secret() -> SigningKey {
    let bytes = base16ct::lower::decode_vec(OTHER_SECRET).unwrap();
    SigningKey::standard_webhooks(&Secret::from_bytes(&bytes))
}

fn webhooks_ed25519() -> SigningKey {
    let seed: Vec<u8> = base16ct::lower::decode_vec(SECRET).unwrap();
    let seed: Vec<u8> = seed.into_iter().rev().collect();
    let text = format!("whsk_{}", Base64::encode_string(&seed));
    SigningKey::standard_webhooks_ed25519(&text).unwrap()
}

fn django() -> Signer {
    Signer::drf(drf_key(), [AUTHORITY]).unwrap()
}

fn svix() -> Signer {
    let keys = [webhooks_secret(), webhooks_ed25519()];
    Signer::standard_webhooks(keys, [AUTHORITY]).unwrap()
}

/// A service behind a layer with the two schemes, whose clock the test sets and whose handled
/// requests it counts.
struct Callee {
    server: Server,
    handled: Arc<AtomicUsize>,
    now: Arc<AtomicI64>,
}

impl Callee {
    async fn start(limits: BodyLimits) -> Self {
        let caller_key =
            |version: &str, key: SigningKey| CallerKey::new(version, key.verifying_key()).unwrap();
        let keys = Keyring::builder()
            .caller("billing", caller_key("1", hmac_key(SECRET)))
            .caller("django", caller_key("1", drf_key()))
            .caller("svix", caller_key("1", webhooks_secret()))
            .caller("svix", caller_key("2", webhooks_ed25519()))
            .build()
            .unwrap();
        let django = DrfVerifySettings::for_caller("django").unwrap();
        let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
        let verifier = Verifier::builder()
            .accept(django.with_route(Method::POST, ECHO).unwrap())
            .accept(svix.with_route(Method::POST, HOOK).unwrap())
            .build()
            .unwrap();
        let handled = Arc::new(AtomicUsize::new(0));
        let now = Arc::new(AtomicI64::new(NOW.as_unix_seconds()));
        let handler = {
            let handled = Arc::clone(&handled);
            async move |caller: VerifiedCaller, body: Bytes| {
                handled.fetch_add(1, Ordering::SeqCst);
                let what = match caller.coverage() {
                    Coverage::Request => "request",
                    Coverage::BodyOnly => "body only",
                    _ => "something else",
                };
                let id = caller.idempotency_key().unwrap_or("no id");
                let once = caller.replay_protected();
                format!(
                    "{}, {what}, {id}, {once}, {} bytes",
                    caller.id(),
                    body.len()
                )
            }
        };
        let clock = Arc::clone(&now);
        let layer = VerifyLayer::new(keys)
            .with_verifier(verifier)
            .with_body_limits(limits)
            // The peers of these tests listen while they send.
            .with_refused_body_drain(0, Duration::ZERO)
            .with_clock(move || Timestamp::from_unix_seconds(clock.load(Ordering::SeqCst)));
        let app = Router::new().fallback(any(handler)).layer(layer);
        Self {
            server: Server::axum(app).await,
            handled,
            now,
        }
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }

    async fn send(&self, request: Request<Bytes>) -> (StatusCode, String) {
        let client = client::http1::<Full<Bytes>>(self.addr());
        let response = client.request(request.map(Full::new)).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        if parts.status == StatusCode::UNAUTHORIZED {
            assert_eq!(parts.headers["cache-control"], "no-store");
            let challenges = parts.headers.get_all("www-authenticate").iter();
            assert_eq!(challenges.count(), 3, "one for each scheme");
        }
        (parts.status, String::from_utf8(text.to_vec()).unwrap())
    }
}

fn sign(signer: &Signer, request: Request<Bytes>, now: Timestamp) -> Request<Bytes> {
    let (mut parts, body) = request.into_parts();
    let signature = signer.sign(&parts, &*body, now).unwrap();
    signature.apply(&mut parts);
    Request::from_parts(parts, body)
}

fn webhook(id: &'static str, body: &'static str) -> Request<Bytes> {
    let mut request = signed::post(HOOK, body);
    let id = http::HeaderValue::from_static(id);
    request.headers_mut().insert("webhook-id", id);
    request
}

/// Both schemes, each with its own signed request.
fn both(body: &'static str) -> [(&'static str, Request<Bytes>); 2] {
    [
        ("drf", sign(&django(), signed::post(ECHO, body), NOW)),
        ("webhooks", sign(&svix(), webhook("msg_1", body), NOW)),
    ]
}

fn error(code: &str) -> String {
    format!("{{\"error\":\"{code}\"}}")
}

/// The head of a request whose body is to be this long, and its first bytes, on a separate
/// connection.
async fn begin(
    addr: SocketAddr,
    request: &Request<Bytes>,
    length: &str,
    start: &[u8],
) -> TcpStream {
    let (parts, _) = request.clone().into_parts();
    let head = format!(
        "{}{length}\r\nconnection: close\r\n\r\n",
        signed::head(&parts)
    );
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(start).await.unwrap();
    stream
}

/// The status and the code of an answer that must come although the body does not.
async fn answer(name: &str, mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _: Result<usize, _> = timeout(Duration::from_secs(10), reading)
        .await
        .unwrap_or_else(|_| panic!("{name}: no answer"));
    let answer = String::from_utf8(answer).unwrap();
    let body = answer
        .split("\r\n\r\n")
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    (raw::status(&answer), body)
}

#[tokio::test]
async fn both_schemes_are_accepted_and_say_that_only_the_body_is_covered() {
    let callee = Callee::start(BodyLimits::default()).await;
    let [(_, drf), (_, webhook)] = both("hello");
    let (status, text) = callee.send(drf).await;
    assert_eq!(
        (status, &*text),
        (StatusCode::OK, "django, body only, no id, true, 5 bytes")
    );
    let (status, text) = callee.send(webhook).await;
    assert_eq!(
        (status, &*text),
        (StatusCode::OK, "svix, body only, msg_1, true, 5 bytes")
    );
    let (status, text) = callee
        .send(signed::at(NOW, &billing(), signed::post("/", "hello")))
        .await;
    assert_eq!(
        (status, &*text),
        (StatusCode::OK, "billing, request, no id, true, 5 bytes")
    );
    for (name, request) in [
        ("drf", sign(&django(), signed::post(ECHO, ""), NOW)),
        ("webhooks", sign(&svix(), signed::post(HOOK, ""), NOW)),
    ] {
        let (status, text) = callee.send(request).await;
        assert_eq!(status, StatusCode::OK, "{name} without a body: {text}");
    }
}

#[tokio::test]
async fn the_layer_signs_the_bytes_of_the_body_and_no_digest() {
    let callee = Callee::start(BodyLimits::default()).await;
    for (signer, path, expected) in [
        (django(), ECHO, "django, body only, no id, true, 12 bytes"),
        (svix(), HOOK, "svix, body only, msg_layer, true, 12 bytes"),
    ] {
        let client = client::http1(callee.addr());
        let client = SignLayer::new(signer).with_clock(|| NOW).layer(client);
        // A body in two pieces, whose length is not known.
        let pieces = ["hello ", "world!"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let body = Body::from_stream(futures::stream::iter(pieces));
        let request = Request::post(format!("http://{AUTHORITY}{path}"));
        let request = request
            .header("webhook-id", "msg_layer")
            .body(body)
            .unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        let text = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, expected);

        let mut request = Request::post(format!("http://{AUTHORITY}{path}"))
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(PayloadDigest::of(b""));
        let error = client.oneshot(request).await.unwrap_err();
        let error = error.downcast_ref::<SignError>().unwrap();
        assert_eq!(error.kind(), SignErrorKind::Body);
    }
}

/// Source: CVE-2026-42294 (Argo Workflows read the whole body before it looked at the signature).
#[tokio::test]
async fn what_can_be_refused_without_its_body_is_refused_unread() {
    let callee = Callee::start(BodyLimits::default()).await;
    let length = "content-length: 1000";
    for (name, good) in both("hello") {
        let mut elsewhere = good.clone();
        *elsewhere.uri_mut() = format!("http://{AUTHORITY}/other").parse().unwrap();
        let mut other_method = good.clone();
        *other_method.method_mut() = Method::PUT;
        let mut stale = good.clone();
        let mut malformed = good.clone();
        for header in ["x-hmac-timestamp", "webhook-timestamp"] {
            if good.headers().contains_key(header) {
                let value = http::HeaderValue::from_static;
                stale.headers_mut().insert(header, value("1767320000"));
                malformed
                    .headers_mut()
                    .insert(header, value("-9223372036854775808"));
            }
        }
        for (what, request, expected) in [
            ("another path", elsewhere, "insufficient_coverage"),
            ("another method", other_method, "insufficient_coverage"),
            ("stale", stale, "expired"),
            ("malformed", malformed, "malformed"),
        ] {
            let name = format!("{name}, {what}");
            let stream = begin(callee.addr(), &request, length, b"").await;
            assert_eq!(
                answer(&name, stream).await,
                (401, error(expected)),
                "{name}"
            );
        }
        let large = begin(callee.addr(), &good, "content-length: 1073741824", b"").await;
        assert_eq!(
            answer(name, large).await,
            (413, error("too_large")),
            "{name}"
        );
    }
    assert_eq!(callee.handled(), 0);
}

#[tokio::test]
async fn a_body_counts_towards_its_callers_share_once_the_caller_is_proven() {
    for (share, expected) in [(5, StatusCode::OK), (4, StatusCode::SERVICE_UNAVAILABLE)] {
        let callee = Callee::start(BodyLimits::default().with_caller_bytes(share)).await;
        for (name, request) in both("hello") {
            let (status, text) = callee.send(request).await;
            assert_eq!(status, expected, "{name} of a share of {share}: {text}");
        }
    }
}

#[tokio::test]
async fn a_body_that_ed25519_may_read_has_a_smaller_limit() {
    let callee = Callee::start(BodyLimits::default()).await;
    let body = |bytes: usize| vec![b'x'; bytes];
    for (name, signer, path, bytes, expected) in [
        ("webhook, at the limit", svix(), HOOK, 256 * KIB, 200),
        ("webhook, one byte more", svix(), HOOK, 256 * KIB + 1, 413),
        ("DRF, one byte more", django(), ECHO, 256 * KIB + 1, 200),
    ] {
        let request = sign(&signer, signed::post(path, body(bytes)), NOW);
        let (status, text) = callee.send(request).await;
        assert_eq!(status.as_u16(), expected, "{name}: {text}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_for_strangers_is_refused_whoever_signed_it() {
    let limits = BodyLimits::default()
        .with_max_bytes(64 * 1024)
        .with_unauthenticated_max_bytes(1024);
    let callee = Callee::start(limits).await;
    let body: &'static str = Box::leak("x".repeat(1025).into_boxed_str());
    for (name, request) in both(body) {
        let (status, text) = callee.send(request.clone()).await;
        assert_eq!((status.as_u16(), text), (413, error("too_large")), "{name}");
        // In chunks, so that the length is not known before.
        let chunk = format!("401\r\n{body}\r\n");
        let chunked = "transfer-encoding: chunked";
        let stream = begin(callee.addr(), &request, chunked, chunk.as_bytes()).await;
        assert_eq!(
            answer(name, stream).await,
            (413, error("too_large")),
            "{name}"
        );
    }
    for (name, request) in both(&body[..1024]) {
        let (status, text) = callee.send(request).await;
        assert_eq!(status, StatusCode::OK, "{name}: {text}");
    }
    let billing = signed::at(NOW, &billing(), signed::post("/", body));
    assert_eq!(
        callee.send(billing).await.0,
        StatusCode::OK,
        "its limit is the other one"
    );
}

#[tokio::test]
async fn a_slow_body_is_cut_off_at_the_deadline_for_strangers() {
    let limits = BodyLimits::default().with_unauthenticated_deadline(Duration::from_millis(100));
    let callee = Callee::start(limits).await;
    for (name, request) in both("hello") {
        let stream = begin(callee.addr(), &request, "content-length: 5", b"hel").await;
        assert_eq!(
            answer(name, stream).await,
            (408, error("timeout")),
            "{name}"
        );
    }
    assert_eq!(callee.handled(), 0);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_the_handler_not_called() {
    let callee = Callee::start(BodyLimits::default()).await;
    for (name, request) in both("hello") {
        let (parts, _) = request.clone().into_parts();
        let other = Request::from_parts(parts, Bytes::from("hellO"));
        let (status, text) = callee.send(other).await;
        assert_eq!(
            (status.as_u16(), text),
            (401, error("invalid_signature")),
            "{name}"
        );
    }
    let stranger = SigningKey::drf(&Secret::from_text("a secret that nobody was given").unwrap());
    let stranger = Signer::drf(stranger, [AUTHORITY]).unwrap();
    let (status, text) = callee
        .send(sign(&stranger, signed::post(ECHO, "hello"), NOW))
        .await;
    assert_eq!((status.as_u16(), text), (401, error("invalid_signature")));
    assert_eq!(callee.handled(), 0);
    // A refused copy burns nothing.
    for (name, request) in both("hello") {
        assert_eq!(callee.send(request).await.0, StatusCode::OK, "{name}");
    }
}

#[tokio::test]
async fn a_copy_is_refused_and_a_senders_retry_is_not() {
    let callee = Callee::start(BodyLimits::default()).await;
    for (name, request) in both("hello") {
        assert_eq!(
            callee.send(request.clone()).await.0,
            StatusCode::OK,
            "{name}"
        );
        let (status, text) = callee.send(request).await;
        assert_eq!((status.as_u16(), text), (401, error("replayed")), "{name}");
    }
    assert_eq!(callee.handled(), 2);
    let later = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + 5);
    callee.now.store(later.as_unix_seconds(), Ordering::SeqCst);
    let (status, text) = callee
        .send(sign(&svix(), webhook("msg_1", "hello"), later))
        .await;
    assert_eq!(
        (status, &*text),
        (StatusCode::OK, "svix, body only, msg_1, true, 5 bytes")
    );
    // The same message with one of its signatures left out is a copy as well.
    let mut fewer = sign(&svix(), webhook("msg_1", "hello"), later);
    let list = fewer.headers()["webhook-signature"].to_str().unwrap();
    let first = list.split(' ').next().unwrap().parse().unwrap();
    fewer.headers_mut().insert("webhook-signature", first);
    let (status, text) = callee.send(fewer).await;
    assert_eq!((status.as_u16(), text), (401, error("replayed")));
}

/// Source: librefang#3895 (routes merged behind the layer bypassed it).
#[tokio::test]
async fn a_route_that_the_layer_does_not_cover_answers_nobody() {
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let svix = svix.with_route(Method::POST, HOOK).unwrap();
    let verifier = Verifier::builder().accept_only(svix).build().unwrap();
    let key = CallerKey::new("1", webhooks_secret().verifying_key()).unwrap();
    let keys = Keyring::builder().caller("svix", key).build().unwrap();
    let handler = async |caller: VerifiedCaller| caller.id().to_string();
    let layer = VerifyLayer::new(keys)
        .with_verifier(verifier)
        .with_clock(|| NOW);
    let app = Router::new()
        .route("/inside", any(handler))
        .layer(layer)
        .merge(Router::new().route(HOOK, any(handler)));
    let server = Server::axum(app).await;
    let [_, (_, webhook)] = both("hello");
    let client = client::http1::<Full<Bytes>>(server.addr());
    let response = client.request(webhook.map(Full::new)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// Source: pitfalls row 15 (memory by what strangers declare or send).
#[tokio::test]
async fn a_flood_of_strangers_stays_within_its_budget_and_takes_none_of_the_callers() {
    let limits = BodyLimits::default()
        .with_total_bytes(64 * 1024)
        .with_caller_bytes(64 * 1024)
        .with_unauthenticated_max_bytes(32 * 1024)
        .with_unauthenticated_total_bytes(64 * 1024)
        // No load of the machine ends the wait for a stranger.
        .with_unauthenticated_deadline(Duration::from_secs(3600))
        .with_unauthenticated_idle(Duration::from_secs(3600))
        .with_unauthenticated_least_rate(0);
    let junk = vec![b'x'; 16 * KIB];
    let [(_, drf), (_, webhook)] = both("hello");
    let length = "content-length: 32768";

    // Half of the memory is for bodies that are declared longer than 16 KiB. Of sixteen strangers
    // with 16 KiB each two have room in it; a signature that may be Ed25519 takes twice as much.
    for (name, request, fit) in [("drf", &drf, 2), ("webhooks", &webhook, 1)] {
        let callee = Callee::start(limits.clone()).await;
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(begin(callee.addr(), request, length, &junk).await);
            // One after the other, so that each has its bytes counted.
            sleep(Duration::from_millis(20)).await;
        }
        // A caller that authenticates with its head has the whole budget of its peer.
        let body = vec![b'y'; 60 * KIB];
        let billing = signed::at(NOW, &billing(), signed::post("/", body));
        let (status, text) = callee.send(billing).await;
        assert_eq!(status, StatusCode::OK, "{name}: {text}");
        // One that does not gets no more than the others,
        let large = vec![b'y'; 17 * KIB];
        let (status, text) = callee
            .send(sign(&django(), signed::post(ECHO, large), NOW))
            .await;
        assert_eq!(
            (status.as_u16(), text),
            (503, error("unavailable")),
            "{name}"
        );
        // unless its body is small: the other half is kept for such.
        let small = signed::post(ECHO, [name.as_bytes(), &junk[..15 * KIB]].concat());
        let (status, text) = callee.send(sign(&django(), small, NOW)).await;
        assert_eq!(status, StatusCode::OK, "{name}: {text}");

        let refused = held.len() - fit;
        let mut reading: FuturesUnordered<_> = held
            .into_iter()
            .map(async |mut stream| {
                let mut text = Vec::new();
                let _: Result<usize, _> = stream.read_to_end(&mut text).await;
                String::from_utf8(text).unwrap()
            })
            .collect();
        let answers = reading.by_ref().take(refused).collect::<Vec<_>>();
        let answers = timeout(Duration::from_secs(60), answers).await;
        let answers = answers.expect("those that do not fit are answered");
        // The others wait for their room to be used. Some time shows that they are not refused
        // late.
        let late = timeout(Duration::from_millis(200), reading.next()).await;
        assert!(late.is_err(), "{name}: {late:?}");
        for answer in &answers {
            assert_eq!(raw::status(answer), 503, "{name}");
        }
        // After the strangers have closed their connections, their memory is free.
        drop(reading);
        let freed = async {
            let large = || sign(&django(), signed::post(ECHO, vec![b'z'; 17 * KIB]), NOW);
            while callee.send(large()).await.0 == StatusCode::SERVICE_UNAVAILABLE {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let freed = timeout(Duration::from_secs(60), Box::pin(freed)).await;
        freed.unwrap_or_else(|_| panic!("{name}: what strangers held stays taken"));
    }
}

/// A body that breaks off proves nothing of the signature either, so that nothing is said of it.
#[tokio::test]
async fn a_body_that_breaks_off_is_no_word_about_the_signature() {
    let callee = Callee::start(BodyLimits::default()).await;
    for (name, request) in both("hello") {
        let chunked = "transfer-encoding: chunked";
        let stream = begin(callee.addr(), &request, chunked, b"3\r\nhel\r\nZZ\r\n").await;
        let (status, body) = answer(name, stream).await;
        assert!(
            status == 400 || (status, &*body) == (401, &*error("invalid_signature")),
            "{name}: {status} {body}"
        );
    }
    assert_eq!(callee.handled(), 0);
}
