//! draft-cavage-http-signatures by the libraries of npm and PyPI, unmodified.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use countersign::{
    CallerKey, CavageSignSettings, CavageVerifySettings, Keyring, Scheme, Secret, Signer,
    SigningKey, Timestamp, Verifier, VerifyingKey,
};
use http::HeaderValue;
use serde_json::{Value, json};
use tower_countersign::VerifyLayer;

use super::{
    caller::Call,
    changes::{self, Bound},
    peers::{Peer, binary, request},
    service::Service,
};

const KEY_ID: &str = "https://social.example/users/billing#main-key";
const SECRET_TEXT: &str = "f7Yk2-a text that the gateway and its clients share";
const JSON: &str = r#"{"userId":123,"note":"żółw"}"#;

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn secret() -> SigningKey {
    SigningKey::cavage_hmac_sha256(&Secret::from_text(SECRET_TEXT).unwrap())
}

async fn service(key: VerifyingKey) -> Service {
    Service::start(move |authority| {
        let key = CallerKey::new("1", key.clone()).unwrap();
        let keys = Keyring::builder()
            .caller("billing", key.with_key_id(KEY_ID).unwrap())
            .build()
            .unwrap();
        let verifier = Verifier::builder()
            .expected_hosts([authority])
            .accept_only(CavageVerifySettings::new())
            .build()
            .unwrap();
        VerifyLayer::new(keys).with_verifier(verifier)
    })
    .await
}

/// The library signs with this secret, and we verify with this key.
async fn library_calls_us(peer: Peer, alg: &str, secret: &str, key: VerifyingKey) {
    for (in_signature_header, carrier) in [(false, "authorization"), (true, "signature")] {
        let service = service(key.clone()).await;
        let requests = [
            request("get", "GET", "/api/echo?b=2&a=%C3%BC%20x&c=x%2Fy", None),
            request(
                "json",
                "POST",
                "/api/echo",
                Some(("application/json", JSON.as_bytes())),
            ),
            request(
                "binary",
                "POST",
                "/api/echo",
                Some(("application/octet-stream", &binary())),
            ),
        ];
        let config = json!({
            "url": service.url(),
            "key_id": KEY_ID,
            "alg": alg,
            "secret": secret,
            "signature_header": in_signature_header,
        });
        for answer in peer.send(config, &requests).await {
            assert_eq!(answer["status"], 200, "{peer:?} {alg}: {answer}");
            let echo: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(echo["caller"], "billing");
            assert_eq!(echo["scheme"], Scheme::Cavage.name());
            assert_eq!(echo["replay_protected"], true);
        }
        let sent = service.take_sent();
        assert_eq!(sent.len(), 3);
        for sent in &sent {
            let again = service.judge(sent).await;
            assert_eq!(again.status, 200, "{peer:?} {alg}: {again:?}");
            let mut headers = vec!["host", "date"];
            if !sent.body.is_empty() {
                headers.push("digest");
            }
            let bound = Bound {
                request_line: true,
                headers: headers.into_iter().map(str::to_owned).collect(),
                body: true,
            };
            let mut all = changes::all(sent, &bound);
            let value = sent.header(carrier).unwrap();
            let (start, signature) = value.split_once("signature=\"").unwrap();
            // Its last letter holds bits that Base64 leaves over: the first one is changed.
            let other = if signature.starts_with('A') { 'B' } else { 'A' };
            let other = format!("{start}signature=\"{other}{}", signature.get(1..).unwrap());
            for (name, changed) in [
                ("signature", sent.clone().with_header(carrier, &other)),
                ("no signature", sent.clone().without_header(carrier)),
                ("two", sent.clone().with_header_added(carrier, &other)),
            ] {
                all.push((name.to_owned(), changed));
            }
            for (name, changed) in all {
                let answer = service.judge(&changed).await;
                assert!(
                    matches!(answer.status, 401 | 421),
                    "{peer:?} {alg}: {name}: {answer:?} for {changed:?}"
                );
            }
            let late = now().saturating_add(Duration::from_secs(400));
            let late = service.judge_at(sent, late).await;
            assert_eq!(late.body["error"], "expired", "{peer:?} {alg}");
        }
    }
}

