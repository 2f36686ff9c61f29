use std::{fmt, str::FromStr, sync::Arc};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key_id::shown,
};

/// The label of one of a caller's keys, such as `2026-01` or `primary`. Reports which key matched.
///
/// 1 to 64 characters of `A-Z a-z 0-9 . _ -`. Never sent. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion(Arc<str>);

impl KeyVersion {
    /// The greatest length of a label in bytes.
    pub const MAX_LEN: usize = 64;

    /// Parses a label.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if the text is empty, too long, or holds another character.
    pub fn new(label: &str) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if (1..=Self::MAX_LEN).contains(&label.len()) && label.bytes().all(plain) {
            Ok(Self(Arc::from(label)))
        } else {
            Err(ConfigError::new(
                ConfigErrorKind::Name,
                format!(
                    "key version {:?}: expected 1 to {} characters of A-Z a-z 0-9 . _ -",
                    shown(label),
                    Self::MAX_LEN
                ),
            ))
        }
    }

    /// Returns the label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyVersion {
    type Err = ConfigError;

    fn from_str(label: &str) -> Result<Self, Self::Err> {
        Self::new(label)
    }
}

impl PartialEq<str> for KeyVersion {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for KeyVersion {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Debug for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyVersion({:?})", &*self.0)
    }
}

impl fmt::Display for KeyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_labels_and_refuses_everything_else() {
        for label in ["primary", "2026-01", "v1.2_b", &"x".repeat(64)] {
            assert_eq!(KeyVersion::new(label).unwrap(), *label);
        }
        for label in ["", "a b", "a/b", "é", "a\n", &"x".repeat(65)] {
            let error = KeyVersion::new(label).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Name, "{label:?}");
        }
    }
}
