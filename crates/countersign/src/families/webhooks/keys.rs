use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{Secret, SigningKey, VerifyingKey, ensure_key_alone, ensure_no_hex, form_of_no_base64},
    scheme::Scheme,
};

const SECRET: &str = "whsec_";
const PRIVATE_KEY: &str = "whsk_";
const PUBLIC_KEY: &str = "whpk_";

impl Secret {
    /// Decodes a Standard Webhooks secret: `whsec_` and standard Base64, or the Base64 alone. The
    /// scheme requires 24 to 64 bytes when the key is used.
    ///
    /// # Errors
    ///
    /// As [`from_base64`](Self::from_base64).
    pub fn from_webhook_secret(text: &str) -> Result<Self, ConfigError> {
        ensure_key_alone(text)?;
        Self::from_base64(text.strip_prefix(SECRET).unwrap_or(text))
    }

    /// Uses the UTF-8 bytes of a Standard Webhooks secret without decoding them, for senders that
    /// key the MAC with the displayed text. The scheme requires 24 to 64 bytes when the key is
    /// used.
    ///
    /// # Errors
    ///
    /// As [`from_text`](Self::from_text). Also [`ConfigErrorKind::Key`] for a text with a Standard
    /// Webhooks prefix (`whsec_`, `whsk_`, `whpk_`), because such a text holds Base64. If a sender
    /// keys the MAC with the prefix too, use [`from_text`](Self::from_text).
    pub fn from_webhook_text(text: &str) -> Result<Self, ConfigError> {
        let secret = Self::from_text(text)?;
        match [SECRET, PRIVATE_KEY, PUBLIC_KEY]
            .into_iter()
            .find(|prefix| text.starts_with(prefix))
        {
            None => Ok(secret),
            Some(prefix) => Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!("expected a secret as plain text, found the prefix {prefix} of Base64"),
            )),
        }
    }
}

impl SigningKey {
    /// Creates a shared secret for [Standard Webhooks](crate::StandardWebhooksVerifySettings)
    /// (`v1`), usually from [`Secret::from_webhook_secret`]: 24 to 64 bytes.
    pub fn standard_webhooks(secret: &Secret) -> Self {
        Self::hmac_in(Scheme::StandardWebhooks, secret)
    }

    /// Parses an Ed25519 key for [Standard Webhooks](crate::StandardWebhooksVerifySettings)
    /// (`v1a`): `whsk_` and the Base64 of the seed, or of the seed followed by its public key.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text has another form, or the public key is not the seed's.
    pub fn standard_webhooks_ed25519(text: &str) -> Result<Self, ConfigError> {
        let refused = |problem| Err(ConfigError::new(ConfigErrorKind::Key, problem));
        let mut bytes = Zeroizing::new([0; 64]);
        let decoded = decode(text, PRIVATE_KEY, &mut *bytes)?;
        let (seed, public_key) = match decoded.split_at_checked(32) {
            Some((seed, [])) => (seed, None),
            Some((seed, public_key)) if public_key.len() == 32 => (seed, Some(public_key)),
            Some(_) | None => {
                return refused("expected 32 or 64 bytes after whsk_, found another number");
            }
        };
        let key = Self::ed25519_in(Scheme::StandardWebhooks, &Secret::from_bytes(seed))?;
        // Signing with another key's public half reveals the private key (RUSTSEC-2022-0093).
        let own = key.verifying_key();
        if public_key.is_some_and(|given| own.public_key().is_none_or(|own| own != given)) {
            return refused("expected the seed's own public key after it, found another");
        }
        Ok(key)
    }
}

impl VerifyingKey {
    /// Creates a shared secret for [Standard Webhooks](crate::StandardWebhooksVerifySettings)
    /// (`v1`). See [`SigningKey::standard_webhooks`].
    pub fn standard_webhooks(secret: &Secret) -> Self {
        SigningKey::standard_webhooks(secret)
            .verifying_key()
            .keeping(secret)
    }

    /// Parses an Ed25519 public key for [Standard Webhooks](crate::StandardWebhooksVerifySettings)
    /// (`v1a`): `whpk_` and the Base64 of 32 bytes.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text has another form; otherwise as
    /// [`ed25519`](Self::ed25519).
    pub fn standard_webhooks_ed25519(text: &str) -> Result<Self, ConfigError> {
        let mut bytes = [0; 32];
        let length = decode(text, PUBLIC_KEY, &mut bytes)?.len();
        if length != 32 {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!("expected 32 bytes after whpk_, found {length}"),
            ));
        }
        Self::ed25519_in(Scheme::StandardWebhooks, &bytes)
    }
}

