//! The program, called in both schemes over a socket.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use countersign::{Secret, SigV4Credentials, SigV4SignSettings, Signer, SigningKey};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_countersign::SignLayer;
use two_schemes::{ACCESS_KEY_ID, CALLER, REGION, SERVICE};

const HMAC_KEY: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const OTHER_HMAC_KEY: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";
const SIGV4_SECRET: &str = "correct/Horse+battery/Staple+0123456789";
const OTHER_SIGV4_SECRET: &str = "Staple+0123456789/correct/Horse+battery";

/// The running program, stopped when dropped.
struct Service {
    child: Child,
    authority: String,
}

impl Service {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_two-schemes"))
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("HMAC_KEY", HMAC_KEY)
            .env("SIGV4_SECRET", SIGV4_SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let authority = line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap()
            .to_owned();
        Self { child, authority }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The program may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

fn hmac(key: &str, authority: &str) -> Signer {
    let key = SigningKey::hmac_sha256(&Secret::from_hex(key).unwrap());
    Signer::new(CALLER, key, [authority]).unwrap()
}

fn sigv4(secret: &str, authority: &str) -> Signer {
    let key = SigningKey::sigv4(&Secret::from_text(secret).unwrap());
    let credentials = SigV4Credentials::new(ACCESS_KEY_ID, key).unwrap();
    let settings = SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap();
    Signer::sigv4(settings, [authority]).unwrap()
}

fn answer(scheme: &str, key: &str) -> (u16, Value) {
    (
        200,
        json!({ "caller": CALLER, "scheme": scheme, "key": key }),
    )
}

fn refusal() -> (u16, Value) {
    (401, json!({ "error": "invalid_signature" }))
}

#[tokio::test]
async fn both_schemes_are_the_same_caller() {
    let service = Service::start();
    let authority = &service.authority;
    for (name, signer, expected) in [
        (
            "old",
            hmac(HMAC_KEY, authority),
            answer("HMAC-SHA256", "hmac"),
        ),
        (
            "new",
            sigv4(SIGV4_SECRET, authority),
            answer("AWS4-HMAC-SHA256", "sigv4"),
        ),
        (
            "old, another key",
            hmac(OTHER_HMAC_KEY, authority),
            refusal(),
        ),
        (
            "new, another key",
            sigv4(OTHER_SIGV4_SECRET, authority),
            refusal(),
        ),
    ] {
        let client =
            SignLayer::new(signer).layer(Client::builder(TokioExecutor::new()).build_http());
        let request = http::Request::get(format!("http://{authority}/whoami?a=1&b=2"))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = client.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let found = (status, serde_json::from_slice(&body).unwrap());
        assert_eq!(found, expected, "{name}");
    }
}

/// The transcript in the documentation.
#[test]
#[ignore = "needs curl"]
fn curl_signs_as_the_new_caller() {
    let service = Service::start();
    for (secret, expected) in [
        (SIGV4_SECRET, answer("AWS4-HMAC-SHA256", "sigv4")),
        (OTHER_SIGV4_SECRET, refusal()),
    ] {
        let output = Command::new("curl")
            .args(["-q", "--silent", "--show-error", "--max-time", "10"])
            .args(["--aws-sigv4", &format!("aws:amz:{REGION}:{SERVICE}")])
            .args(["--user", &format!("{ACCESS_KEY_ID}:{secret}")])
            .args(["--write-out", "\n%{http_code}"])
            .arg(format!("http://{}/whoami?a=1&b=2", service.authority))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.rsplit_once('\n').unwrap();
        let body = serde_json::from_str(body).unwrap();
        assert_eq!((code.parse().unwrap(), body), expected);
    }
}
