//! Refusals, with the code that the peer sees and the reason that the operator sees.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::OriginalUri,
    routing::any,
};
use countersign::{
    Algorithm, CallerKey, CallerKeys, ClaimOutcome, KeyState, KeyStore, Keyring, MemoryReplayStore,
    MessageSignaturesVerifySettings, Policy, ReplayClaim, ReplayStore, ReplayStoreId, Secret,
    Signer, SigningKey, StandardWebhooksVerifySettings, Unavailable, Validity, Verifier,
};
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Frame;
use http_body_util::{Full, Limited, StreamBody};
use tests::{
    keys::{NOW, OTHER_SECRET, SECRET, django, hmac_key, keyring, signer},
    signed::{self, AUTHORITY, billing},
};
use tower_countersign::{
    AllowCallers, AuthorizeLayer, BodyLimits, BodyMode, BoxError, Forbidden, Refusal, StreamLimits,
    VerifyLayer,
};

use super::{Symptoms, answer, verify};

const HOUR: Duration = Duration::from_secs(3600);
const WEBHOOK: &str = "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(super) async fn add(found: &mut Symptoms) {
    no_signature(found).await;
    unreadable_heads(found).await;
    hosts_and_coverage(found).await;
    dates(found).await;
    keys(found).await;
    bodies(found).await;
    copies(found).await;
    stores(found).await;
    authorization(found).await;
    let mut rewritten = post(|_| {});
    let original = OriginalUri(format!("http://{AUTHORITY}/elsewhere").parse().unwrap());
    rewritten.extensions_mut().insert(original);
    refused(found, "a rewritten URI", &verify(), rewritten).await;
    streamed_bodies(found).await;
}

async fn streamed_bodies(found: &mut Symptoms) {
    let limits = StreamLimits::default().with_idle(Duration::from_millis(20));
    let streamed = verify().with_body_mode(BodyMode::Stream).unwrap();
    let small = limits.clone().with_max_bytes(1);
    let layer = streamed.clone().with_stream_limits(small);
    refused(found, "a large streamed body", &layer, post(|_| {})).await;

    // An echo answers with the body that it was to read.
    let app = Router::new().fallback(any(async |body: Body| body));
    let app = app.layer(streamed.with_stream_limits(limits));
    let response = answer(app, post(|_| {})).await;
    let refusal: &Refusal = response.extensions().get().unwrap();
    let code = Some(refusal.code());
    found.insert("an answer before the body", code, refusal.to_string());
}

/// Adds what a request is refused with.
async fn refused<K, R>(
    found: &mut Symptoms,
    name: &'static str,
    layer: &VerifyLayer<K, R>,
    request: Request<Body>,
) where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let app = Router::new().fallback(any(async || "handled"));
    let app = app.layer(layer.clone());
    let response = answer(app, request).await;
    let refusal: &Refusal = response
        .extensions()
        .get()
        .unwrap_or_else(|| panic!("{name}: accepted"));
    found.insert(name, Some(refusal.code()), refusal.to_string());
}

/// A signed request, changed after signing.
fn post(change: impl FnOnce(&mut Request<Body>)) -> Request<Body> {
    let tenant = HeaderName::from_static("x-tenant");
    let mut request = signed::post("/account", "body");
    let value = HeaderValue::from_static("one");
    request.headers_mut().insert(&tenant, value);
    let signer = billing().with_covered_header(tenant).unwrap();
    let mut request = signed::at(NOW, &signer, request).map(Body::from);
    change(&mut request);
    request
}

fn with(mut request: Request<Body>, name: &'static str, value: &'static str) -> Request<Body> {
    let value = HeaderValue::from_static(value);
    request.headers_mut().append(name, value);
    request
}

fn set(name: &'static str, value: &'static str) -> Request<Body> {
    post(|request| {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    })
}

fn without(name: &'static str) -> Request<Body> {
    post(|request| {
        request.headers_mut().remove(name);
    })
}

