use std::{error, fmt};

use super::ErrorChain;

/// A configuration that must not be used: the operator's to mend, at start-up.
///
/// The message names the caller or setting that is wrong and what was expected. It never holds a key, nor any part of
/// one.
///
/// `Debug` prints the message and its sources: it is what a `main` that returns the error ends with.
pub struct ConfigError {
    kind: ConfigErrorKind,
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// What a [`ConfigError`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A name that is no [`KeyId`](crate::KeyId).
    Name,
    /// Key material that cannot be decoded: wrong encoding, wrong length, not a point on the curve.
    Key,
    /// A key that can be decoded but must not be relied on.
    WeakKey,
    /// One key for two callers, or for two directions, or listed twice with different rules.
    SharedKey,
    /// Too few or too many keys or callers, or two versions of one name.
    Keyring,
    /// An environment variable that is missing or is not what it should hold.
    Variable,
    /// A file that cannot be read or is not what it should hold.
    File,
    /// An authority that is none, or a set of them that is empty where one is required.
    Authority,
    /// A header that cannot be covered by a signature.
    Coverage,
    /// A policy that says nothing, names what is not known, or could not be meant.
    Policy,
    /// A limit, window or other setting out of its range.
    Setting,
}

impl ConfigError {
    /// An error of the given kind, for those who read settings of their own. The message is lower case, says what was
    /// expected and what was found, and **must not** hold a key: it is written to logs.
    pub fn new(kind: ConfigErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same, with what is behind it. Its text **must not** hold a key either.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says where the mistake is, in front of what it is.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What this is about.
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
