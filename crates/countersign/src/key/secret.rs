use std::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use crate::error::{ConfigError, ConfigErrorKind};

/// Secret bytes: an HMAC key that two services share, or the seed of an Ed25519 key.
///
/// Each constructor names the encoding it reads, because the same text is another key in another encoding: 64
/// hexadecimal digits are 32 bytes [`from_hex`](Self::from_hex) and 64 bytes [`from_text`](Self::from_text). A `Secret`
/// holds any bytes; how strong they are is judged where a key enters a [`Keyring`](crate::Keyring) or a
/// [`Signer`](crate::Signer).
///
/// The bytes are wiped when the value is dropped, are not shown by `Debug`, and cannot be compared, copied or printed.
///
/// ```
/// use countersign::Secret;
///
/// let secret = Secret::generate()?;
/// assert_eq!(format!("{secret:?}"), "Secret([redacted])");
/// # Ok::<(), countersign::ConfigError>(())
/// ```
pub struct Secret(Zeroizing<Box<[u8]>>);

impl Secret {
    /// The length of a generated secret, in bytes.
    const GENERATED_LEN: usize = 32;

    /// 32 random bytes from the operating system.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, ConfigError> {
        let mut bytes = Zeroizing::new([0; Self::GENERATED_LEN]);
        getrandom::fill(&mut *bytes).map_err(|error| {
            ConfigError::new(ConfigErrorKind::Key, "no random bytes for a new secret")
                .with_source(error.to_string())
        })?;
        Ok(Self::from_bytes(&*bytes))
    }

    /// The bytes as they are. They are copied; wiping the original is the caller's.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(Box::from(bytes)))
    }

    /// The UTF-8 bytes of the text itself, undecoded.
    pub fn from_text(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// Decodes hexadecimal digits of either case, two to a byte, without separators or white space.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is empty, odd in length, or holds anything but hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, ConfigError> {
        let refused = |problem| Err(ConfigError::new(ConfigErrorKind::Key, problem));
        if text.is_empty() {
            return refused("expected hexadecimal digits, found an empty value");
        }
        if !text.len().is_multiple_of(2) {
            return refused(
                "expected hexadecimal digits in pairs, found an odd number of characters",
            );
        }
        let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
        match base16ct::mixed::decode(text, &mut bytes) {
            Ok(decoded) => Ok(Self::from_bytes(decoded)),
            Err(_) => refused("expected hexadecimal digits, found another character"),
        }
    }

    /// Decodes standard Base64 (RFC 4648 section 4), with all of its padding or none.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is empty or is not Base64 in its one canonical form.
    pub fn from_base64(text: &str) -> Result<Self, ConfigError> {
        if text.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                "expected Base64, found an empty value",
            ));
        }
        let mut bytes = Zeroizing::new(vec![0; text.len()]);
        let decoded = if text.ends_with('=') {
            Base64::decode(text, &mut bytes).ok()
        } else {
            Base64Unpadded::decode(text, &mut bytes).ok()
        };
        decoded.map(Self::from_bytes).ok_or_else(|| {
            ConfigError::new(
                ConfigErrorKind::Key,
                "expected standard Base64, found something else",
            )
        })
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from_text("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert_eq!(format!("{secret:#?}"), "Secret([redacted])");
    }

    #[test]
    fn the_same_text_is_another_key_in_another_encoding() {
        let digits = "00ff".repeat(16);
        assert_eq!(Secret::from_hex(&digits).unwrap().expose().len(), 32);
        assert_eq!(Secret::from_base64(&digits).unwrap().expose().len(), 48);
        assert_eq!(Secret::from_text(&digits).expose().len(), 64);
    }

    #[test]
    fn hex_takes_either_case_and_nothing_but_pairs_of_digits() {
        assert_eq!(
            Secret::from_hex("aAfF09").unwrap().expose(),
            [0xaa, 0xff, 0x09]
        );
        for text in [
            "", "a", "abc", "0g", "0x00", " 00", "00 ", "00\n", "é0", "٠٠",
        ] {
            let error = Secret::from_hex(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{text:?}");
            assert!(
                text.len() < 3 || !error.to_string().contains(text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn base64_takes_full_padding_or_none_in_canonical_form() {
        assert_eq!(Secret::from_base64("AAE=").unwrap().expose(), [0, 1]);
        assert_eq!(Secret::from_base64("AAE").unwrap().expose(), [0, 1]);
        for text in ["", "=", "AA=", "AAE==", "AAF=", "AA E=", "_-__", "A"] {
            let error = Secret::from_base64(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{text:?}");
        }
    }

    #[test]
    fn generated_secrets_are_32_bytes_and_differ() {
        let (a, b) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_eq!(a.expose().len(), 32);
        assert_ne!(a.expose(), b.expose());
    }
}
