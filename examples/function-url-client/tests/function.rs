//! The program calls a function that is played here.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::process::Command;

use axum::{Json, Router, routing::post};
use countersign::{CallerKey, Keyring, Secret, SigV4Profile, Verifier, VerifyingKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_countersign::{VerifiedCaller, VerifyLayer};

const SECRET: &str = "correct/Horse+battery/Staple+0123456789";
const OTHER: &str = "Staple+0123456789/correct/Horse+battery";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDK0t0kEn";

/// A function with temporary credentials for its caller, and its URL.
async fn function() -> String {
    let secret = Secret::from_text(SECRET).unwrap();
    let token = Secret::from_text(TOKEN).unwrap();
    let key = VerifyingKey::sigv4(&secret)
        .with_session_token(&token)
        .unwrap();
    let keys = Keyring::builder()
        .caller("AKIDBILLING", CallerKey::new("1", key).unwrap())
        .build()
        .unwrap();
    let profile = SigV4Profile::new("eu-central-1", "lambda").unwrap();
    let verifier = Verifier::builder().accept_only(profile).build().unwrap();
    let app = Router::new()
        .route("/{*path}", post(answer))
        .route("/", post(answer))
        .layer(VerifyLayer::new(keys).with_verifier(verifier));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}

async fn answer(caller: VerifiedCaller, Json(event): Json<Value>) -> Json<Value> {
    Json(json!({ "caller": caller.id().as_str(), "event": event }))
}

/// Runs the program and returns whether it ended well, and all that it said.
fn run(url: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_function-url-client"))
        .arg(r#"{"account":7}"#)
        .env("FUNCTION_URL", url)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDBILLING")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env_remove("AWS_SESSION_TOKEN")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_knows_its_caller_and_refuses_others() {
    const REFUSED: &str = "401 Unauthorized\n{\"error\":\"invalid_signature\"}\n";
    let url = function().await;
    let token = ("AWS_SESSION_TOKEN", TOKEN);
    let accepted = "200 OK\n{\"caller\":\"AKIDBILLING\",\"event\":{\"account\":7}}\n";
    for (name, path, variables, expected) in [
        ("no path", "", vec![token], accepted),
        (
            "a path and a query",
            "/a%20b?x=1&a=%2F",
            vec![token],
            accepted,
        ),
        (
            "another secret",
            "",
            vec![token, ("AWS_SECRET_ACCESS_KEY", OTHER)],
            REFUSED,
        ),
        (
            "another caller",
            "",
            vec![token, ("AWS_ACCESS_KEY_ID", "AKIDAUDIT")],
            REFUSED,
        ),
        ("no token", "", vec![], REFUSED),
        (
            "another token",
            "",
            vec![("AWS_SESSION_TOKEN", "FwoGZX")],
            REFUSED,
        ),
    ] {
        let (well, said) = run(&format!("{url}{path}"), &variables);
        assert_eq!(said, expected, "{name}");
        assert_eq!(well, expected == accepted, "{name}");
    }
}

#[test]
fn sends_nothing_where_the_environment_is_wrong_and_shows_no_secret() {
    // Nobody listens there, and nobody is asked.
    let url = "http://127.0.0.1:9";
    for (name, url, variables, part) in [
        ("TLS", "https://127.0.0.1:9", vec![], "expected http://"),
        ("no region", url, vec![("AWS_REGION", "a/b")], "region"),
        (
            "no secret",
            url,
            vec![("AWS_SECRET_ACCESS_KEY", "")],
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            "no token",
            url,
            vec![("AWS_SESSION_TOKEN", "")],
            "session token",
        ),
        (
            "swapped",
            url,
            vec![
                ("AWS_ACCESS_KEY_ID", SECRET),
                ("AWS_SECRET_ACCESS_KEY", "AKIDBILLING"),
            ],
            "AWS_ACCESS_KEY_ID",
        ),
    ] {
        let (well, said) = run(url, &variables);
        assert!(!well, "{name}");
        assert!(said.contains(part), "{name}: {said}");
        assert!(!said.contains("correct/Horse"), "{name}: {said}");
    }
}
