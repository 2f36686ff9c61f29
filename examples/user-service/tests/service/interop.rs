//! The article's client from `tests/peers/node`, unchanged, calls this service.

use std::process::Command;

use serde_json::{Value, json};

use crate::process::Process;

const OLD: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const NEW: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";
const CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/peers/node/client.mjs"
);

/// Makes one call as billing. Returns the status and the body of the response.
fn call(service: &Process, path: &str, key: &str, options: &[&str]) -> (u64, Value) {
    let url = format!("http://{}{path}", service.authority());
    let output = Command::new("node")
        .args([CLIENT, "--url", &url])
        .args(["--credential", "billing", "--secret-hex", key])
        .args(options)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path} {options:?}: {error}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let body = answer["body"].as_str().unwrap();
    (
        answer["status"].as_u64().unwrap(),
        serde_json::from_str(body).unwrap(),
    )
}

fn secrets(key: &str) -> String {
    format!("{{\"billing\":\"{key}\"}}")
}

#[test]
#[ignore = "needs node"]
fn the_articles_client_reads_and_changes_an_account() {
    let service = Process::start(&[("SERVICE_SECRETS", &secrets(OLD))]);
    let account = |status| json!({ "id": 7, "status": status, "caller": "billing" });
    let suspend = ["--method", "POST", "--body", r#"{"status":"suspended"}"#];
    for (name, path, options, expected) in [
        ("read", "/api/account/7", &[][..], account("active")),
        (
            "query",
            "/api/account/7?b=%2F&a=x+y",
            &[],
            account("active"),
        ),
        ("change", "/api/account/7", &suspend, account("suspended")),
        ("read again", "/api/account/7", &[], account("suspended")),
    ] {
        assert_eq!(
            call(&service, path, OLD, options),
            (200, expected),
            "{name}"
        );
    }
    assert_eq!(
        call(&service, "/api/account/7", NEW, &[]),
        (401, json!({ "error": "invalid_signature" }))
    );
}

#[test]
#[ignore = "needs node"]
fn the_articles_client_may_sign_its_host_without_the_port() {
    let secrets = secrets(OLD);
    // As sent, the host has its port and is not among the expected hosts.
    for (form, expected) in [("strip-port", 200), ("as-sent", 421)] {
        let service = Process::start(&[
            ("SERVICE_SECRETS", &secrets),
            ("EXPECTED_HOSTS", "127.0.0.1"),
            ("HOST_FORM", form),
        ]);
        let options = ["--signed-host", "127.0.0.1"];
        let (status, answer) = call(&service, "/api/account/7", OLD, &options);
        assert_eq!(status, expected, "{form}: {answer}");
    }
}

#[test]
#[ignore = "needs node"]
fn the_articles_client_is_rotated_by_the_articles_procedure() {
    let (old, new) = (secrets(OLD), secrets(NEW));
    for (step, primary, rotating, expected) in [
        ("before", &*old, None, [200, 401]),
        (
            "1. the receiver, 2. the caller",
            &old,
            Some(&*new),
            [200, 200],
        ),
        ("3. the old key goes", "{}", Some(&new), [401, 200]),
        ("afterwards", &new, None, [401, 200]),
    ] {
        let mut variables = vec![("SERVICE_SECRETS", primary)];
        variables.extend(rotating.map(|rotating| ("ROTATING_SERVICE_SECRETS", rotating)));
        let service = Process::start(&variables);
        let found = [OLD, NEW].map(|key| call(&service, "/api/account/7", key, &[]).0);
        assert_eq!(found, expected, "{step}");
    }
}
