//! Standard Webhooks by hand.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::Sha256;

use super::{WINDOW_SECONDS, header, set, unix_seconds};

/// Signs the body under this id and sets the headers.
///
/// # Errors
///
/// Why the request is refused.
pub fn sign(secret: &str, id: &str, parts: &mut Parts, body: &[u8]) -> Result<(), String> {
    let timestamp = unix_seconds()?.to_string();
    let mac = mac(secret, id, &timestamp, body)?;
    let signature = Base64::encode_string(&mac.finalize().into_bytes());
    set(parts, "webhook-id", id)?;
    set(parts, "webhook-timestamp", &timestamp)?;
    set(parts, "webhook-signature", &format!("v1,{signature}"))
}

/// Verifies the body.
///
/// # Errors
///
/// Why the request is refused.
pub fn verify(secret: &str, parts: &Parts, body: &[u8]) -> Result<(), String> {
    let timestamp = header(parts, "webhook-timestamp")?;
    let signed_at: i64 = timestamp.parse().map_err(|_| "no timestamp".to_string())?;
    if (unix_seconds()? - signed_at).abs() > WINDOW_SECONDS {
        return Err("the timestamp is too old or too new".to_string());
    }
    for signature in header(parts, "webhook-signature")?.split(' ') {
        let Some(("v1", signature)) = signature.split_once(',') else {
            continue;
        };
        let signature = Base64::decode_vec(signature).map_err(|error| error.to_string())?;
        let mac = mac(secret, header(parts, "webhook-id")?, timestamp, body)?;
        if mac.verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err("wrong signature".to_string())
}

fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Result<Hmac<Sha256>, String> {
    let secret = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = Base64::decode_vec(secret).map_err(|error| error.to_string())?;
    let mut message = format!("{id}.{timestamp}.").into_bytes();
    message.extend_from_slice(body);
    let mac = Hmac::<Sha256>::new_from_slice(&key);
    let mut mac = mac.map_err(|error| error.to_string())?;
    mac.update(&message);
    Ok(mac)
}