/// The request of a scheme that signs the body itself.
fn in_full(signer: &Signer, path: &str) -> Request<Bytes> {
    let (mut parts, body) = signed::post(path, "body").into_parts();
    let signature = signer.sign(&parts, &body[..], NOW).unwrap();
    signature.apply(&mut parts);
    Request::from_parts(parts, body)
}

async fn no_signature(found: &mut Symptoms) {
    let unsigned = || signed::get("/").map(Body::from);
    for (name, request) in [
        ("no signature", unsigned()),
        (
            "a user's token",
            with(unsigned(), AUTHORIZATION.as_str(), "Bearer token"),
        ),
        (
            "a scheme that is not enabled",
            with(unsigned(), "webhook-signature", WEBHOOK),
        ),
        (
            "a draft before RFC 9421",
            with(unsigned(), "signature", "keyId=\"billing\""),
        ),
    ] {
        refused(found, name, &verify(), request).await;
    }
}

async fn unreadable_heads(found: &mut Symptoms) {
    for (name, request) in [
        (
            "two credentials",
            with(post(|_| {}), "authorization", "Basic YTpi"),
        ),
        ("no date", without("x-date")),
        (
            "a date in another form",
            set("x-date", "2026-01-02T03:04:05Z"),
        ),
        ("another Host than the URL's", set("host", "elsewhere")),
        (
            "no host",
            post(|request| *request.uri_mut() = "/account".parse().unwrap()),
        ),
        ("a signed header that is removed", without("x-tenant")),
        (
            "a signed header that is doubled",
            with(post(|_| {}), "x-tenant", "two"),
        ),
        (
            "a hash in capitals",
            set(
                "x-content-sha256",
                "230D8358DC8E8890B4C58DEEB62912EE2F20357AE92A5CC861B98E68FE31ACB5",
            ),
        ),
        (
            "a long target",
            post(|request| {
                let long = format!("http://{AUTHORITY}/{}", "x".repeat(9000));
                *request.uri_mut() = long.parse().unwrap();
            }),
        ),
    ] {
        refused(found, name, &verify(), request).await;
    }
    let both = Verifier::builder().accept(messages());
    let both = verify().with_verifier(both.build().unwrap());
    let twice = with(post(|_| {}), "signature-input", "a=()");
    let twice = with(twice, "signature", "a=:AA==:");
    refused(found, "two signatures", &both, twice).await;
}

async fn hosts_and_coverage(found: &mut Symptoms) {
    let other = verify().with_expected_hosts(["elsewhere"]).unwrap();
    refused(found, "a host that is not expected", &other, post(|_| {})).await;

    let three = billing().insecure_three_headers();
    let three = signed::at(NOW, &three, signed::get("/")).map(Body::from);
    refused(found, "no nonce", &verify(), three).await;
    let typed = set(CONTENT_TYPE.as_str(), "text/plain");
    refused(found, "an unsigned content type", &verify(), typed).await;
    let encoded = set(CONTENT_ENCODING.as_str(), "gzip");
    refused(found, "an unsigned encoding", &verify(), encoded).await;

    let token = HeaderName::from_static("x-user-token");
    let requiring = Verifier::builder().require_headers([token]);
    let requiring = verify().with_verifier(requiring.build().unwrap());
    let name = "a required header that is not signed";
    refused(found, name, &requiring, post(|_| {})).await;

    let (key, settings) = django();
    let verifier = Verifier::builder().accept_only(settings);
    let layer = VerifyLayer::new(keyring("django", &key)).with_clock(|| NOW);
    let layer = layer.with_verifier(verifier.build().unwrap());
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let elsewhere = in_full(&signer, "/other").map(Body::from);
    refused(found, "a route that is not set", &layer, elsewhere).await;
}

