//! The DRF scheme with Django REST framework, and Standard Webhooks with the reference libraries,
//! both ways.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use countersign::{
    CallerKey, DrfVerifySettings, Keyring, Scheme, Secret, Signer, SigningKey,
    StandardWebhooksVerifySettings, Timestamp, Verifier,
};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use tower_countersign::VerifyLayer;

use super::{
    caller::Call,
    changes::{self, Bound},
    peers::{Peer, binary, request},
    service::{Sent, Service},
};

const DRF_SECRET: &str = "f7Yk2-drf secret that two services share";
const WEBHOOK_SECRET: &str = "whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=";
const JSON: &str = r#"{"text":"żółw","user_id":1}"#;

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn drf_key() -> SigningKey {
    SigningKey::drf(&Secret::from_text(DRF_SECRET).unwrap())
}

fn webhook_key() -> SigningKey {
    SigningKey::standard_webhooks(&Secret::from_webhook_secret(WEBHOOK_SECRET).unwrap())
}

fn keys(caller: &str, key: &SigningKey) -> Keyring {
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    Keyring::builder().caller(caller, key).build().unwrap()
}

async fn drf_service() -> Service {
    Service::start(|_| {
        let django = DrfVerifySettings::for_caller("django")
            .and_then(|verify_settings| verify_settings.with_route(Method::POST, "/api/echo"))
            .and_then(|verify_settings| {
                verify_settings.with_route(Method::GET, "/api/echo?q=%C3%BC%20x")
            });
        let verifier = Verifier::builder().accept_only(django.unwrap());
        VerifyLayer::new(keys("django", &drf_key())).with_verifier(verifier.build().unwrap())
    })
    .await
}

async fn webhook_service() -> Service {
    Service::start(|_| {
        let sender = StandardWebhooksVerifySettings::for_caller("sender")
            .and_then(|verify_settings| verify_settings.with_route(Method::POST, "/api/echo"));
        let verifier = Verifier::builder().accept_only(sender.unwrap());
        VerifyLayer::new(keys("sender", &webhook_key())).with_verifier(verifier.build().unwrap())
    })
    .await
}

/// Nothing that is bound can be changed, nothing else can be reached, nothing is taken twice or
/// late.
async fn assert_bound(service: &Service, sent: &Sent, bound: &Bound, later: Duration) {
    let again = service.judge(sent).await;
    assert_eq!(again.status, 200, "{sent:?} as it is: {again:?}");
    for (name, changed) in changes::all(sent, bound) {
        let answer = service.judge(&changed).await;
        assert_eq!(answer.status, 401, "{name}: {answer:?} for {changed:?}");
    }
    for (name, changed) in [
        (
            "another route",
            sent.clone().with_target(|_| "/api/account/1".to_owned()),
        ),
        ("another method", sent.clone().with_method("DELETE")),
    ] {
        let answer = service.judge(&changed).await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.body["error"], "insufficient_coverage", "{name}");
    }
    let late = service.judge_at(sent, now().saturating_add(later)).await;
    assert_eq!(late.body["error"], "expired");
}

#[tokio::test]
#[ignore = "needs python"]
async fn the_django_articles_sender_calls_us() {
    let service = drf_service().await;
    let json = json!({"name": "json", "method": "POST", "target": "/api/echo", "json": {"text": "żółw", "user_id": 1}});
    let requests = [
        request("get", "GET", "/api/echo?q=%C3%BC%20x", None),
        json,
        request(
            "binary",
            "POST",
            "/api/echo",
            Some(("application/octet-stream", &binary())),
        ),
    ];
    let config = json!({"url": service.url(), "secret": DRF_SECRET});
    let answers = Peer::Python("drf_send").send(config, &requests).await;
    for answer in &answers {
        assert_eq!(answer["status"], 200, "{answer}");
        let echo: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(echo["caller"], "django", "{answer}");
        assert_eq!(echo["scheme"], Scheme::Drf.name());
        assert_eq!(echo["replay_protected"], true);
    }
    let sent = service.take_sent();
    assert_eq!(sent.len(), 3);
    let bound = Bound {
        request_line: false,
        headers: ["x-hmac-timestamp", "x-hmac-signature"]
            .map(str::to_owned)
            .into(),
        body: true,
    };
    for sent in &sent {
        assert_bound(&service, sent, &bound, Duration::from_secs(62)).await;
    }
}

