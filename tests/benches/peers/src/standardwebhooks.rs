//! standardwebhooks, the reference. Its caller sets the headers.

use ::standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use benches::{
    case::Case,
    lower_bound,
    request::{self, WEBHOOK_ID, WEBHOOK_SECRET},
    schemes::{self, Scheme},
};
use http::{HeaderValue, request::Parts};

const NAME: &str = "standardwebhooks";

/// Signs and sets the headers.
pub fn sign(body_len: usize) -> Case {
    let body = request::body(body_len);
    let webhook = webhook();
    Case::consuming(
        NAME,
        move || request::unsigned(body_len),
        move |parts| {
            let now = lower_bound::now();
            sign_with(&webhook, now, parts, &body);
        },
    )
}

/// The same once, at a given time.
pub fn sign_at(now: u64, mut parts: Parts, body: &[u8]) -> Parts {
    sign_with(&webhook(), now, &mut parts, body);
    parts
}

/// Verifies the body.
pub fn verify(body_len: usize) -> Case {
    let body = request::body(body_len);
    let parts = schemes::signed(Scheme::StandardWebhooks, &body);
    let webhook = webhook();
    schemes::verifying(NAME, move || webhook.verify(&body, &parts.headers).is_ok())
}

/// Whether a request is taken.
pub fn takes(parts: &Parts, body: &[u8]) -> bool {
    webhook().verify(body, &parts.headers).is_ok()
}

fn webhook() -> Webhook {
    Webhook::new(WEBHOOK_SECRET).unwrap()
}

fn sign_with(webhook: &Webhook, now: u64, parts: &mut Parts, body: &[u8]) {
    let timestamp = i64::try_from(now).unwrap();
    let signature = webhook.sign(WEBHOOK_ID, timestamp, body).unwrap();
    let headers = &mut parts.headers;
    headers.insert(HEADER_WEBHOOK_ID, HeaderValue::from_static(WEBHOOK_ID));
    headers.insert(HEADER_WEBHOOK_TIMESTAMP, timestamp.into());
    headers.insert(
        HEADER_WEBHOOK_SIGNATURE,
        HeaderValue::try_from(signature).unwrap(),
    );
}
