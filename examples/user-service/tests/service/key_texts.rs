//! Keys in variables: text added to a key ends the program. The error names the addition and the
//! variable, and does not show the key.

use countersign::{Secret, Signer, SigningKey};
use http::Request;
use serde_json::json;

use crate::{
    calls::{send, sign},
    process::{Process, output},
};

const HEX: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const TEXT: &str = "ahX9queiSh4ieyeeZohf1AikahX9queiSh4ieyee1A";
const BASE64: &str = "Mk5vQ3hRczdXZTFVcjRUeThJejBPcDVBZDZTZjlHaDM=";

/// Formats a key as the value of a variable.
type Value<'v> = &'v dyn Fn(&str) -> String;

/// Returns the error of the program, which does not start.
fn error(variables: &[(&str, &str)]) -> String {
    let output = output(variables);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    for key in [HEX, TEXT, BASE64] {
        assert!(!error.contains(&key[1..12]), "{error}");
    }
    error
}

/// Source: `.env` files that keep quotes, mounted secrets with a line end, and editors that add a
/// byte order mark.
#[test]
fn what_was_added_to_a_key_ends_the_program_and_is_named() {
    let object = |key: &str| json!({ "a": key }).to_string();
    let bare = |key: &str| key.to_owned();
    let variables: [(&str, &str, Value<'_>, &str); 7] = [
        (
            "SERVICE_SECRETS",
            HEX,
            &object,
            "SERVICE_SECRETS: caller a: ",
        ),
        ("SIGV4_KEYS", TEXT, &object, "SIGV4_KEYS: member 1 (a): "),
        (
            "MESSAGE_SIGNATURE_KEYS",
            BASE64,
            &object,
            "MESSAGE_SIGNATURE_KEYS: member 1 (a): ",
        ),
        (
            "MESSAGE_SIGNATURE_ED25519_KEYS",
            BASE64,
            &object,
            "MESSAGE_SIGNATURE_ED25519_KEYS: member 1 (a): ",
        ),
        ("DRF_SECRET", TEXT, &bare, "DRF_SECRET: "),
        ("WEBHOOK_SECRET", BASE64, &bare, "WEBHOOK_SECRET: "),
        ("WEBHOOK_SECRET_TEXT", TEXT, &bare, "WEBHOOK_SECRET_TEXT: "),
    ];
    for (variable, key, value, place) in variables {
        for (text, found) in [
            (format!("{key}\n"), "ends in a line end"),
            (format!("{key}\r\n"), "ends in a line end"),
            (format!("{key} "), "ends in white space"),
            (format!("\"{key}\""), "is enclosed in quotes"),
            (format!("'{key}'"), "is enclosed in quotes"),
            (format!("\u{feff}{key}"), "begins with a byte order mark"),
        ] {
            let value = value(&text);
            let mut variables = vec![("DRF_CALLER", "a"), ("WEBHOOK_CALLER", "a")];
            variables.retain(|(name, _)| variable.starts_with(&name[..3]));
            if variable != "SERVICE_SECRETS" {
                variables.push(("SERVICE_SECRETS", "{}"));
            }
            variables.push((variable, &value));
            let expected =
                format!("user-service: {place}expected the key alone, found a text that {found}\n");
            assert_eq!(error(&variables), expected);
        }
    }
}

/// Source: 64 hexadecimal digits are also Base64 of 48 other bytes, and every request was refused.
#[test]
fn hexadecimal_digits_are_no_base64() {
    let object = json!({ "billing/2026": HEX }).to_string();
    let prefixed = format!("whsec_{HEX}");
    let found = "expected Base64, found 64 hexadecimal digits\n";
    for (variable, value, place) in [
        ("WEBHOOK_SECRET", HEX, "WEBHOOK_SECRET"),
        ("WEBHOOK_SECRET", &prefixed, "WEBHOOK_SECRET"),
        (
            "MESSAGE_SIGNATURE_KEYS",
            &object,
            "MESSAGE_SIGNATURE_KEYS: member 1 (billing/2026)",
        ),
        (
            "MESSAGE_SIGNATURE_ED25519_KEYS",
            &object,
            "MESSAGE_SIGNATURE_ED25519_KEYS: member 1 (billing/2026)",
        ),
    ] {
        let mut variables = vec![("SERVICE_SECRETS", "{}"), (variable, value)];
        if variable == "WEBHOOK_SECRET" {
            variables.push(("WEBHOOK_CALLER", "a"));
        }
        let expected = format!("user-service: {place}: {found}");
        assert_eq!(error(&variables), expected);
    }
}

#[test]
fn a_weak_key_is_named_with_its_variable() {
    for (variable, caller) in [
        ("DRF_SECRET", "DRF_CALLER"),
        ("WEBHOOK_SECRET_TEXT", "WEBHOOK_CALLER"),
    ] {
        let error = error(&[
            ("SERVICE_SECRETS", "{}"),
            (variable, "hunter2"),
            (caller, "a"),
        ]);
        let expected = format!("user-service: {variable}: caller a: key ");
        assert!(error.starts_with(&expected), "{error}");
        assert!(
            error.contains("weak key: expected at least 24 bytes, found 7"),
            "{error}"
        );
    }
}

#[test]
fn a_webhook_secret_is_either_base64_or_a_text() {
    let error = error(&[
        ("SERVICE_SECRETS", "{}"),
        ("WEBHOOK_SECRET", BASE64),
        ("WEBHOOK_SECRET_TEXT", TEXT),
        ("WEBHOOK_CALLER", "a"),
    ]);
    assert!(
        error.contains("WEBHOOK_SECRET_TEXT: expected one of"),
        "{error}"
    );
}

#[tokio::test]
async fn a_webhook_secret_can_be_a_text_of_digits() {
    let process = Process::start(&[
        ("SERVICE_SECRETS", "{}"),
        ("WEBHOOK_SECRET_TEXT", HEX),
        ("WEBHOOK_CALLER", "svix"),
    ]);
    let host = process.authority();
    let sender = |secret: &Secret| {
        Signer::standard_webhooks([SigningKey::standard_webhooks(secret)], [host]).unwrap()
    };
    for (signer, expected) in [
        (sender(&Secret::from_text(HEX).unwrap()), 200),
        (sender(&Secret::from_hex(HEX).unwrap()), 401),
    ] {
        let request = Request::post(format!("http://{host}/api/echo"));
        let request = request.body("{}").unwrap();
        let (status, _) = send(sign(&signer, request)).await;
        assert_eq!(status, expected);
    }
}