#[tokio::test]
#[ignore = "needs python"]
async fn we_call_a_django_rest_framework_service() {
    let service = Peer::Python("drf_receive")
        .receive(&json!({"secret": DRF_SECRET}))
        .await;
    let to = service.authority.as_str();
    let signer = Signer::drf(drf_key(), [to]).unwrap();
    let json = Call::post("/v1/infer", "application/json", JSON.as_bytes());
    for (name, call) in [
        ("get", Call::get("/any/path?q=%C3%BC%20x&q=2")),
        ("the article's view", json.clone()),
        (
            "binary",
            Call::post("/upload", "application/octet-stream", &binary()),
        ),
    ] {
        let answer = call.send(&signer, to).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let other = Signer::drf(
        SigningKey::drf(&Secret::from_text("another secret of thirty-two chars").unwrap()),
        [to],
    );
    let wrong = json.send(&other.unwrap(), to).await;
    assert_eq!(wrong.status, 403, "{wrong:?}");
    let early = now().saturating_sub(Duration::from_secs(90));
    let stale = json.send_changed(&signer, to, early, |_, _| {}).await;
    assert_eq!(stale.status, 403, "{stale:?}");
    let changed = json
        .send_changed(&signer, to, now(), |_, body| {
            *body = Bytes::from_static(br#"{"text":"other","user_id":1}"#);
        })
        .await;
    assert_eq!(changed.status, 403, "{changed:?}");
    service.stop().await;
}

async fn webhook_library_calls_us(peer: Peer) {
    let service = webhook_service().await;
    let mut message = request(
        "json",
        "POST",
        "/api/echo",
        Some(("application/json", JSON.as_bytes())),
    );
    message["id"] = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".into();
    let mut empty = request("empty", "POST", "/api/echo", Some(("text/plain", b"")));
    empty["id"] = "msg_2".into();
    // The sender tries again: the same id, another time.
    let mut retry = message.clone();
    retry["timestamp"] = (now().as_unix_seconds() + 2).into();
    let config = json!({"url": service.url(), "secret": WEBHOOK_SECRET});
    let answers = peer.send(config, &[message, empty, retry]).await;
    let keys: Vec<_> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer["status"], 200, "{peer:?}: {answer}");
            let echo: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(echo["caller"], "sender", "{answer}");
            echo["idempotency_key"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        keys,
        [
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "msg_2",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"
        ]
    );
    let bound = Bound {
        request_line: false,
        headers: ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .map(str::to_owned)
            .into(),
        body: true,
    };
    for sent in service.take_sent() {
        assert_bound(&service, &sent, &bound, Duration::from_secs(310)).await;
    }
}

#[tokio::test]
#[ignore = "needs node"]
async fn standardwebhooks_of_npm_calls_us() {
    webhook_library_calls_us(Peer::Node("webhooks_send")).await;
}

#[tokio::test]
#[ignore = "needs python"]
async fn standardwebhooks_of_pypi_calls_us() {
    webhook_library_calls_us(Peer::Python("webhooks_send")).await;
}

async fn we_call_a_webhook_library(peer: Peer) {
    let service = peer.receive(&json!({"secret": WEBHOOK_SECRET})).await;
    let to = service.authority.as_str();
    let message = Call::post("/hook?source=eu", "application/json", JSON.as_bytes());
    let new = SigningKey::standard_webhooks(&Secret::generate().unwrap());
    let one = Signer::standard_webhooks([webhook_key()], [to]).unwrap();
    let rotating = Signer::standard_webhooks([new.clone(), webhook_key()], [to]).unwrap();
    for (name, signer) in [("one key", &one), ("two keys, ours the second", &rotating)] {
        let answer = message.send(signer, to).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let other = Signer::standard_webhooks([new], [to]).unwrap();
    let wrong = message.send(&other, to).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    let early = now().saturating_sub(Duration::from_secs(400));
    let stale = message.send_changed(&one, to, early, |_, _| {}).await;
    assert_eq!(stale.status, 401, "{stale:?}");
    let body = message
        .send_changed(&one, to, now(), |_, body| {
            *body = Bytes::from_static(b"{}");
        })
        .await;
    assert_eq!(body.status, 401, "{body:?}");
    let id = message
        .send_changed(&one, to, now(), |parts, _| {
            let other = HeaderValue::from_static("msg_9");
            parts.headers.insert("webhook-id", other);
        })
        .await;
    assert_eq!(id.status, 401, "{id:?}");
    service.stop().await;
}

#[tokio::test]
#[ignore = "needs node"]
async fn we_call_standardwebhooks_of_npm() {
    we_call_a_webhook_library(Peer::Node("webhooks_receive")).await;
}

#[tokio::test]
#[ignore = "needs python"]
async fn we_call_standardwebhooks_of_pypi() {
    we_call_a_webhook_library(Peer::Python("webhooks_receive")).await;
}
