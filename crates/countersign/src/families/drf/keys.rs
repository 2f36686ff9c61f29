use crate::{
    key::{Secret, SigningKey, VerifyingKey},
    scheme::Scheme,
};

impl SigningKey {
    /// Creates a shared secret for the [DRF scheme](crate::DrfVerifySettings) from
    /// [`Secret::from_text`] of the text that both services share: at least 24 bytes. Hexadecimal
    /// digits are not decoded.
    pub fn drf(secret: &Secret) -> Self {
        Self::hmac_in(Scheme::Drf, secret)
    }
}

impl VerifyingKey {
    /// Creates a shared secret for the [DRF scheme](crate::DrfVerifySettings). See
    /// [`SigningKey::drf`].
    pub fn drf(secret: &Secret) -> Self {
        SigningKey::drf(secret).verifying_key().keeping(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ConfigErrorKind;

    #[test]
    fn a_secret_of_fewer_than_24_bytes_is_weak() {
        let text = "correct horse battery staple";
        for (len, strong) in [(23, false), (24, true), (28, true)] {
            let key = SigningKey::drf(&Secret::from_text(&text[..len]).unwrap());
            let found = key.ensure_strong().map_err(|error| error.kind());
            let expected = if strong {
                Ok(())
            } else {
                Err(ConfigErrorKind::WeakKey)
            };
            assert_eq!(found, expected, "{len}");
        }
    }

    #[test]
    fn debug_shows_the_scheme_only() {
        let secret = Secret::from_text("correct horse battery staple").unwrap();
        assert_eq!(
            format!(
                "{:?} {:?}",
                SigningKey::drf(&secret),
                VerifyingKey::drf(&secret)
            ),
            "SigningKey(X-HMAC-SHA256, [redacted]) VerifyingKey(X-HMAC-SHA256, [redacted])"
        );
    }
}
