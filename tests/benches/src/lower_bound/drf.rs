//! `X-HMAC-Signature` over timestamp and body, as the Django article has it.

use hmac::Mac;
use http::{HeaderName, HeaderValue, request::Parts};

use super::{Key, WINDOW_SECONDS, from_ten_digits, hex, now, ten_digits, text, unhex};

const X_HMAC_TIMESTAMP: HeaderName = HeaderName::from_static("x-hmac-timestamp");
const X_HMAC_SIGNATURE: HeaderName = HeaderName::from_static("x-hmac-signature");

/// Signs the body and sets the headers.
pub fn sign(key: &Key, parts: &mut Parts, body: &[u8]) -> Option<()> {
    sign_at(key, now(), parts, body)
}

/// The same at a given time.
pub fn sign_at(key: &Key, now: u64, parts: &mut Parts, body: &[u8]) -> Option<()> {
    let timestamp = ten_digits(now)?;
    let mac: [u8; 32] = mac(key, &timestamp, body).finalize().into_bytes().into();
    let signature = hex::<32, 64>(&mac);
    let timestamp = HeaderValue::from_bytes(&timestamp).ok()?;
    parts.headers.insert(X_HMAC_TIMESTAMP, timestamp);
    let signature = HeaderValue::from_bytes(&signature).ok()?;
    parts.headers.insert(X_HMAC_SIGNATURE, signature);
    Some(())
}

/// Verifies the body.
pub fn verify(key: &Key, parts: &Parts, body: &[u8]) -> bool {
    verified(key, parts, body).is_some()
}

fn verified(key: &Key, parts: &Parts, body: &[u8]) -> Option<()> {
    let timestamp = text(&parts.headers, &X_HMAC_TIMESTAMP)?;
    let signature = text(&parts.headers, &X_HMAC_SIGNATURE)?;
    let signature = unhex(signature.as_bytes().try_into().ok()?)?;
    if from_ten_digits(timestamp)?.abs_diff(now()) > WINDOW_SECONDS {
        return None;
    }
    let mac = mac(key, timestamp.as_bytes(), body);
    mac.verify_slice(&signature).ok()
}

fn mac(key: &Key, timestamp: &[u8], body: &[u8]) -> Key {
    let mut mac = key.clone();
    mac.update(timestamp);
    mac.update(b".");
    mac.update(body);
    mac
}
