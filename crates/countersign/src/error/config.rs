use std::{error, fmt};

use super::ErrorChain;

/// A configuration that must not be used. The operator must correct it before startup.
///
/// The message names the wrong caller or setting and the expected value. It never holds any part of
/// a key.
///
/// `Debug` prints the message and its sources, because a `main` that returns the error prints it
/// with `Debug`.
pub struct ConfigError {
    kind: ConfigErrorKind,
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// The subject of a [`ConfigError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A name that is no [`KeyId`](crate::KeyId).
    Name,
    /// Key material that cannot be decoded: wrong encoding, wrong length, not a point on the curve.
    Key,
    /// A key that can be decoded but is too weak to use.
    WeakKey,
    /// One key for two callers, or for two directions, or listed twice with different rules.
    SharedKey,
    /// Too few or too many keys or callers, or two versions of one name.
    Keyring,
    /// An environment variable that is missing or has the wrong form.
    Variable,
    /// A file that cannot be read or has the wrong form.
    File,
    /// A text that is not an authority, or an empty set where one is required.
    Authority,
    /// A header that cannot be covered by a signature.
    Coverage,
    /// A policy that is empty, names something unknown, or contradicts itself.
    Policy,
    /// A limit, window or other setting that is out of range.
    Setting,
}

impl ConfigError {
    /// Makes an error of this kind, for code that reads its own settings. Write `message` in lower
    /// case, with the expected and the found value. It **must not** hold a key: it is written to
    /// logs.
    pub fn new(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause. Its text **must not** hold a key either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the place of the mistake in front of the message.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Returns the subject of the error.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", ErrorChain::new(self))
    }
}

impl error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
