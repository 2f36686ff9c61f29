//! The examples of the guide that are not in Rust. Those in Rust are documentation tests of this
//! package.

use std::process::Command;

use axum::{Router, body::Body};
use countersign::{Keyring, Secret, Signer, SigningKey, TargetSigners};
use tests::{
    directory::Directory,
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key, keyring, signer},
    signed::{self, AUTHORITY},
};
use tower::ServiceExt;
use tower_countersign::VerifyLayer;

use crate::{blocks, page, symptoms::Capture};

const GUIDE: &str = "crates/GUIDE.md";

#[test]
fn every_toml_example_loads() {
    let examples = blocks(&page(GUIDE), "toml");
    assert_eq!(examples.len(), 3);
    for example in examples {
        let text = example
            .replace("<64 hexadecimal digits>", SECRET)
            .replace("<64 other hexadecimal digits>", OTHER_SECRET)
            .replace(
                "<the secret of the credential, at least 24 characters>",
                SECRET,
            );
        assert!(!text.contains('<'), "{text}");
        if text.contains("[[callers]]") {
            assert_eq!(Keyring::from_toml(&text).unwrap().len(), 1);
        }
        if text.contains("[[targets]]") {
            TargetSigners::from_toml(&text).unwrap();
            Signer::from_toml(&text, "audit").unwrap();
        }
    }
}

#[test]
fn the_variables_are_those_that_both_sides_read() {
    let example = &blocks(&page(GUIDE), "sh")[1];
    let values: Vec<_> = example
        .lines()
        .filter_map(|line| line.strip_prefix("SERVICE_SECRETS='")?.strip_suffix('\''))
        .map(|value| {
            value
                .replace("<64 hexadecimal digits>", SECRET)
                .replace("<the same 64 hexadecimal digits>", SECRET)
        })
        .collect();
    let [callers, targets] = &values[..] else {
        panic!("{example}");
    };
    assert_eq!(
        Keyring::from_service_secrets(callers, None).unwrap().len(),
        1
    );
    assert!(example.contains("\nSERVICE_NAME=billing\n"), "{example}");
    Signer::from_service_secrets("billing", targets, "user-service", "user-service:8081").unwrap();
}

#[tokio::test]
async fn the_event_of_a_refusal_is_the_one_that_is_written() {
    let capture = Capture::start();
    let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)));
    let app: Router = Router::new().layer(layer.with_clock(|| NOW));
    let wrong = signer("billing", hmac_key(OTHER_SECRET), AUTHORITY);
    let request = signed::at(NOW, &wrong, signed::get("/")).map(Body::from);
    assert_eq!(app.oneshot(request).await.unwrap().status(), 401);
    let text = capture.take();
    let (_, event) = text
        .split_once("WARN countersign: outcome=\"refused\"")
        .unwrap();

    let examples = blocks(&page(GUIDE), "text");
    let mut examples = examples.iter().filter_map(|example| {
        let (_, event) = example.split_once("WARN countersign: outcome=\"refused\"")?;
        Some(event.split_whitespace().collect::<Vec<_>>())
    });
    let event: Vec<_> = event.split_whitespace().collect();
    assert_eq!(examples.next(), Some(event));
}

#[test]
#[ignore = "needs openssl"]
fn the_commands_for_an_ed25519_key_print_a_seed_and_its_public_key() {
    let directory = Directory::new();
    let commands = &blocks(&page(GUIDE), "sh")[2];
    let output = Command::new("sh")
        .args(["-ec", commands])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let [seed, public_key] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("{said}");
    };
    let key = SigningKey::ed25519(&Secret::from_hex(seed).unwrap()).unwrap();
    let expected = key.verifying_key();
    let expected = base16ct::lower::encode_string(expected.public_key().unwrap());
    assert_eq!(public_key, expected);
}
