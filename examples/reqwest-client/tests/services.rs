//! The client, and the program, against two services.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri, header::CONTENT_TYPE},
};
use countersign::{CallerKey, Keyring, Secret, SignErrorKind, TargetSigners};
use tokio::net::TcpListener;
use tower_countersign::{VerifiedCaller, VerifyLayer};

const ACCOUNTS_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff1";
const FILES_KEY: &str = "7d0bc3a1955e4f2886cfe91347ab60d2f85a1e9c63b70d42cc18e7f5309b64da";

/// One request as a handler received it.
#[derive(Clone, Debug)]
struct Seen {
    target: String,
    content_type: String,
    nonce: String,
    body: String,
}

/// A service that answers the first requests with 503 and records all requests.
struct Service {
    url: String,
    authority: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Service {
    async fn start(key: &str, unavailable: usize) -> Self {
        let key = countersign::SigningKey::hmac_sha256(&Secret::from_hex(key).unwrap());
        let key = CallerKey::new("1", key.verifying_key()).unwrap();
        let keys = Keyring::builder().caller("billing", key).build().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let all = Arc::clone(&seen);
        let handler =
            async move |caller: VerifiedCaller, uri: Uri, headers: HeaderMap, body: Bytes| {
                let mut all = all.lock().unwrap();
                all.push(Seen {
                    target: uri.to_string(),
                    content_type: headers[CONTENT_TYPE].to_str().unwrap().to_owned(),
                    nonce: caller.nonce().unwrap().to_owned(),
                    body: String::from_utf8(body.to_vec()).unwrap(),
                });
                if all.len() <= unavailable {
                    return (StatusCode::SERVICE_UNAVAILABLE, "later");
                }
                (StatusCode::OK, "done")
            };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let verify = VerifyLayer::new(keys)
            .with_expected_hosts([&authority])
            .unwrap();
        let app = Router::new().fallback(handler).layer(verify);
        tokio::spawn(async { axum::serve(listener, app).await });
        Self {
            url: format!("http://{authority}"),
            authority,
            seen,
        }
    }

    /// Returns the received requests, and asserts that their nonces differ.
    fn seen(&self) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap().clone();
        let mut nonces: Vec<_> = seen.iter().map(|seen| &seen.nonce).collect();
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), seen.len(), "{seen:?}");
        seen
    }
}

fn targets(accounts: &Service, files: &Service) -> String {
    let target = |name: &str, service: &Service, key: &str| {
        format!(
            "[[targets]]\nname = \"{name}\"\ncaller = \"billing\"\n\
             authorities = [\"{}\"]\nsecret_hex = \"{key}\"\n",
            service.authority
        )
    };
    target("accounts", accounts, ACCOUNTS_KEY) + &target("files", files, FILES_KEY)
}

/// Writes a file for this test.
fn write(name: &str, text: &str) -> PathBuf {
    let name = format!("countersign-reqwest-client-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn every_attempt_is_signed_for_its_target_with_a_nonce_of_its_own() {
    let accounts = Service::start(ACCOUNTS_KEY, 2).await;
    let files = Service::start(FILES_KEY, 1).await;
    let signers = TargetSigners::from_toml(&targets(&accounts, &files)).unwrap();
    let client = reqwest_client::client(signers).unwrap();

    let sent = reqwest_client::suspend(&client, &accounts.url, 7).send();
    assert_eq!(sent.await.unwrap().status(), StatusCode::OK);
    let seen = accounts.seen();
    assert_eq!(seen.len(), 3, "{seen:?}");
    for seen in seen {
        assert_eq!(seen.target, "/api/account/7?reason=unpaid");
        assert_eq!(seen.content_type, "application/json");
        assert_eq!(seen.body, r#"{"status":"suspended"}"#);
    }

    let file = write("invoice.txt", &"an invoice\n".repeat(10_000));
    let sent = reqwest_client::upload(&client, &files.url, &file).await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);
    let seen = files.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for seen in seen {
        assert!(
            seen.content_type
                .starts_with("multipart/form-data; boundary=")
        );
        assert_eq!(seen.body.matches("an invoice").count(), 10_000);
        assert!(seen.body.contains("name=\"kind\"\r\n\r\ninvoice\r\n"));
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_service_that_stays_unavailable_is_asked_three_times() {
    let accounts = Service::start(ACCOUNTS_KEY, 9).await;
    let files = Service::start(FILES_KEY, 9).await;
    let signers = TargetSigners::from_toml(&targets(&accounts, &files)).unwrap();
    let client = reqwest_client::client(signers).unwrap();
    let sent = reqwest_client::suspend(&client, &accounts.url, 7).send();
    assert_eq!(
        sent.await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(accounts.seen().len(), 3);
    let sent = reqwest_client::upload(&client, &files.url, Path::new("Cargo.toml"));
    assert_eq!(
        sent.await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(files.seen().len(), 3);
}

#[tokio::test]
async fn nothing_is_sent_to_an_authority_of_no_target() {
    let known = Service::start(ACCOUNTS_KEY, 0).await;
    let stranger = Service::start(ACCOUNTS_KEY, 0).await;
    let signers = TargetSigners::from_toml(&targets(&known, &known).replacen(
        "[[targets]]\nname = \"files\"",
        "[[targets]]\nname = \"accounts-again\"",
        1,
    ));
    assert!(signers.is_err(), "one authority in two targets");
    let files = Service::start(FILES_KEY, 0).await;
    let signers = TargetSigners::from_toml(&targets(&known, &files)).unwrap();
    let client = reqwest_client::client(signers).unwrap();
    let sent = reqwest_client::suspend(&client, &stranger.url, 7).send();
    let error = sent.await.unwrap_err();
    let error = reqwest_client::sign_error(&error).unwrap();
    assert_eq!(error.kind(), SignErrorKind::Authority);
    for part in [&stranger.authority, &known.authority, "accounts", "files"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(stranger.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_calls_both_services_and_says_why_it_ends() {
    let accounts = Service::start(ACCOUNTS_KEY, 0).await;
    let files = Service::start(FILES_KEY, 0).await;
    let path = write("targets.toml", &targets(&accounts, &files));
    let run = |accounts: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_reqwest-client"))
            .args([path.to_str().unwrap(), accounts, &files.url, "Cargo.toml"])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = run(&accounts.url);
    assert_eq!(said, "accounts: 200 OK done\nfiles: 200 OK done\n");
    assert_eq!(code, Some(0));
    let (code, said) = run("http://127.0.0.1:9");
    assert!(said.contains("authority 127.0.0.1:9: expected"), "{said}");
    assert!(!said.contains(ACCOUNTS_KEY), "{said}");
    assert_eq!(code, Some(1));
    std::fs::remove_file(path).unwrap();
}
