//! The rules of keys, through the public API: which are taken, which two are one, when each
//! verifies, how they are loaded, and that none is ever shown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod debug;
mod identity;
mod key_ids;
mod key_texts;
mod load_errors;
#[path = "../message/mod.rs"]
mod message;
mod strength;
mod toml_files;
mod validity;

use std::error::Error;

use countersign::{
    CallerKey, ConfigError, ConfigErrorKind, Keyring, Scheme, Secret, Timestamp, Verifier,
    VerifyingKey,
};
use tests::keys::NOW;

use crate::message::{ALL_FIVE, Forger, Message, Verdict};

const HOST: &str = "user-service.internal";
const THREE: &str = "host;x-date;x-content-sha256";

fn verifier() -> Verifier {
    Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST])
        .build()
        .unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(hex).unwrap()
}

fn hmac(secret: &[u8]) -> VerifyingKey {
    VerifyingKey::hmac_sha256(&Secret::from_bytes(secret))
}

fn caller_key(version: &str, key: VerifyingKey) -> CallerKey {
    CallerKey::new(version, key).unwrap()
}

fn one_caller(key: CallerKey) -> Result<Keyring, ConfigErrorKind> {
    build([("billing", key)])
}

fn build(
    keys: impl IntoIterator<Item = (&'static str, CallerKey)>,
) -> Result<Keyring, ConfigErrorKind> {
    let mut builder = Keyring::builder();
    for (caller, key) in keys {
        builder = builder.caller(caller, key);
    }
    builder.build().map_err(|error| error.kind())
}

/// A request that `billing` signs with this secret.
fn signed_with(scheme: Scheme, secret: &[u8]) -> Message {
    let forger = Forger {
        scheme,
        caller: "billing".to_owned(),
        key: secret.to_vec(),
    };
    let request = Message::new("POST", "/", HOST, b"{}").with("content-type", "application/json");
    forger.sign(request, ALL_FIVE, NOW)
}

fn judge_at(keys: &Keyring, message: &Message, now: Timestamp) -> Verdict {
    message.judge(&verifier(), keys, now)
}

fn code(keys: &Keyring, message: &Message) -> &'static str {
    judge_at(keys, message, NOW).code()
}

fn seconds_later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds)
}

/// The error with its sources, as an operator's log would show it.
fn shown(error: &ConfigError) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.extend(["\n", &error.to_string(), "\n", &format!("{error:?}")]);
        source = error.source();
    }
    text
}
