use std::fmt;

use base64ct::{Base64, Base64Unpadded, Encoding};
use zeroize::Zeroizing;

use super::key_text::{ensure_key_alone, ensure_no_hex, form_of_no_base64, form_of_no_hex};
use crate::{
    crypto::random,
    error::{ConfigError, ConfigErrorKind},
};

/// Secret bytes: an HMAC key that two services share, or the seed of an Ed25519 key.
///
/// Each constructor names the encoding that it reads, because one text is a different key in each
/// encoding. For example, 64 hexadecimal digits are 32 bytes in [`from_hex`](Self::from_hex) and 64
/// bytes in [`from_text`](Self::from_text).
///
/// A `Secret` holds any bytes. A [`Keyring`](crate::Keyring) or a [`Signer`](crate::Signer) checks
/// the strength of its keys.
///
/// # The text of a key
///
/// One rule applies to every text of a key: in variables, TOML files, directories of keys, and
/// arguments.
///
/// | the text | is |
/// |---|---|
/// | begins with a byte order mark | refused |
/// | begins or ends with white space or a line end | refused |
/// | is enclosed in angle brackets, as placeholders are | refused |
/// | is enclosed in quotes, or ends in `\n` or `\r` written as two characters | refused |
/// | holds a line end, a control character or an invisible character | refused |
/// | is 32 or more hexadecimal digits, where Base64 is expected | refused |
/// | is Base64 or anything else, where hexadecimal digits are expected | refused |
/// | is hexadecimal digits or Base64, where a text is expected | accepted, for DRF and SigV4 |
///
/// Editors, shells and mounts add such characters, and a key that has them matches no other. The
/// error describes the addition and never shows the key.
///
/// A file of a [directory of keys](crate::Keyring::from_directory) may end in one line end (LF or
/// CRLF), which is removed. For a secret that really holds one of these, use
/// [`from_bytes`](Self::from_bytes).
///
/// The bytes are wiped on drop. A secret cannot be shown by `Debug`, compared, copied or printed.
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
    /// The length of a generated secret in bytes.
    const GENERATED_LEN: usize = 32;

    /// Generates 32 random bytes with the operating system.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the operating system returns no random bytes.
    pub fn generate() -> Result<Self, ConfigError> {
        let mut bytes = Zeroizing::new([0; Self::GENERATED_LEN]);
        random::fill(&mut *bytes).map_err(|error| {
            ConfigError::new(ConfigErrorKind::Key, "no random bytes for a new secret")
                .with_source(error.to_string())
        })?;
        Ok(Self::from_bytes(&*bytes))
    }

    /// Copies the bytes. The original is not wiped.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(Box::from(bytes)))
    }

    /// Takes the UTF-8 bytes of the text itself, undecoded.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text breaks [the rule](Secret#the-text-of-a-key).
    pub fn from_text(text: &str) -> Result<Self, ConfigError> {
        ensure_key_alone(text)?;
        Ok(Self::from_bytes(text.as_bytes()))
    }

    /// Decodes hexadecimal digits of either case, two to a byte, without separators or white space.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is empty, odd in length, or holds another character.
    /// The error names the form that was found. See [the rule](Secret#the-text-of-a-key).
    pub fn from_hex(text: &str) -> Result<Self, ConfigError> {
        let refused = |found: &str| {
            let message = format!("expected hexadecimal digits, found {found}");
            Err(ConfigError::new(ConfigErrorKind::Key, message))
        };
        if text.is_empty() {
            return refused("an empty value");
        }
        ensure_key_alone(text)?;
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refused(form_of_no_hex(text));
        }
        if !text.len().is_multiple_of(2) {
            return refused("an odd number of them");
        }
        let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
        match base16ct::mixed::decode(text, &mut bytes) {
            Ok(decoded) => Ok(Self::from_bytes(decoded)),
            Err(_) => refused("another character"),
        }
    }

    /// Decodes standard Base64 (RFC 4648 section 4), fully padded or unpadded.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is empty or is not canonical Base64. The same for 32 or
    /// more hexadecimal digits, which would decode to other bytes. See [the
    /// rule](Secret#the-text-of-a-key).
    pub fn from_base64(text: &str) -> Result<Self, ConfigError> {
        if text.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                "expected Base64, found an empty value",
            ));
        }
        ensure_key_alone(text)?;
        ensure_no_hex(text)?;
        let mut bytes = Zeroizing::new(vec![0; text.len()]);
        let decoded = if text.ends_with('=') {
            Base64::decode(text, &mut bytes).ok()
        } else {
            Base64Unpadded::decode(text, &mut bytes).ok()
        };
        decoded.map(Self::from_bytes).ok_or_else(|| {
            ConfigError::new(
                ConfigErrorKind::Key,
                format!(
                    "expected standard Base64, found {}",
                    form_of_no_base64(text)
                ),
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
        let secret = Secret::from_text("hunter2").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert_eq!(format!("{secret:#?}"), "Secret([redacted])");
    }

    #[test]
    fn the_same_text_is_another_key_in_another_encoding() {
        let digits = "00ff".repeat(16);
        assert_eq!(Secret::from_hex(&digits).unwrap().expose().len(), 32);
        assert_eq!(Secret::from_text(&digits).unwrap().expose().len(), 64);
    }

    /// Source: 64 hexadecimal digits were loaded as the Base64 of 48 other bytes, and every request
    /// was refused.
    #[test]
    fn refuses_one_encoding_where_another_is_expected_and_names_it() {
        let digits = "00ff".repeat(16);
        let error = Secret::from_base64(&digits).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Key);
        assert_eq!(
            error.to_string(),
            "expected Base64, found 64 hexadecimal digits"
        );
        for (text, found) in [
            ("nZ4Q3v0zkqj1S5bYxw2mTt8uVd7cRf6hGe9iKa0pLs4=", "Base64"),
            ("nZ4Q3v0zkqj1S5bYxw2mTt8uVd7cRf6hGe9iKa0pLs4", "Base64"),
            ("0x00ff", "the prefix 0x"),
            ("00:ff", "digits with separators"),
            ("-----BEGIN PRIVATE KEY-----", "PEM"),
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "a key of Standard Webhooks",
            ),
            ("0g", "another character"),
        ] {
            let error = Secret::from_hex(text).unwrap_err();
            let expected = format!("expected hexadecimal digits, found {found}");
            assert_eq!(error.to_string(), expected, "{text}");
        }
        for (text, found) in [
            ("__79_Pv6-fj39vX08", "the alphabet for URLs, with - and _"),
            (
                "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "the prefix whsec_",
            ),
            ("-----BEGIN PRIVATE KEY-----", "PEM"),
            ("AAF=", "a wrong length, padding or last character"),
            ("AAA!", "another character"),
        ] {
            let error = Secret::from_base64(text).unwrap_err();
            let expected = format!("expected standard Base64, found {found}");
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }

    type Read = fn(&str) -> Result<Secret, ConfigError>;

    #[test]
    fn every_encoding_refuses_what_was_added_to_a_key() {
        let hex = "00ff".repeat(16);
        let base64 = "nZ4Q3v0zkqj1S5bYxw2mTt8uVd7cRf6hGe9iKa0pLs4=";
        let readers: [(&str, Read); 3] = [
            (&hex, Secret::from_hex),
            (base64, Secret::from_base64),
            ("correct horse battery staple", Secret::from_text),
        ];
        for (key, read) in readers {
            assert!(read(key).is_ok(), "{key}");
            for (text, found) in [
                (format!("{key}\n"), "ends in a line end"),
                (format!("{key}\r\n"), "ends in a line end"),
                (format!("{key} "), "ends in white space"),
                (format!("\u{feff}{key}"), "begins with a byte order mark"),
                (format!("\"{key}\""), "is enclosed in quotes"),
                (format!("'{key}'"), "is enclosed in quotes"),
            ] {
                let error = read(&text).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!("expected the key alone, found a text that {found}")
                );
            }
        }
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
