//! The Django article's scheme by hand.

use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::Sha256;

use super::{WINDOW_SECONDS, header, set, unix_seconds};

/// Signs the body and sets the headers.
///
/// # Errors
///
/// Why the request is refused.
pub fn sign(secret: &str, parts: &mut Parts, body: &[u8]) -> Result<(), String> {
    let timestamp = unix_seconds()?.to_string();
    let signature = hex::encode(mac(secret, &timestamp, body)?.finalize().into_bytes());
    set(parts, "x-hmac-timestamp", &timestamp)?;
    set(parts, "x-hmac-signature", &signature)
}

/// Verifies the body.
///
/// # Errors
///
/// Why the request is refused.
pub fn verify(secret: &str, parts: &Parts, body: &[u8]) -> Result<(), String> {
    let timestamp = header(parts, "x-hmac-timestamp")?;
    let signed_at: i64 = timestamp.parse().map_err(|_| "no timestamp".to_string())?;
    if (unix_seconds()? - signed_at).abs() > WINDOW_SECONDS {
        return Err("the timestamp is too old or too new".to_string());
    }
    let signature = hex::decode(header(parts, "x-hmac-signature")?);
    let signature = signature.map_err(|error| error.to_string())?;
    let mac = mac(secret, timestamp, body)?;
    mac.verify_slice(&signature)
        .map_err(|_| "wrong signature".to_string())
}

fn mac(secret: &str, timestamp: &str, body: &[u8]) -> Result<Hmac<Sha256>, String> {
    let mut message = format!("{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.map_err(|error| error.to_string())?;
    mac.update(&message);
    Ok(mac)
}
