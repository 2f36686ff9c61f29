//! Keys change while a service runs: files are written, renamed, swapped, broken and removed.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod counts;
mod derived;
mod directories;
mod files;
mod signers;

use std::time::Duration;

use countersign::{KeyStore, Keyring, Scheme, Signer, Verifier};
use tests::keys::{NOW, signer};
use tower_countersign::reload::{Reload, ReloadHealth, ReloadStatus};

const AUTHORITY: &str = "user-service.internal:8081";

/// Three secrets of 32 bytes.
const A: &str = tests::keys::SECRET;
const B: &str = tests::keys::OTHER_SECRET;
const C: &str = "5d9a0f8ec2b94c1a7e3388b16f04d2577a61bc0e95f3d8124c7be90a1f6d2e43";

/// Uses events only: no poll occurs within a test.
fn by_events() -> Reload {
    Reload::new()
        .with_debounce(Duration::from_millis(5))
        .with_poll_interval(Duration::from_secs(3600))
}

fn by_polls() -> Reload {
    Reload::new().with_poll_interval(Duration::from_millis(10))
}

/// The content of a file with these callers, each with its keys.
fn callers(callers: &[(&str, &[(&str, &str)])]) -> String {
    let mut text = String::new();
    for (name, keys) in callers {
        text += &format!("[[callers]]\nname = \"{name}\"\n");
        for (version, secret) in *keys {
            text +=
                &format!("[[callers.keys]]\nversion = \"{version}\"\nsecret_hex = \"{secret}\"\n");
        }
    }
    text
}

fn billing(secret: &str) -> String {
    callers(&[("billing", &[("1", secret)])])
}

/// Returns whether the keyring accepts a signature of the caller with this secret.
fn takes(keys: &Keyring, caller: &str, secret: &str) -> bool {
    takes_of(
        keys,
        &signer(caller, tests::keys::hmac_key(secret), AUTHORITY),
    )
}

fn takes_of(keys: &impl KeyStore, signer: &Signer) -> bool {
    let verifier = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    let request = http::Request::get(format!("http://{AUTHORITY}/"))
        .body("")
        .unwrap();
    let (parts, body) = tests::signed::at(NOW, signer, request).into_parts();
    let unverified = verifier.parse(&parts, NOW).unwrap();
    let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
    let authenticated = unverified.authenticate(&found, NOW);
    authenticated
        .and_then(|unverified| unverified.finish_with(body.as_bytes(), NOW))
        .is_ok()
}

/// Waits until the `generation`th value is in use.
async fn generation(health: &mut ReloadHealth, generation: u64) -> ReloadStatus {
    within(health.wait_for(|status| status.generation() >= generation)).await
}

/// Waits until the source is found bad.
async fn bad(health: &mut ReloadHealth) -> ReloadStatus {
    within(health.wait_for(|status| !status.is_good())).await
}

async fn within(status: impl Future<Output = Option<ReloadStatus>>) -> ReloadStatus {
    let status = tokio::time::timeout(Duration::from_secs(30), status).await;
    status.expect("a change is seen").expect("it is watched")
}