/// Decodes padded Base64 after a prefix. The prefix is required: private and public keys have equal
/// length, and only the prefix tells them apart.
fn decode<'b>(text: &str, prefix: &str, bytes: &'b mut [u8]) -> Result<&'b [u8], ConfigError> {
    ensure_key_alone(text)?;
    let wrong = |found: &str| {
        let message = format!("expected {prefix} and Base64, found {found}");
        ConfigError::new(ConfigErrorKind::Key, message)
    };
    let Some(base64) = text.strip_prefix(prefix) else {
        let others = [SECRET, PRIVATE_KEY, PUBLIC_KEY];
        let other = others.into_iter().find(|other| text.starts_with(other));
        return Err(wrong(other.unwrap_or("neither the prefix nor another")));
    };
    ensure_no_hex(base64)?;
    Base64::decode(base64, bytes).map_err(|_| wrong(form_of_no_base64(base64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::Algorithm;

    const SEED: [u8; 32] = [
        0xe9, 0x76, 0xff, 0x74, 0x27, 0x07, 0xa4, 0xf7, 0x9a, 0xdb, 0x53, 0xd2, 0xd4, 0xdf, 0x55,
        0x63, 0xf3, 0x59, 0x5b, 0xbd, 0xb7, 0x08, 0x47, 0x3b, 0xec, 0xde, 0x2b, 0x24, 0x2b, 0x9b,
        0x31, 0xb7,
    ];

    fn public_key() -> [u8; 32] {
        let key = SigningKey::ed25519(&Secret::from_bytes(&SEED)).unwrap();
        *key.verifying_key().public_key().unwrap()
    }

    fn text(prefix: &str, parts: &[&[u8]]) -> String {
        [prefix, &Base64::encode_string(&parts.concat())].concat()
    }

    #[test]
    fn a_secret_has_its_prefix_or_none() {
        let plain = Base64::encode_string(&[7; 24]);
        for text in [plain.clone(), format!("whsec_{plain}")] {
            let secret = Secret::from_webhook_secret(&text).unwrap();
            assert_eq!(secret.expose(), [7; 24]);
        }
        for text in [
            "",
            "whsec_",
            "whsk_AAAA",
            "whpk_AAAA",
            "whsec_whsec_AAAA",
            "whsec_ AAAA",
        ] {
            let error = Secret::from_webhook_secret(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{text:?}");
            assert!(!error.to_string().contains("AAAA"), "{text:?}");
        }
    }

    /// Source: a sender that keys the MAC with the text, and hexadecimal digits that decode as
    /// Base64 to other bytes.
    #[test]
    fn a_plain_text_is_a_secret_where_the_constructor_says_so() {
        let text = "correct horse battery staple";
        let secret = Secret::from_webhook_text(text).unwrap();
        assert_eq!(secret.expose(), text.as_bytes());
        let digits = "00ff".repeat(16);
        assert_eq!(
            Secret::from_webhook_text(&digits).unwrap().expose(),
            digits.as_bytes()
        );
        for (text, expected) in [
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "expected a secret as plain text, found the prefix whsec_ of Base64",
            ),
            (
                "correct horse battery staple\n",
                "expected the key alone, found a text that ends in a line end",
            ),
        ] {
            let error = Secret::from_webhook_text(text).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        for text in [digits.clone(), format!("whsec_{digits}")] {
            let error = Secret::from_webhook_secret(&text).unwrap_err();
            assert_eq!(
                error.to_string(),
                "expected Base64, found 64 hexadecimal digits"
            );
        }
    }

    #[test]
    fn what_was_added_to_a_key_is_named() {
        let key = text("whsk_", &[&SEED]);
        for (text, found) in [
            (format!("{key}\n"), "ends in a line end"),
            (format!("'{key}'"), "is enclosed in quotes"),
        ] {
            let expected = format!("expected the key alone, found a text that {found}");
            let error = SigningKey::standard_webhooks_ed25519(&text).unwrap_err();
            assert_eq!(error.to_string(), expected);
            let error = VerifyingKey::standard_webhooks_ed25519(&text).unwrap_err();
            assert_eq!(error.to_string(), expected);
            let error = Secret::from_webhook_secret(&text).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let digits = format!("whsk_{}", "00ff".repeat(16));
        let error = SigningKey::standard_webhooks_ed25519(&digits).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected Base64, found 64 hexadecimal digits"
        );
        let error =
            Secret::from_webhook_secret("v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected standard Base64, found v1, in front of whsec_"
        );
    }

    #[test]
    fn a_secret_is_24_to_64_bytes_long() {
        let bytes: Vec<u8> = (100..165).collect();
        for (len, expected) in [
            (23, Some("weak key: expected at least 24 bytes, found 23")),
            (24, None),
            (64, None),
            (65, Some("weak key: expected at most 64 bytes, found 65")),
        ] {
            let key = SigningKey::standard_webhooks(&Secret::from_bytes(&bytes[..len]));
            let error = key.ensure_strong().err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), expected, "{len}");
        }
    }

    #[test]
    fn a_private_key_is_its_seed_with_or_without_the_public_key() {
        let public_key = public_key();
        for parts in [&[&SEED[..]][..], &[&SEED, &public_key]] {
            let key = SigningKey::standard_webhooks_ed25519(&text("whsk_", parts)).unwrap();
            assert_eq!(key.scheme(), Scheme::StandardWebhooks);
            assert_eq!(key.algorithm(), Algorithm::Ed25519);
            assert_eq!(key.verifying_key().public_key(), Some(&public_key));
        }
    }

    /// Source: RUSTSEC-2022-0093 (ed25519-dalek signed with any public key that it was given).
    #[test]
    fn refuses_private_keys_of_another_form_and_prints_none() {
        let mut other = public_key();
        other[0] ^= 1;
        for (name, text, expected) in [
            (
                "none",
                String::new(),
                "expected whsk_ and Base64, found neither the prefix nor another",
            ),
            (
                "no prefix",
                text("", &[&SEED]),
                "expected whsk_ and Base64, found neither the prefix nor another",
            ),
            (
                "a public key",
                text("whpk_", &[&public_key()]),
                "expected whsk_ and Base64, found whpk_",
            ),
            (
                "a secret",
                text("whsec_", &[&SEED]),
                "expected whsk_ and Base64, found whsec_",
            ),
            (
                "no padding",
                text("whsk_", &[&SEED]).replace('=', ""),
                "expected whsk_ and Base64, found a wrong length, padding or last character",
            ),
            (
                "31 bytes",
                text("whsk_", &[&SEED[1..]]),
                "expected 32 or 64 bytes after whsk_, found another number",
            ),
            (
                "33 bytes",
                text("whsk_", &[&SEED, &[1]]),
                "expected 32 or 64 bytes after whsk_, found another number",
            ),
            (
                "65 bytes",
                text("whsk_", &[&SEED, &public_key(), &[1]]),
                "expected whsk_ and Base64, found a wrong length, padding or last character",
            ),
            (
                "another public key",
                text("whsk_", &[&SEED, &other]),
                "expected the seed's own public key after it, found another",
            ),
        ] {
            let error = SigningKey::standard_webhooks_ed25519(&text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{name}");
            assert_eq!(error.to_string(), expected, "{name}");
        }
    }

    #[test]
    fn a_public_key_is_told_from_a_private_one() {
        let own = text("whpk_", &[&public_key()]);
        let key = VerifyingKey::standard_webhooks_ed25519(&own).unwrap();
        assert_eq!(key.public_key(), Some(&public_key()));
        for text in [
            String::new(),
            text("", &[&public_key()]),
            text("whsk_", &[&public_key()]),
            text("whpk_", &[&public_key()[1..]]),
            text("whpk_", &[&public_key(), &[1]]),
            own.replace('=', ""),
        ] {
            let error = VerifyingKey::standard_webhooks_ed25519(&text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{text}");
        }
    }

    #[test]
    fn debug_shows_the_scheme_only() {
        let secret = SigningKey::standard_webhooks(&Secret::generate().unwrap());
        let key = SigningKey::standard_webhooks_ed25519(&text("whsk_", &[&SEED])).unwrap();
        assert_eq!(
            format!("{secret:?} {key:?}"),
            "SigningKey(Standard-Webhooks, [redacted]) SigningKey(Standard-Webhooks, [redacted])"
        );
    }
}