/// The library signs with a fresh private key of this kind.
async fn library_calls_us_with_a_pair(peer: Peer, alg: &str, kind: &str) {
    let made = Peer::Node("key_pair")
        .send(json!({}), &[json!({"name": "pair", "kind": kind})])
        .await;
    let pair: Value = serde_json::from_str(made[0]["body"].as_str().unwrap()).unwrap();
    let key = VerifyingKey::cavage_from_pem(pair["public"].as_str().unwrap()).unwrap();
    library_calls_us(peer, alg, pair["private"].as_str().unwrap(), key).await;
}

#[tokio::test]
#[ignore = "needs node"]
async fn http_signature_of_npm_calls_us() {
    let peer = Peer::Node("cavage_send");
    library_calls_us(peer, "hmac-sha256", SECRET_TEXT, secret().verifying_key()).await;
}

#[tokio::test]
#[ignore = "needs node"]
async fn http_signature_of_npm_calls_us_with_a_pair_of_keys() {
    for (alg, kind) in [("rsa-sha256", "rsa"), ("ed25519-sha512", "ed25519")] {
        library_calls_us_with_a_pair(Peer::Node("cavage_send"), alg, kind).await;
    }
}

#[tokio::test]
#[ignore = "needs python"]
async fn requests_http_signature_of_pypi_calls_us() {
    let peer = Peer::Python("cavage_send");
    library_calls_us(peer, "hmac-sha256", SECRET_TEXT, secret().verifying_key()).await;
}

#[tokio::test]
#[ignore = "needs python, node"]
async fn requests_http_signature_of_pypi_calls_us_with_an_rsa_key() {
    library_calls_us_with_a_pair(Peer::Python("cavage_send"), "rsa-sha256", "rsa").await;
}

#[tokio::test]
#[ignore = "needs node"]
async fn we_call_http_signature_of_npm() {
    let service = Peer::Node("cavage_receive")
        .receive(&json!({"keys": {KEY_ID: SECRET_TEXT}}))
        .await;
    let to = service.authority.as_str();
    let settings = |key| CavageSignSettings::new(KEY_ID, key).unwrap();
    let json = Call::post("/api/echo?id=1", "application/json", JSON.as_bytes());
    for settings in [
        settings(secret()),
        settings(secret()).with_signature_header().unwrap(),
        settings(secret()).insecure_omit_nonce(),
    ] {
        let ours = Signer::cavage(settings, [to]).unwrap();
        for (name, call) in [
            ("get", Call::get("/api/echo?b=2&a=%C3%BC%20x&c=x%2Fy")),
            ("json", json.clone()),
            (
                "binary",
                Call::post("/api/echo", "application/octet-stream", &binary()),
            ),
        ] {
            let answer = call.send(&ours, to).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
        }
    }
    let ours = Signer::cavage(settings(secret()), [to]).unwrap();
    let other = SigningKey::cavage_hmac_sha256(&Secret::generate().unwrap());
    let other = Signer::cavage(settings(other), [to]).unwrap();
    let wrong = json.send(&other, to).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    let early = now().saturating_sub(Duration::from_secs(400));
    let stale = json.send_changed(&ours, to, early, |_, _| {}).await;
    assert_eq!(stale.status, 401, "{stale:?}");
    let body = json
        .send_changed(&ours, to, now(), |_, body| {
            *body = Bytes::from_static(b"{}");
        })
        .await;
    assert_eq!(body.status, 401, "{body:?}");
    let header = json
        .send_changed(&ours, to, now(), |parts, _| {
            let other = HeaderValue::from_static("text/plain");
            parts.headers.insert("content-type", other);
        })
        .await;
    assert_eq!(header.status, 401, "{header:?}");
    let target = json
        .send_changed(&ours, to, now(), |parts, _| {
            parts.uri = format!("http://{to}/api/echo?id=2").parse().unwrap();
        })
        .await;
    assert_eq!(target.status, 401, "{target:?}");
    service.stop().await;
}
