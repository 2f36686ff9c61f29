//! What a careful team writes by hand in an afternoon: right, and with a `String` for everything.

use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderValue, request::Parts};
use jiff::{Timestamp, fmt::rfc2822};
use sha2::{Digest, Sha256};

use crate::request::Layout;

pub mod drf;
pub mod standard_webhooks;

const WINDOW_SECONDS: i64 = 300;

/// Verifies head and body.
///
/// # Errors
///
/// Why the request is refused.
pub fn verify(
    keys: &HashMap<String, Vec<u8>>,
    parts: &Parts,
    body: &[u8],
) -> Result<String, String> {
    let authorization = header(parts, "authorization")?
        .strip_prefix("HMAC-SHA256 ")
        .ok_or("another scheme")?;
    let mut parameters = HashMap::new();
    for parameter in authorization.split(", ") {
        let (name, value) = parameter.split_once('=').ok_or("no name=value")?;
        parameters.insert(name, value);
    }
    let parameter = |name: &str| {
        parameters
            .get(name)
            .copied()
            .ok_or_else(|| format!("parameter {name} is missing"))
    };

    let signed_at = rfc2822::parse(header(parts, "x-date")?)
        .map_err(|error| error.to_string())?
        .timestamp();
    if (unix_seconds()? - signed_at.as_second()).abs() > WINDOW_SECONDS {
        return Err("the date is too old or too new".to_string());
    }

    let hash = hex::encode(Sha256::digest(body));
    if hash != header(parts, "x-content-sha256")? {
        return Err("the body is another one".to_string());
    }

    let signed_headers: Vec<&str> = parameter("signed-headers")?.split(';').collect();
    let message = canonical_request(parts, &signed_headers, &hash)?;
    let caller = parameter("credential")?;
    let key = keys.get(caller).ok_or("unknown caller")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(message.as_bytes());
    let signature = hex::decode(parameter("signature")?).map_err(|error| error.to_string())?;
    mac.verify_slice(&signature)
        .map_err(|_| "wrong signature".to_string())?;
    Ok(caller.to_string())
}

/// Signs the head for this body and sets the headers.
///
/// # Errors
///
/// Why the request is refused.
pub fn sign(
    key: &[u8],
    caller: &str,
    layout: Layout,
    parts: &mut Parts,
    body: &[u8],
) -> Result<(), String> {
    let now = unix_seconds()?;
    let mut nonce = [0; 16];
    match layout {
        Layout::Three => {}
        Layout::Default => {
            getrandom::fill(&mut nonce).map_err(|error| error.to_string())?;
        }
    }
    sign_with_nonce(key, caller, layout, nonce, now, parts, body)
}

/// The same at a given time with a given nonce, which three headers leave out.
///
/// # Errors
///
/// Why the request is refused.
pub fn sign_with_nonce(
    key: &[u8],
    caller: &str,
    layout: Layout,
    nonce: [u8; 16],
    now: i64,
    parts: &mut Parts,
    body: &[u8],
) -> Result<(), String> {
    let timestamp = Timestamp::from_second(now).map_err(|error| error.to_string())?;
    let date = rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&timestamp)
        .map_err(|error| error.to_string())?;
    let hash = hex::encode(Sha256::digest(body));
    set(parts, "x-date", &date)?;
    set(parts, "x-content-sha256", &hash)?;
    let mut signed_headers = vec!["host", "x-date", "x-content-sha256"];
    match layout {
        Layout::Three => {}
        Layout::Default => {
            set(parts, "x-nonce", &hex::encode(nonce))?;
            signed_headers.extend(["x-nonce", "content-type"]);
        }
    }
    let message = canonical_request(parts, &signed_headers, &hash)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(message.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let signed_headers = signed_headers.join(";");
    let authorization = format!(
        "HMAC-SHA256 credential={caller}, signed-headers={signed_headers}, signature={signature}"
    );
    set(parts, "authorization", &authorization)
}

fn unix_seconds() -> Result<i64, String> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    i64::try_from(since.as_secs()).map_err(|error| error.to_string())
}

fn header<'r>(parts: &'r Parts, name: &str) -> Result<&'r str, String> {
    let value = parts
        .headers
        .get(name)
        .ok_or_else(|| format!("header {name} is missing"))?;
    value.to_str().map_err(|error| error.to_string())
}

fn set(parts: &mut Parts, name: &'static str, value: &str) -> Result<(), String> {
    let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
    parts.headers.insert(name, value);
    Ok(())
}

fn canonical_request(parts: &Parts, signed_headers: &[&str], hash: &str) -> Result<String, String> {
    let target = parts.uri.path_and_query().ok_or("no path")?;
    let mut lines = Vec::new();
    for name in signed_headers {
        lines.push(format!("{name}:{}", header(parts, name)?));
    }
    Ok(format!(
        "{}\n{target}\n{}\n\n{}\n{hash}",
        parts.method,
        lines.join("\n"),
        signed_headers.join(";"),
    ))
}
