//! What the layer refuses beside the verifier.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use countersign::{
    KeyStore, Keyring, MemoryReplayStore, ReplayStore, Secret, Signer, SigningKey,
    StandardWebhooksVerifySettings, Verifier,
};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use tests::{
    keys::{NOW, SECRET, django, hmac_key, keyring},
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, Refusal, RequestBody, UncoveredHeaders, VerifyLayer};

/// A part of a body.
type Frame = Result<http_body::Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>;

async fn refused<K, R>(layer: &VerifyLayer<K, R>, request: Request<Body>) -> Option<String>
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let handler = service_fn(|_: Request<RequestBody>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    let refusal: Option<&Refusal> = response.extensions().get();
    refusal.map(ToString::to_string)
}

fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

fn good() -> Request<Body> {
    signed::at(NOW, &billing(), signed::post("/account", "body")).map(Body::from)
}

/// The request of a scheme that signs the body itself.
fn in_full(signer: &Signer, path: &str) -> Request<Bytes> {
    let (mut parts, body) = signed::post(path, "body").into_parts();
    let signature = signer.sign(&parts, &body[..], NOW).unwrap();
    signature.apply(&mut parts);
    Request::from_parts(parts, body)
}

/// The second answer to one request.
async fn again<K, R>(layer: &VerifyLayer<K, R>, request: Request<Bytes>) -> String
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let first = refused(layer, request.clone().map(Body::from)).await;
    assert_eq!(first, None);
    refused(layer, request.map(Body::from)).await.unwrap()
}

async fn all() -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |name: &str, reason: Option<String>, expected: &str| {
        assert_eq!(reason.as_deref(), Some(expected), "{name}");
        found.extend(reason);
    };

    let strict = layer().with_uncovered_headers(UncoveredHeaders::refuse_all_but([]));
    let mut more = good();
    let value = HeaderValue::from_static("b");
    more.headers_mut().insert("x-extra", value);
    check(
        "an uncovered header",
        refused(&strict, more).await,
        "header x-extra: expected to be covered, to be absent, or to be one of UncoveredHeaders::refuse_all_but",
    );

    let nonce = countersign::Nonce::new("0123456789abcdef").unwrap();
    let (mut parts, body) = signed::post("/account", "body").into_parts();
    let digest = countersign::PayloadDigest::of(&body);
    let signature = billing().sign_with_nonce(&parts, digest, nonce, NOW);
    signature.unwrap().apply(&mut parts);
    check(
        "a nonce again",
        Some(again(&layer(), Request::from_parts(parts, body)).await),
        "nonce: expected a new one, found \"0123456789abcdef\" again",
    );

    let key = SigningKey::standard_webhooks(&Secret::from_hex(SECRET).unwrap());
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let verify_settings = verify_settings.with_route(Method::POST, "/hook").unwrap();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let webhooks = VerifyLayer::new(keyring("svix", &key))
        .with_verifier(verifier)
        .with_clock(|| NOW);
    let mut message = signed::post("/hook", "body");
    message
        .headers_mut()
        .insert("webhook-id", HeaderValue::from_static("msg_1"));
    let signer = Signer::standard_webhooks([key], [AUTHORITY]).unwrap();
    let (mut parts, body) = message.into_parts();
    let signature = signer.sign(&parts, &body[..], NOW).unwrap();
    signature.apply(&mut parts);
    let id = parts.headers["webhook-id"].to_str().unwrap().to_owned();
    check(
        "a message again",
        Some(again(&webhooks, Request::from_parts(parts, body)).await),
        &format!(
            "webhook-id: expected a new one of this webhook-timestamp, found \"{id}\" of 1767323045 again"
        ),
    );

    let (key, verify_settings) = django();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let drf = VerifyLayer::new(keyring("django", &key))
        .with_verifier(verifier)
        .with_clock(|| NOW);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    check(
        "a signature again",
        Some(again(&drf, in_full(&signer, "/drf")).await),
        "signature: expected a new one, found one that was used before",
    );

    let (key, verify_settings) = django();
    let verify_settings = verify_settings.insecure_replay_once_per_route();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let drf = VerifyLayer::new(keyring("django", &key))
        .with_verifier(verifier)
        .with_clock(|| NOW);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    check(
        "a signature again on one route",
        Some(again(&drf, in_full(&signer, "/drf")).await),
        "signature: expected a new one on this route, found one that was used here before",
    );

    let store = MemoryReplayStore::builder().quota_per_caller(1);
    let full = layer().with_replay_store(store.build().unwrap());
    assert_eq!(refused(&full, good()).await, None);
    check(
        "over quota",
        refused(&full, good()).await,
        "replay store: expected the caller within its quota of live nonces, found it used up; the quota is a setting of the store, such as MemoryReplayStoreBuilder::quota_per_caller",
    );

    let with = |limits: BodyLimits| layer().with_body_limits(limits);
    let small = with(BodyLimits::default().with_max_bytes(3));
    check(
        "a large body",
        refused(&small, good()).await,
        "body: expected at most 3 bytes, found at least 4 (see BodyLimits::with_max_bytes)",
    );
    let fast = with(BodyLimits::default().with_deadline(Duration::ZERO));
    let endless = http_body_util::StreamBody::new(futures::stream::pending::<Frame>());
    check(
        "a slow body",
        refused(&fast, good().map(|_| Body::new(endless))).await,
        "body: expected its end within 0ns, found 0 bytes by then (see BodyLimits::with_deadline)",
    );
    let broken: [Frame; 2] = [
        Ok(http_body::Frame::data(Bytes::from_static(b"bo"))),
        Err("reset".into()),
    ];
    let broken = http_body_util::StreamBody::new(futures::stream::iter(broken));
    check(
        "a body that broke off",
        refused(&layer(), good().map(|_| Body::new(broken))).await,
        "body: expected its end, found that it broke off after 2 bytes",
    );
    let limited = http_body_util::Limited::new(Full::new(Bytes::from_static(b"body")), 3);
    check(
        "a body that a layer outside limits",
        refused(&layer(), good().map(|_| Body::new(limited))).await,
        "body: expected no more than the limit of a layer outside this one, found more",
    );

    let asked = AtomicI64::new(0);
    let slow = layer().with_clock(move || {
        // One answer is for the layer, one for the date, and the claim is made an hour after it.
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        NOW.saturating_add(Duration::from_secs(if asked < 2 { 0 } else { 3600 }))
    });
    let reason = refused(&slow.with_clock_difference(Duration::ZERO), good()).await;
    check(
        "a claim after the date",
        reason,
        "claim of the nonce: expected before 2026-01-02T03:09:35Z, when the date is over, found at 2026-01-02T04:04:05Z",
    );
    found
}

pub(crate) fn reasons() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(all())
}
