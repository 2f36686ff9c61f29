use std::fmt;

use http::{HeaderName, HeaderValue};

use crate::{
    crypto::random,
    error::{ConfigError, ConfigErrorKind, Reason, SignError, SignErrorKind, reason},
};

pub(crate) static X_NONCE: HeaderName = HeaderName::from_static("x-nonce");

/// A number used once, as in `x-nonce`: 16 to 128 visible ASCII characters.
///
/// If the signature covers a nonce, a replay is detected by it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nonce(HeaderValue);

impl Nonce {
    /// Minimum length, in bytes.
    pub const MIN_LEN: usize = 16;

    /// Maximum length, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Generates 128 random bits from the operating system, as 32 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`SignErrorKind::Random`] if the operating system gives no random bytes.
    pub fn generate() -> Result<Self, SignError> {
        let failed = || SignError::new(SignErrorKind::Random, "no random bytes for a nonce");
        let mut bytes = [0; 16];
        random::fill(&mut bytes).map_err(|_| failed())?;
        let text = base16ct::lower::encode_string(&bytes);
        HeaderValue::try_from(text).map(Self).map_err(|_| failed())
    }

    /// Parses a nonce.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the text is too short, too long or not visible ASCII.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let refused = || {
            ConfigError::new(
                ConfigErrorKind::Setting,
                "nonce: expected 16 to 128 visible ASCII characters",
            )
        };
        if !Self::is_valid(text) {
            return Err(refused());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| refused())
    }

    pub(crate) fn is_valid(text: &str) -> bool {
        // Reads all bytes before judging any, so that the compiler vectorises the loop.
        (Self::MIN_LEN..=Self::MAX_LEN).contains(&text.len())
            && text
                .bytes()
                .fold(true, |valid, byte| valid & byte.is_ascii_graphic())
    }

    /// Returns the reason for a malformed nonce.
    #[cold]
    pub(crate) fn refusal(found: &str) -> Reason {
        let other = found.bytes().filter(|byte| !byte.is_ascii_graphic());
        reason!(
            "header x-nonce: expected 16 to 128 visible ASCII characters, found {} characters, {} \
             of them others",
            found.len(),
            other.count()
        )
    }

    /// Returns the text of the nonce.
    pub fn as_str(&self) -> &str {
        // Invariant: built from visible ASCII only.
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn into_value(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({:?})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nonces_of_the_same_moment_differ() {
        let (a, b) = (Nonce::generate().unwrap(), Nonce::generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.as_str().len(), 32);
    }

    #[test]
    fn takes_16_to_128_visible_characters() {
        for (name, text, valid) in [
            ("16", "x".repeat(16), true),
            ("128", "~".repeat(128), true),
            ("15", "x".repeat(15), false),
            ("129", "x".repeat(129), false),
            ("empty", String::new(), false),
            ("a space", format!("{} x", "x".repeat(16)), false),
            ("a tab", format!("{}\tx", "x".repeat(16)), false),
            ("a newline", format!("{}\nx", "x".repeat(16)), false),
            ("delete", format!("{}\x7f", "x".repeat(16)), false),
            ("non-ASCII", "é".repeat(16), false),
        ] {
            assert_eq!(Nonce::new(&text).is_ok(), valid, "{name}");
        }
    }
}