async fn dates(found: &mut Symptoms) {
    let old = NOW.saturating_sub(HOUR);
    let old = signed::at(old, &billing(), signed::get("/")).map(Body::from);
    refused(found, "an old date", &verify(), old).await;

    let layer = Verifier::builder().accept_only(messages());
    let layer = verify().with_verifier(layer.build().unwrap());
    let unsigned = signed::get("/").map(Body::from);
    let input = "a=(\"@method\" \"@authority\" \"@path\" \"@query\");created=1767323045000;keyid=\"billing\";nonce=\"n-1\"";
    let milliseconds = with(unsigned, "signature-input", input);
    let signature = "a=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:";
    let milliseconds = with(milliseconds, "signature", signature);
    refused(found, "milliseconds", &layer, milliseconds).await;

    // The date is judged in time, and the claim is made an hour after it.
    let asked = AtomicI64::new(0);
    let slow = verify().with_clock(move || {
        let is_late = asked.fetch_add(1, Ordering::Relaxed) >= 2;
        NOW.saturating_add(if is_late { HOUR } else { Duration::ZERO })
    });
    let slow = slow.with_clock_difference(Duration::ZERO);
    refused(found, "a claim after the date", &slow, post(|_| {})).await;
}

async fn keys(found: &mut Symptoms) {
    for (name, caller, secret) in [
        ("an unknown caller", "nobody", SECRET),
        ("a wrong key", "billing", OTHER_SECRET),
    ] {
        let signer = signer(caller, hmac_key(secret), AUTHORITY);
        let request = signed::at(NOW, &signer, signed::get("/")).map(Body::from);
        refused(found, name, &verify(), request).await;
    }

    let key = CallerKey::new("2026-01", hmac_key(SECRET).verifying_key()).unwrap();
    for (name, key) in [
        (
            "a revoked key",
            key.clone().with_validity(KeyState::Revoked),
        ),
        (
            "a key that is not valid yet",
            key.clone()
                .with_validity(Validity::new().with_not_before(NOW.saturating_add(HOUR))),
        ),
        (
            "a key that is no longer valid",
            key.with_validity(Validity::new().with_not_after(NOW)),
        ),
    ] {
        let keys = Keyring::builder().caller("billing", key);
        let layer = VerifyLayer::new(keys.build().unwrap()).with_clock(|| NOW);
        refused(found, name, &layer, post(|_| {})).await;
    }

    let settings = StandardWebhooksVerifySettings::for_caller("billing").unwrap();
    let settings = settings.with_route(Method::POST, "/hook").unwrap();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let layer = verify().with_verifier(verifier);
    let webhook = in_full(&webhooks(), "/hook").map(Body::from);
    refused(found, "a key of another scheme", &layer, webhook).await;
}

/// RFC 9421 with shared secrets, which needs no expected hosts.
fn messages() -> MessageSignaturesVerifySettings {
    MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256)
}

/// A sender of webhooks.
fn webhooks() -> Signer {
    let key = SigningKey::standard_webhooks(&Secret::from_hex(SECRET).unwrap());
    Signer::standard_webhooks([key], [AUTHORITY]).unwrap()
}

async fn bodies(found: &mut Symptoms) {
    type Piece = Result<Frame<Bytes>, BoxError>;
    let body = |body: Body| post(|request| *request.body_mut() = body);

    let small = BodyLimits::default().with_max_bytes(3);
    let small = verify().with_body_limits(small);
    refused(found, "a large body", &small, post(|_| {})).await;
    let limited = Limited::new(Full::new(Bytes::from_static(b"body")), 3);
    let limited = body(Body::new(limited));
    refused(found, "a limit of an outer layer", &verify(), limited).await;
    let endless = StreamBody::new(futures::stream::pending::<Piece>());
    let endless = body(Body::new(endless));
    refused(found, "a slow body", &verify(), endless).await;

    let other = body(Body::from("another body"));
    refused(found, "another body", &verify(), other).await;
    let more = signed::at(NOW, &billing(), signed::get("/")).map(|_| Body::from("body"));
    let name = "a body where none was signed";
    refused(found, name, &verify(), more).await;
    let pieces: [Piece; 2] = [
        Ok(Frame::data(Bytes::from_static(b"bo"))),
        Err("reset".into()),
    ];
    let broken = StreamBody::new(futures::stream::iter(pieces));
    let broken = body(Body::new(broken));
    refused(found, "a body that broke off", &verify(), broken).await;
}

