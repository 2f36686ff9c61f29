//! Accepted and refused calls.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use countersign::{PayloadDigest, Secret, Signer, SigningKey, Timestamp};
use http::{Request, header::CONTENT_TYPE, request::Builder};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};

use crate::process::Process;

pub(crate) const OLD: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
pub(crate) const NEW: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

pub(crate) fn secrets(key: &str) -> String {
    format!("{{\"billing\":\"{key}\"}}")
}

pub(crate) fn signer(key: &str, authority: &str) -> Signer {
    let key = SigningKey::hmac_sha256(&Secret::from_hex(key).unwrap());
    Signer::new("billing", key, [authority]).unwrap()
}

pub(crate) fn sign(signer: &Signer, request: Request<&'static str>) -> Request<&'static str> {
    sign_at(signer, request, SystemTime::now())
}

fn sign_at(
    signer: &Signer,
    request: Request<&'static str>,
    now: SystemTime,
) -> Request<&'static str> {
    let (mut parts, body) = request.into_parts();
    let now = Timestamp::from(now);
    // Sign the bytes, not their digest: some schemes sign no digest.
    let signature = signer.sign(&parts, body.as_bytes(), now).unwrap();
    signature.apply(&mut parts);
    Request::from_parts(parts, body)
}

/// Sends a request unchanged, and returns the status and the body, as JSON or else as text.
pub(crate) async fn send(request: Request<&'static str>) -> (u16, Value) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client
        .request(request.map(|body| Full::new(Bytes::from(body))))
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = || Value::from(String::from_utf8_lossy(&body));
    (
        status,
        serde_json::from_slice(&body).unwrap_or_else(|_| text()),
    )
}

/// Starts a process with one caller. Returns it, the URL of its root, and a signer.
fn start() -> (Process, String, Signer) {
    let process = Process::start(&[("SERVICE_SECRETS", &secrets(OLD))]);
    let root = format!("http://{}", process.authority());
    let signer = signer(OLD, process.authority());
    (process, root, signer)
}

fn post_json(uri: String) -> Builder {
    Request::post(uri).header(CONTENT_TYPE, "application/json")
}

#[tokio::test]
async fn answers_a_caller_by_its_name() {
    let (_process, root, signer) = start();
    for (id, status) in [(7, "active"), (13, "suspended"), (99, "suspended")] {
        let request = Request::get(format!("{root}/api/account/{id}")).body("");
        assert_eq!(
            send(sign(&signer, request.unwrap())).await,
            (
                200,
                json!({ "id": id, "status": status, "caller": "billing" })
            ),
        );
    }
}

