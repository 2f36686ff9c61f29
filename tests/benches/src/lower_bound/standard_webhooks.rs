//! Standard Webhooks `v1`: a MAC over id, timestamp and body. One signature, and one key.

use base64ct::{Base64, Encoding};
use hmac::Mac;
use http::{HeaderName, HeaderValue, request::Parts};

use super::{Key, Text, WINDOW_SECONDS, from_ten_digits, now, ten_digits, text};

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Signs the body under this id and sets the headers.
pub fn sign(key: &Key, id: &str, parts: &mut Parts, body: &[u8]) -> Option<()> {
    sign_at(key, id, now(), parts, body)
}

/// The same at a given time.
pub fn sign_at(key: &Key, id: &str, now: u64, parts: &mut Parts, body: &[u8]) -> Option<()> {
    let timestamp = ten_digits(now)?;
    let timestamp = str::from_utf8(&timestamp).ok()?;
    let mac = mac(key, id, timestamp, body)?.finalize().into_bytes();
    let mut signature = Text::<47>::new();
    signature.push("v1,")?;
    signature.push(Base64::encode(&mac, &mut [0; 44]).ok()?)?;
    let headers = &mut parts.headers;
    headers.insert(WEBHOOK_ID, HeaderValue::from_str(id).ok()?);
    headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from_str(timestamp).ok()?);
    let signature = HeaderValue::from_bytes(signature.as_bytes()).ok()?;
    headers.insert(WEBHOOK_SIGNATURE, signature);
    Some(())
}

/// Verifies the body.
pub fn verify(key: &Key, parts: &Parts, body: &[u8]) -> bool {
    verified(key, parts, body).is_some()
}

fn verified(key: &Key, parts: &Parts, body: &[u8]) -> Option<()> {
    let id = text(&parts.headers, &WEBHOOK_ID)?;
    let timestamp = text(&parts.headers, &WEBHOOK_TIMESTAMP)?;
    let signature = text(&parts.headers, &WEBHOOK_SIGNATURE)?.strip_prefix("v1,")?;
    if from_ten_digits(timestamp)?.abs_diff(now()) > WINDOW_SECONDS {
        return None;
    }
    let mut decoded = [0; 32];
    let signature = Base64::decode(signature, &mut decoded).ok()?;
    mac(key, id, timestamp, body)?.verify_slice(signature).ok()
}

fn mac(key: &Key, id: &str, timestamp: &str, body: &[u8]) -> Option<Key> {
    let mut before = Text::<128>::new();
    before.push(id)?;
    before.push(".")?;
    before.push(timestamp)?;
    before.push(".")?;
    let mut mac = key.clone();
    mac.update(before.as_bytes());
    mac.update(body);
    Some(mac)
}