/// Adds what the second of two equal requests is refused with.
async fn second<K: KeyStore + Clone>(
    found: &mut Symptoms,
    name: &'static str,
    layer: &VerifyLayer<K>,
    request: Request<Bytes>,
) {
    let app = Router::new().fallback(any(async || "handled"));
    let app = app.layer(layer.clone());
    let first = answer(app, request.clone().map(Body::from)).await;
    assert_eq!(first.status(), 200, "{name}");
    refused(found, name, layer, request.map(Body::from)).await;
}

async fn copies(found: &mut Symptoms) {
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    second(found, "a nonce again", &verify(), request).await;

    let key = SigningKey::standard_webhooks(&Secret::from_hex(SECRET).unwrap());
    let settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let settings = settings.with_route(Method::POST, "/hook").unwrap();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let layer = VerifyLayer::new(keyring("svix", &key)).with_clock(|| NOW);
    let layer = layer.with_verifier(verifier);
    let webhook = in_full(&webhooks(), "/hook");
    second(found, "a webhook again", &layer, webhook).await;

    let (key, settings) = django();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let layer = VerifyLayer::new(keyring("django", &key)).with_clock(|| NOW);
    let layer = layer.with_verifier(verifier);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let request = in_full(&signer, "/drf");
    second(found, "a signature of Django again", &layer, request).await;
}

/// A store that fails.
#[derive(Clone, Copy)]
struct Down;

impl KeyStore for Down {
    async fn lookup(&self, _: &str) -> Result<CallerKeys, Unavailable> {
        Err(Unavailable::new("key store").with_source("connection refused"))
    }
}

impl ReplayStore for Down {
    async fn claim(&self, _: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Err(Unavailable::new("replay store").with_source("connection refused"))
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

async fn stores(found: &mut Symptoms) {
    let store = MemoryReplayStore::builder().quota_per_caller(1);
    let full = verify().with_replay_store(store.build().unwrap());
    let app = Router::new().fallback(any(async || "handled"));
    let first = answer(app.layer(full.clone()), post(|_| {})).await;
    assert_eq!(first.status(), 200);
    refused(found, "a quota that is used up", &full, post(|_| {})).await;

    let keys = VerifyLayer::new(Down).with_clock(|| NOW);
    refused(found, "no key store", &keys, post(|_| {})).await;
    let nonces = verify().with_replay_store(Down);
    refused(found, "no replay store", &nonces, post(|_| {})).await;
    let poor = BodyLimits::default().with_total_bytes(3);
    let poor = verify().with_body_limits(poor);
    refused(found, "no room for bodies", &poor, post(|_| {})).await;
}

async fn authorization(found: &mut Symptoms) {
    let policy = |effect: &str, callers: &str| {
        let text = format!(
            "[[statements]]\nid = \"s\"\neffect = \"{effect}\"\ncallers = [\"{callers}\"]\nmethods = [\"POST\"]\npaths = [\"/**\"]\n"
        );
        AuthorizeLayer::new(Policy::from_toml(&text).unwrap())
    };
    let routes = || Router::new().fallback(any(async || "handled"));
    let slashes = signed::at(NOW, &billing(), signed::post("//a", "")).map(Body::from);
    for (name, app, request) in [
        (
            "no statement",
            routes().layer(policy("allow", "audit")).layer(verify()),
            post(|_| {}),
        ),
        (
            "a statement that denies",
            routes().layer(policy("deny", "billing")).layer(verify()),
            post(|_| {}),
        ),
        (
            "no verified caller",
            routes().layer(policy("allow", "*")),
            post(|_| {}),
        ),
        (
            "a caller that is not listed",
            routes().layer(AllowCallers::new(["audit"])).layer(verify()),
            post(|_| {}),
        ),
        (
            "a path in another form",
            routes().layer(policy("allow", "*")).layer(verify()),
            slashes,
        ),
    ] {
        let response = answer(app, request).await;
        let forbidden: &Forbidden = response.extensions().get().unwrap();
        let (code, reason) = (forbidden.code(), forbidden.reason().to_string());
        found.insert(name, Some(code), reason);
    }
}