#[tokio::test]
async fn remembers_what_a_caller_changes() {
    let (_process, root, signer) = start();
    let url = format!("{root}/api/account/7");
    for (update, status) in [
        (r#"{"status":"suspended"}"#, "suspended"),
        (r#"{ "status": "active" }"#, "active"),
    ] {
        let expected = json!({ "id": 7, "status": status, "caller": "billing" });
        let request = post_json(url.clone()).body(update).unwrap();
        assert_eq!(
            send(sign(&signer, request)).await,
            (200, expected.clone()),
            "{update}"
        );
        let request = Request::get(&url).body("").unwrap();
        assert_eq!(
            send(sign(&signer, request)).await,
            (200, expected),
            "{update}"
        );
    }
}

#[tokio::test]
async fn a_signed_body_that_makes_no_sense_is_the_callers_mistake() {
    let (_process, root, signer) = start();
    for (name, path, content_type, body) in [
        ("no JSON", "/api/account/7", "application/json", "{"),
        ("no content", "/api/account/7", "application/json", ""),
        (
            "another member",
            "/api/account/7",
            "application/json",
            r#"{"status":"active","id":8}"#,
        ),
        (
            "another status",
            "/api/account/7",
            "application/json",
            r#"{"status":"rich"}"#,
        ),
        (
            "another type",
            "/api/account/7",
            "text/plain",
            r#"{"status":"active"}"#,
        ),
        (
            "no number",
            "/api/account/seven",
            "application/json",
            r#"{"status":"active"}"#,
        ),
    ] {
        let request = Request::post(format!("{root}{path}"))
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .unwrap();
        let (status, _) = send(sign(&signer, request)).await;
        assert!((400..500).contains(&status), "{name}: {status}");
        assert_ne!(status, 401, "{name}");
    }
}

#[tokio::test]
async fn echoes_what_arrived() {
    let (_process, root, signer) = start();
    for body in ["", "hello", "{\"not\": json\r\n", "żółw"] {
        let request = Request::post(format!("{root}/api/echo")).body(body);
        assert_eq!(
            send(sign(&signer, request.unwrap())).await,
            (
                200,
                json!({
                    "caller": "billing",
                    "len": body.len(),
                    "sha256": PayloadDigest::of(body.as_bytes()).to_string(),
                })
            ),
            "{body:?}"
        );
    }
}

#[tokio::test]
async fn only_the_health_check_is_open() {
    let (_process, root, _) = start();
    let health = Request::get(format!("{root}/healthz")).body("").unwrap();
    assert_eq!(send(health).await, (200, json!("ok")));
    for (method, path) in [
        ("GET", "/api/account/7"),
        ("POST", "/api/account/7"),
        ("DELETE", "/api/account/7"),
        ("POST", "/api/echo"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("{root}{path}"));
        assert_eq!(
            send(request.body("").unwrap()).await,
            (401, json!({ "error": "missing_signature" })),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn refuses_what_is_not_as_it_was_signed() {
    let (process, root, signer) = start();
    let url = format!("{root}/api/account/7");
    let request = || {
        post_json(url.clone())
            .body(r#"{"status":"active"}"#)
            .unwrap()
    };

    let mut tampered_body = sign(&signer, request());
    *tampered_body.body_mut() = r#"{"status":"suspended"}"#;
    let mut tampered_path = sign(&signer, request());
    *tampered_path.uri_mut() = format!("{root}/api/account/8").parse().unwrap();
    let ten_minutes_ago = SystemTime::now() - Duration::from_secs(600);
    let stale = sign_at(&signer, request(), ten_minutes_ago);
    let wrong_key = sign(&self::signer(NEW, process.authority()), request());
    let replayed = sign(&signer, request());
    assert_eq!(send(replayed.clone()).await.0, 200);

    for (name, request, code) in [
        ("another body", tampered_body, "body_mismatch"),
        ("another path", tampered_path, "invalid_signature"),
        ("an old date", stale, "expired"),
        ("another key", wrong_key, "invalid_signature"),
        ("a second time", replayed, "replayed"),
    ] {
        assert_eq!(
            send(request).await,
            (401, json!({ "error": code })),
            "{name}"
        );
    }
    let request = Request::get(&url).body("").unwrap();
    let (_, account) = send(sign(&signer, request)).await;
    assert_eq!(account["status"], "active", "nothing was changed");
}

#[tokio::test]
async fn both_keys_verify_while_a_key_is_rotated() {
    let (old, new) = (secrets(OLD), secrets(NEW));
    for (name, primary, rotating, expected) in [
        ("before", &old, None, [200, 401]),
        ("while", &old, Some(&new), [200, 200]),
        ("the new one first", &new, Some(&old), [200, 200]),
        ("after", &new, None, [401, 200]),
    ] {
        let mut variables = vec![("SERVICE_SECRETS", &**primary)];
        variables.extend(rotating.map(|rotating| ("ROTATING_SERVICE_SECRETS", &**rotating)));
        let process = Process::start(&variables);
        let mut found = Vec::new();
        for key in [OLD, NEW] {
            let url = format!("http://{}/api/account/7", process.authority());
            let signer = signer(key, process.authority());
            let request = Request::get(url).body("").unwrap();
            found.push(send(sign(&signer, request)).await.0);
        }
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test]
async fn answers_to_its_expected_hosts_only() {
    let secrets = secrets(OLD);
    // The port is not known yet, so the host is signed without it.
    let process = Process::start(&[
        ("SERVICE_SECRETS", &secrets),
        ("EXPECTED_HOSTS", "users.internal, 127.0.0.1"),
        ("HOST_FORM", "strip-port"),
    ]);
    for (signed, host, expected) in [
        ("127.0.0.1", process.authority(), 200),
        ("users.internal", "users.internal", 200),
        ("users.internal", "users.internal:8081", 200),
        ("billing.internal", "billing.internal", 421),
        ("users.internal", "127.0.0.1", 401),
        ("127.0.0.1:1", "127.0.0.1:1", 401),
    ] {
        let signer = signer(OLD, signed);
        let request = Request::get(format!("http://{signed}/api/account/7"));
        let mut request = sign(&signer, request.body("").unwrap());
        let url = format!("http://{}/api/account/7", process.authority());
        *request.uri_mut() = url.parse().unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(
            send(request).await.0,
            expected,
            "signed {signed}, sent {host}"
        );
    }
}
