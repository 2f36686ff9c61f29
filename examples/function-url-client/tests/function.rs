//! The program calls a function that this test serves.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    env, fs,
    process::{self, Command},
};

use axum::{Json, Router, routing::post};
use countersign::{CallerKey, Keyring, Secret, SigV4VerifySettings, Verifier, VerifyingKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_countersign::{VerifiedCaller, VerifyLayer};

const SECRET: &str = "correct/Horse+battery/Staple+0123456789";
const OTHER: &str = "Staple+0123456789/correct/Horse+battery";
const TOKEN: &str = "FwoGZXIvYXdzEBYaDK0t0kEn";

/// Starts a function with temporary credentials for its caller. Returns its URL.
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
    let settings = SigV4VerifySettings::new("eu-central-1", "lambda").unwrap();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
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

/// Runs the program with these credentials as variables. Returns whether it succeeded, and its
/// whole output.
fn run(url: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let fixed = [
        ("AWS_ACCESS_KEY_ID", "AKIDBILLING"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ];
    run_with(url, &[&fixed, variables].concat())
}

/// Runs the program with only these variables of AWS.
fn run_with(url: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function-url-client"));
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    ] {
        command.env_remove(name);
    }
    let output = command
        .arg(r#"{"account":7}"#)
        .env("FUNCTION_URL", url)
        .env("AWS_REGION", "eu-central-1")
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
    // No server listens there, and no request is made.
    let url = "http://127.0.0.1:9";
    let with_line_end = format!("{SECRET}\n");
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
            "AWS_SESSION_TOKEN: expected a value, found an empty one",
        ),
        (
            "swapped",
            url,
            vec![
                ("AWS_ACCESS_KEY_ID", SECRET),
                ("AWS_SECRET_ACCESS_KEY", "AKIDBILLING"),
            ],
            "AWS_SECRET_ACCESS_KEY: weak key",
        ),
        (
            "a line end",
            url,
            vec![("AWS_SECRET_ACCESS_KEY", &*with_line_end)],
            "AWS_SECRET_ACCESS_KEY: expected the key alone, found a text that ends in a line end",
        ),
    ] {
        let (well, said) = run(url, &variables);
        assert!(!well, "{name}");
        assert!(said.contains(part), "{name}: {said}");
        assert!(!said.contains("correct/Horse"), "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_with_a_profile_of_a_shared_credentials_file() {
    let url = function().await;
    let home = env::temp_dir().join(format!("countersign-function-{}", process::id()));
    fs::create_dir_all(home.join(".aws")).unwrap();
    let path = home.join(".aws/credentials");
    let file = format!(
        "[default]\naws_access_key_id = AKIDBILLING\naws_secret_access_key = {OTHER}\n\
         [function]\naws_access_key_id = AKIDBILLING\naws_secret_access_key = {SECRET}\n\
         aws_session_token = {TOKEN}\n"
    );
    fs::write(&path, file).unwrap();
    let home = home.to_str().unwrap();
    let path = path.to_str().unwrap();
    for (name, variables, expected) in [
        (
            "a profile in the home directory",
            vec![("HOME", home), ("AWS_PROFILE", "function")],
            "200 OK",
        ),
        (
            "a profile of a file",
            vec![
                ("AWS_SHARED_CREDENTIALS_FILE", path),
                ("AWS_PROFILE", "function"),
            ],
            "200 OK",
        ),
        (
            "the default profile, whose secret is another one",
            vec![("AWS_SHARED_CREDENTIALS_FILE", path)],
            "401 Unauthorized",
        ),
        (
            "no such profile",
            vec![("HOME", home), ("AWS_PROFILE", "functon")],
            "found default, function (did you mean function?)",
        ),
        (
            "an empty profile",
            vec![("HOME", home), ("AWS_PROFILE", "")],
            "AWS_PROFILE: expected a value, found an empty one",
        ),
    ] {
        let (_, said) = run_with(&url, &variables);
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!said.contains("correct/Horse"), "{name}: {said}");
    }
    fs::remove_dir_all(home).unwrap();
}
