//! RFC 9421 by the http-message-signatures libraries of npm and PyPI, both ways.

use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use countersign::{
    CallerKey, Keyring, MessageSignaturesSignSettings, MessageSignaturesVerifySettings, Scheme,
    Secret, Signer, SigningKey, Timestamp, Verifier,
};
use ed25519_dalek::SigningKey as Ed25519;
use http::HeaderValue;
use serde_json::{Value, json};
use tests::keys::SECRET;
use tower_countersign::VerifyLayer;

use super::{
    caller::Call,
    changes::{self, Bound},
    peers::{Peer, binary, request},
    service::Service,
};

const KEY_ID: &str = "billing/2026-01";
const JSON: &str = r#"{"userId":123,"note":"żółw"}"#;

fn now() -> Timestamp {
    SystemTime::now().into()
}

fn secret() -> Secret {
    Secret::from_hex(SECRET).unwrap()
}

fn key(alg: &str) -> SigningKey {
    match alg {
        "hmac-sha256" => SigningKey::message_hmac_sha256(&secret()),
        _ => SigningKey::message_ed25519(&secret()).unwrap(),
    }
}

fn secret_base64() -> String {
    Base64::encode_string(&base16ct::mixed::decode_vec(SECRET).unwrap())
}

fn public_base64() -> String {
    let seed = base16ct::mixed::decode_vec(SECRET).unwrap();
    let seed: [u8; 32] = seed.as_slice().try_into().unwrap();
    Base64::encode_string(Ed25519::from_bytes(&seed).verifying_key().as_bytes())
}

async fn service(alg: &'static str) -> Service {
    Service::start(move |authority| {
        let key = CallerKey::new("1", key(alg).verifying_key()).unwrap();
        let keys = Keyring::builder()
            .caller("billing", key.with_key_id(KEY_ID).unwrap())
            .build()
            .unwrap();
        let verifier = Verifier::builder()
            .expected_hosts([authority])
            .accept_only(MessageSignaturesVerifySettings::new())
            .build()
            .unwrap();
        VerifyLayer::new(keys).with_verifier(verifier)
    })
    .await
}

