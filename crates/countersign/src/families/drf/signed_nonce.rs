//! `X-HMAC-Nonce`: distinguishes two requests with equal timestamp and body.
//!
//! ```text
//! value = mac ":" nonce
//! mac   = 64 lower-case hexadecimal digits of HMAC-SHA256(secret, "nonce" LF nonce LF signature)
//! nonce = 16*128VCHAR
//! ```
//!
//! `signature` is the value of `X-HMAC-Signature`, which binds the nonce to this timestamp and
//! body. A signed text of the scheme begins with a digit and this text with a letter, so neither
//! can replace the other.

use http::{HeaderName, HeaderValue};

use super::signature;
use crate::{
    crypto::hmac_sha256::Key,
    error::{Reason, SignError, SignErrorKind, reason},
    families::Nonce,
    key::{VerifyingKey, VerifyingOperation},
    wire::hex,
};

/// A nonce and its MAC, sent with a signature over the body.
#[derive(Clone, Debug)]
pub(crate) struct SignedNonce<'r> {
    /// The header of the nonce.
    pub(crate) header: &'r HeaderName,
    pub(crate) nonce: &'r str,
    text: Vec<u8>,
    mac: [u8; 32],
}

impl<'r> SignedNonce<'r> {
    /// Parses the value of the header. `signature` is the digits of the request's signature.
    pub(super) fn parse(header: &'r HeaderName, value: &'r str, signature: &str) -> Option<Self> {
        let (mac, nonce) = value.split_once(':')?;
        let mac = signature::parse(mac)?;
        Nonce::is_valid(nonce).then(|| Self {
            header,
            nonce,
            text: text(nonce, signature),
            mac,
        })
    }

    /// Returns the reason for a malformed value. Never shows the value.
    #[cold]
    pub(super) fn refusal(header: &HeaderName, found: &str) -> Reason {
        match found.split_once(':') {
            Some((mac, nonce)) => reason!(
                "header {}: expected 64 lower-case hexadecimal digits, a colon and 16 to 128 \
                 visible ASCII characters, found {} characters before the colon, {} of them \
                 others, and {} after it",
                header,
                mac.len(),
                hex::others(mac),
                nonce.len()
            ),
            None => reason!(
                "header {}: expected 64 lower-case hexadecimal digits, a colon and a nonce, found \
                 {} characters without a colon",
                header,
                found.len()
            ),
        }
    }

    /// Returns whether this key made the MAC.
    pub(crate) fn is_by(&self, key: &VerifyingKey) -> bool {
        match key.operation() {
            VerifyingOperation::Mac(mac) => mac.begin().chain(&self.text).verify(&self.mac),
            // Invariant: the scheme has no such keys.
            VerifyingOperation::Ed25519(_) | VerifyingOperation::Other => false,
        }
    }
}

/// Writes the value of the header. `signature` is the digits of the request's signature.
pub(super) fn format(key: &Key, nonce: &Nonce, signature: &str) -> Result<HeaderValue, SignError> {
    let mac = key.begin().chain(&text(nonce.as_str(), signature));
    let mac = base16ct::lower::encode_string(&mac.finish());
    let mut value = HeaderValue::try_from([&mac, ":", nonce.as_str()].concat())
        .map_err(|_| SignError::new(SignErrorKind::Header, "the nonce is no header value"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn text(nonce: &str, signature: &str) -> Vec<u8> {
    ["nonce\n", nonce, "\n", signature].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Secret, SigningKey, SigningOperation};

    static HEADER: HeaderName = HeaderName::from_static("x-hmac-nonce");
    const SIGNATURE: &str = "0f20a2e04291d8fb467f52a6564575b27858e2802acb2abf15f384da7c4376fa";

    fn key() -> SigningKey {
        SigningKey::drf(&Secret::from_text("ahX9queiSh4ieyeeZohf1Aik").unwrap())
    }

    fn value(nonce: &str) -> String {
        let key = key();
        let SigningOperation::Mac(mac) = key.operation() else {
            panic!("the scheme has no other keys");
        };
        let value = format(mac, &Nonce::new(nonce).unwrap(), SIGNATURE).unwrap();
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    }

    #[test]
    fn reads_what_it_writes() {
        // A nonce of the application may hold the character that ends the MAC.
        for nonce in ["0123456789abcdef0123456789abcdef", "a:b:c:d:e:f:g:h:i"] {
            let value = value(nonce);
            let read = SignedNonce::parse(&HEADER, &value, SIGNATURE).unwrap();
            assert_eq!(read.nonce, nonce);
            assert!(read.is_by(&key().verifying_key()), "{nonce}");
        }
    }

    #[test]
    fn a_nonce_belongs_to_one_key_one_signature_and_its_own_text() {
        let own = value("0123456789abcdef");
        let other = value("fedcba9876543210");
        let (mac, _) = own.split_once(':').unwrap();
        let (_, nonce) = other.split_once(':').unwrap();
        let mixed = [mac, ":", nonce].concat();
        let another_key = SigningKey::drf(&Secret::from_text("Vie7oochae5their0uPhahth").unwrap());
        let another_signature = SIGNATURE.replace("0f20", "0f21");
        for (name, value, signature, key, expected) in [
            ("its own", &own, SIGNATURE, key(), true),
            ("another nonce", &mixed, SIGNATURE, key(), false),
            ("another key", &own, SIGNATURE, another_key, false),
            ("another signature", &own, &another_signature, key(), false),
        ] {
            let read = SignedNonce::parse(&HEADER, value, signature).unwrap();
            assert_eq!(read.is_by(&key.verifying_key()), expected, "{name}");
        }
    }

    #[test]
    fn refuses_values_that_are_malformed() {
        let own = value("0123456789abcdef");
        let (mac, nonce) = own.split_once(':').unwrap();
        for (name, value) in [
            ("nothing", String::new()),
            ("a MAC alone", mac.to_owned()),
            ("a nonce alone", nonce.to_owned()),
            ("an empty nonce", format!("{mac}:")),
            ("a short nonce", format!("{mac}:0123456789abcde")),
            ("a long nonce", format!("{mac}:{}", "a".repeat(129))),
            ("a space in the nonce", format!("{mac}:01234567 89abcdef")),
            ("a short MAC", format!("{}:{nonce}", &mac[1..])),
            (
                "a MAC in upper case",
                format!("{}:{nonce}", mac.to_uppercase()),
            ),
            ("another order", format!("{nonce}:{mac}")),
        ] {
            assert!(
                SignedNonce::parse(&HEADER, &value, SIGNATURE).is_none(),
                "{name}"
            );
        }
    }
}
