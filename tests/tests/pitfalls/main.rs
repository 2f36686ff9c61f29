//! How request signing has failed elsewhere, as tests that fail if the core makes the same mistake.
//! Each is named after the failure and says where it happened.
//!
//! What the layers have to answer for (memory, readiness, logs, failing open, caches) is tested
//! beside them; what belongs to schemes that are not here yet (SigV4, RFC 9421, webhooks) comes
//! with them.

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

mod body;
mod coverage;
mod freshness;
mod hostile_input;
mod keys;
#[path = "../message/mod.rs"]
mod message;
mod signature;
mod target;

use countersign::{CallerKey, Keyring, Scheme, Signer, SigningKey, Verifier};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key};

use crate::message::{Forger, Message, Verdict};

const SCHEMES: [Scheme; 2] = [Scheme::HmacSha256, Scheme::Ed25519];
const HOST: &str = "user-service.internal";
const BODY: &[u8] = b"{\"userId\":123}";
const THREE: &str = "host;x-date;x-content-sha256";

fn key(scheme: Scheme, hex: &str) -> SigningKey {
    match scheme {
        Scheme::HmacSha256 => hmac_key(hex),
        Scheme::Ed25519 => ed25519_key(hex),
        other => panic!("no key of {other}"),
    }
}

fn caller_key(version: &str, key: &SigningKey) -> CallerKey {
    CallerKey::new(version, key.verifying_key()).unwrap()
}

/// `billing` and `orders`, each with a key of the scheme.
fn keyring(scheme: Scheme) -> Keyring {
    Keyring::builder()
        .caller("billing", caller_key("1", &key(scheme, SECRET)))
        .caller("orders", caller_key("1", &key(scheme, OTHER_SECRET)))
        .build()
        .unwrap()
}

fn verifier() -> Verifier {
    Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST])
        .build()
        .unwrap()
}

fn judge(scheme: Scheme, message: &Message) -> Verdict {
    message.judge(&verifier(), &keyring(scheme), NOW)
}

fn billing(scheme: Scheme) -> Signer {
    Signer::new("billing", key(scheme, SECRET), [HOST]).unwrap()
}

/// Signs whatever it is given, with `billing`'s key.
fn forger(scheme: Scheme) -> Forger {
    Forger::new(scheme, "billing", SECRET)
}

fn request(method: &str, target: &str) -> Message {
    Message::new(method, target, HOST, BODY).with("content-type", "application/json")
}

fn signed(scheme: Scheme) -> Message {
    request("POST", "/api/account/7?x=1&y=2").signed(&billing(scheme), NOW)
}

#[track_caller]
fn assert_code(scheme: Scheme, name: &str, message: &Message, expected: &str) {
    let found = judge(scheme, message);
    assert_eq!(found.code(), expected, "{scheme}: {name}: {found:?}");
}
