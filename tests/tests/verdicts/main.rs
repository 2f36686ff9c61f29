//! Requests that other people's programs send: which are accepted, which are refused, and that each
//! answer is as the pages give.

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

mod alike;
mod foreign_headers;
mod header_lines;
mod hop_headers;
#[path = "../message/mod.rs"]
mod message;
mod query_spelling;
#[path = "../sigv4/mod.rs"]
mod sigv4;
mod strictness;
mod table;
mod uncovered_headers;

use countersign::{
    CallerKey, Keyring, Secret, SigningKey, StandardWebhooksVerifySettings, Verifier,
};
use http::{HeaderName, Method};

use crate::message::Message;

const HOST: &str = "user-service.internal";

/// A request without a body.
fn get(target: &str) -> Message {
    Message::new("GET", target, HOST, b"")
}

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

fn webhooks_key() -> SigningKey {
    let secret = "whsec_can7yaa6Ykv/6RJezUuLmvVbmV32vKcvh8idTKbuFk4=";
    SigningKey::standard_webhooks(&Secret::from_webhook_secret(secret).unwrap())
}

/// `svix`, who sends to `POST /hook`.
fn svix() -> StandardWebhooksVerifySettings {
    let verify_settings = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    verify_settings.with_route(Method::POST, "/hook").unwrap()
}

fn webhooks(verify_settings: StandardWebhooksVerifySettings) -> (Verifier, Keyring) {
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let key = CallerKey::new("1", webhooks_key().verifying_key()).unwrap();
    let keys = Keyring::builder().caller("svix", key).build().unwrap();
    (verifier, keys)
}