async fn library_calls_us(peer: Peer) {
    for alg in ["hmac-sha256", "ed25519"] {
        let service = service(alg).await;
        let covering = |mut request: Value| {
            let mut components = vec!["@method", "@authority", "@path", "@query"];
            if !request["body"].is_null() {
                components.extend(["content-digest", "content-type"]);
            }
            request["components"] = json!(components);
            request
        };
        let requests = [
            covering(request(
                "get",
                "GET",
                "/api/echo?b=2&a=%C3%BC%20x&c=x%2Fy",
                None,
            )),
            covering(request(
                "json",
                "POST",
                "/api/echo",
                Some(("application/json", JSON.as_bytes())),
            )),
            covering(request(
                "binary",
                "POST",
                "/api/echo",
                Some(("application/octet-stream", &binary())),
            )),
        ];
        let mut sent = Vec::new();
        for request in requests {
            let config = json!({
                "url": service.url(),
                "key_id": KEY_ID,
                "alg": alg,
                "secret": secret_base64(),
                "components": request["components"],
            });
            let answers = peer.send(config, std::slice::from_ref(&request)).await;
            assert_eq!(answers[0]["status"], 200, "{peer:?} {alg}: {}", answers[0]);
            let body = answers[0]["body"].as_str().unwrap();
            let echo: Value = serde_json::from_str(body).unwrap();
            assert_eq!(echo["caller"], "billing");
            assert_eq!(echo["scheme"], Scheme::MessageSignatures.name());
            assert_eq!(echo["replay_protected"], true);
            sent.extend(service.take_sent());
        }
        assert_eq!(sent.len(), 3);
        for sent in &sent {
            let again = service.judge(sent).await;
            assert_eq!(again.status, 200, "{peer:?} {alg}: {again:?}");
            let mut headers = vec!["host", "signature-input"];
            if !sent.body.is_empty() {
                headers.extend(["content-digest", "content-type"]);
            }
            let bound = Bound {
                request_line: true,
                headers: headers.into_iter().map(str::to_owned).collect(),
                body: true,
            };
            let mut all = changes::all(sent, &bound);
            // Its last letter holds bits that Base64 leaves over: the first one is changed.
            let (label, signature) = sent.header("signature").unwrap().split_once("=:").unwrap();
            let other = if signature.starts_with('A') { 'B' } else { 'A' };
            let other = format!("{label}=:{other}{}", signature.get(1..).unwrap());
            for (name, changed) in [
                ("signature", sent.clone().with_header("signature", &other)),
                ("no signature", sent.clone().without_header("signature")),
                ("two", sent.clone().with_header_added("signature", &other)),
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

#[tokio::test]
#[ignore = "needs node"]
async fn http_message_signatures_of_npm_calls_us() {
    library_calls_us(Peer::Node("message_signatures_send")).await;
}

#[tokio::test]
#[ignore = "needs python"]
async fn http_message_signatures_of_pypi_calls_us() {
    library_calls_us(Peer::Python("message_signatures_send")).await;
}

async fn we_call_a_library(peer: Peer) {
    for alg in ["hmac-sha256", "ed25519"] {
        let known = match alg {
            "hmac-sha256" => json!({"alg": alg, "secret": secret_base64()}),
            // The two libraries' programs name it differently.
            _ => json!({"alg": alg, "public": public_base64(), "public_key": public_base64()}),
        };
        let service = peer
            .receive(&json!({"keys": {KEY_ID: known}, "max_age": 300}))
            .await;
        let to = service.authority.as_str();
        let signer = |key| {
            let settings = MessageSignaturesSignSettings::new(KEY_ID, key).unwrap();
            Signer::message_signatures(settings, [to]).unwrap()
        };
        let ours = signer(key(alg));
        let json = Call::post("/api/echo?id=1", "application/json", JSON.as_bytes());
        for (name, call) in [
            ("get", Call::get("/api/echo?b=2&a=%C3%BC%20x&c=x%2Fy")),
            ("json", json.clone()),
            (
                "binary",
                Call::post("/api/echo", "application/octet-stream", &binary()),
            ),
        ] {
            let answer = call.send(&ours, to).await;
            assert_eq!(answer.status, 200, "{peer:?} {alg}: {name}: {answer:?}");
        }
        let other = Secret::generate().unwrap();
        let other = match alg {
            "hmac-sha256" => SigningKey::message_hmac_sha256(&other),
            _ => SigningKey::message_ed25519(&other).unwrap(),
        };
        let wrong = json.send(&signer(other), to).await;
        assert_eq!(wrong.status, 401, "{peer:?} {alg}: {wrong:?}");
        let early = now().saturating_sub(Duration::from_secs(400));
        let stale = json.send_changed(&ours, to, early, |_, _| {}).await;
        assert_eq!(stale.status, 401, "{peer:?} {alg}: {stale:?}");
        let body = json
            .send_changed(&ours, to, now(), |_, body| {
                *body = Bytes::from_static(b"{}");
            })
            .await;
        assert_eq!(body.status, 401, "{peer:?} {alg}: {body:?}");
        let header = json
            .send_changed(&ours, to, now(), |parts, _| {
                let other = HeaderValue::from_static("text/plain");
                parts.headers.insert("content-type", other);
            })
            .await;
        assert_eq!(header.status, 401, "{peer:?} {alg}: {header:?}");
        let target = json
            .send_changed(&ours, to, now(), |parts, _| {
                parts.uri = format!("http://{to}/api/echo?id=2").parse().unwrap();
            })
            .await;
        assert_eq!(target.status, 401, "{peer:?} {alg}: {target:?}");
        service.stop().await;
    }
}

#[tokio::test]
#[ignore = "needs node"]
async fn we_call_http_message_signatures_of_npm() {
    we_call_a_library(Peer::Node("message_signatures_receive")).await;
}

#[tokio::test]
#[ignore = "needs python"]
async fn we_call_http_message_signatures_of_pypi() {
    we_call_a_library(Peer::Python("message_signatures_receive")).await;
}
