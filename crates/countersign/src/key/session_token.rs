use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use super::{Secret, ensure_key_alone};
use crate::{
    crypto::constant_time_eq,
    error::{ConfigError, ConfigErrorKind},
};

/// The token that is issued with temporary credentials. Every request carries it, so it is not a
/// key. It is still treated as a secret, because its holder needs only the key to act as the
/// caller.
#[derive(Clone)]
pub(crate) struct SessionToken(Arc<Zeroizing<Box<str>>>);

impl SessionToken {
    /// Makes a token from text that is valid in a header.
    pub(crate) fn new(token: &Secret) -> Result<Self, ConfigError> {
        let text = str::from_utf8(token.expose()).ok();
        if let Some(text) = text {
            ensure_key_alone(text)?;
        }
        text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map(|text| Self(Arc::new(Zeroizing::new(Box::from(text)))))
            .ok_or_else(|| {
                ConfigError::new(
                    ConfigErrorKind::Key,
                    "expected visible ASCII characters, found none or others",
                )
            })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in constant time, except for the length.
    pub(crate) fn is(&self, token: &str) -> bool {
        constant_time_eq(self.as_str().as_bytes(), token.as_bytes())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let token = SessionToken::new(&Secret::from_text("hunter2").unwrap()).unwrap();
        assert_eq!(format!("{token:?}"), "SessionToken([redacted])");
    }

    #[test]
    fn is_equal_to_itself_alone() {
        let token = SessionToken::new(&Secret::from_text("token//+==").unwrap()).unwrap();
        assert!(token.is("token//+=="));
        for other in ["", "t", "token//+=", "token//+===", "Token//+=="] {
            assert!(!token.is(other), "{other}");
        }
    }

    #[test]
    fn can_stand_in_a_header() {
        for text in ["", "a b", "a\n", "a\t", "\"a\"", "é"] {
            assert!(
                SessionToken::new(&Secret::from_bytes(text.as_bytes())).is_err(),
                "{text:?}"
            );
        }
    }
}
