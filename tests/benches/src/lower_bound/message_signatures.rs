//! RFC 9421 with the digest of RFC 9530: one list of covered components, one order of parameters,
//! one signature.

use std::collections::HashMap;

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use hmac::Mac;
use http::{HeaderName, HeaderValue, header::HOST, request::Parts};
use sha2::{Digest, Sha256};

use super::{Text, WINDOW_SECONDS, from_ten_digits, now, ten_digits, text};

/// What a signature covers.
pub const COVERED: [&str; 5] = ["@method", "@authority", "@path", "@query", "content-digest"];

const COMPONENTS: &str = r#"("@method" "@authority" "@path" "@query" "content-digest")"#;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// What signs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Key {
    /// hmac-sha256
    Hmac(super::Key),
    /// ed25519
    Ed25519(SigningKey),
}

/// What verifies.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PublicKey {
    /// hmac-sha256
    Hmac(super::Key),
    /// ed25519
    Ed25519(VerifyingKey),
}

impl Key {
    /// The other half, or the same again.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Hmac(key) => PublicKey::Hmac(key.clone()),
            Self::Ed25519(key) => PublicKey::Ed25519(key.verifying_key()),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "hmac-sha256",
            Self::Ed25519(_) => "ed25519",
        }
    }
}

impl PublicKey {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Hmac(_) => "hmac-sha256",
            Self::Ed25519(_) => "ed25519",
        }
    }
}

/// Signs the head for this body with this nonce and sets the headers.
pub fn sign(key: &Key, key_id: &str, nonce: &str, parts: &mut Parts, body: &[u8]) -> Option<()> {
    sign_at(key, key_id, nonce, now(), parts, body)
}

/// The same at a given time.
pub fn sign_at(
    key: &Key,
    key_id: &str,
    nonce: &str,
    now: u64,
    parts: &mut Parts,
    body: &[u8],
) -> Option<()> {
    let digest = content_digest(body)?;
    let created = ten_digits(now)?;
    let mut input = Text::<512>::new();
    input.push("sig1=")?;
    input.push(COMPONENTS)?;
    input.push(";created=")?;
    input.push(str::from_utf8(&created).ok()?)?;
    input.push(";nonce=\"")?;
    input.push(nonce)?;
    input.push("\";alg=\"")?;
    input.push(key.algorithm())?;
    input.push("\";keyid=\"")?;
    input.push(key_id)?;
    input.push("\"")?;

    let params = str::from_utf8(input.as_bytes()).ok()?;
    let params = params.strip_prefix("sig1=")?;
    let base = signature_base(parts, str::from_utf8(digest.as_bytes()).ok()?, params)?;
    let mut signature = Text::<96>::new();
    signature.push("sig1=:")?;
    match key {
        Key::Hmac(key) => {
            let mut mac = key.clone();
            mac.update(base.as_bytes());
            let mac = mac.finalize().into_bytes();
            signature.push(Base64::encode(&mac, &mut [0; 44]).ok()?)?;
        }
        Key::Ed25519(key) => {
            let bytes = key.sign(base.as_bytes()).to_bytes();
            signature.push(Base64::encode(&bytes, &mut [0; 88]).ok()?)?;
        }
    }
    signature.push(":")?;

    for (name, value) in [
        (CONTENT_DIGEST, digest.as_bytes()),
        (SIGNATURE_INPUT, input.as_bytes()),
        (SIGNATURE, signature.as_bytes()),
    ] {
        let value = HeaderValue::from_bytes(value).ok()?;
        parts.headers.insert(name, value);
    }
    Some(())
}

/// Verifies the head, then the body.
pub fn verify(keys: &HashMap<String, PublicKey>, parts: &Parts, body: &[u8]) -> bool {
    verified_digest(keys, parts).is_some_and(|claimed| {
        content_digest(body).is_some_and(|actual| claimed.as_bytes() == actual.as_bytes())
    })
}

/// The content digest of a head whose signature matches.
fn verified_digest<'r>(keys: &HashMap<String, PublicKey>, parts: &'r Parts) -> Option<&'r str> {
    let headers = &parts.headers;
    let params = text(headers, &SIGNATURE_INPUT)?.strip_prefix("sig1=")?;
    let rest = params.strip_prefix(COMPONENTS)?.strip_prefix(";created=")?;
    let (created, rest) = rest.split_at_checked(10)?;
    let (_nonce, rest) = rest.strip_prefix(";nonce=\"")?.split_once('"')?;
    let (algorithm, rest) = rest.strip_prefix(";alg=\"")?.split_once('"')?;
    let key_id = rest.strip_prefix(";keyid=\"")?.strip_suffix('"')?;
    let signature = text(headers, &SIGNATURE)?
        .strip_prefix("sig1=:")?
        .strip_suffix(':')?;
    let digest = text(headers, &CONTENT_DIGEST)?;
    if from_ten_digits(created)?.abs_diff(now()) > WINDOW_SECONDS {
        return None;
    }
    let base = signature_base(parts, digest, params)?;
    let key = keys.get(key_id)?;
    if key.algorithm() != algorithm {
        return None;
    }
    let mut decoded = [0; 64];
    let signature = Base64::decode(signature, &mut decoded).ok()?;
    match key {
        PublicKey::Hmac(key) => {
            let mut mac = key.clone();
            mac.update(base.as_bytes());
            mac.verify_slice(signature).ok()?;
        }
        PublicKey::Ed25519(key) => {
            let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
            key.verify_strict(base.as_bytes(), &signature).ok()?;
        }
    }
    Some(digest)
}

fn signature_base(parts: &Parts, digest: &str, params: &str) -> Option<Text<1024>> {
    let mut base = Text::new();
    base.push("\"@method\": ")?;
    base.push(parts.method.as_str())?;
    base.push("\n\"@authority\": ")?;
    base.push(text(&parts.headers, &HOST)?)?;
    base.push("\n\"@path\": ")?;
    base.push(parts.uri.path())?;
    base.push("\n\"@query\": ?")?;
    base.push(parts.uri.query()?)?;
    base.push("\n\"content-digest\": ")?;
    base.push(digest)?;
    base.push("\n\"@signature-params\": ")?;
    base.push(params)?;
    Some(base)
}

fn content_digest(body: &[u8]) -> Option<Text<54>> {
    let mut digest = Text::new();
    digest.push("sha-256=:")?;
    digest.push(Base64::encode(&Sha256::digest(body), &mut [0; 44]).ok()?)?;
    digest.push(":")?;
    Some(digest)
}
