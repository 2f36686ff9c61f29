use std::{error, fmt, sync::Arc};

use super::ErrorChain;

/// A request that could not be signed, and was not sent: a mistake of this service.
///
/// Equality compares kind and message, not sources. `Debug` prints the message and its sources,
/// because a `main` that returns the error prints it with `Debug`.
#[derive(Clone)]
pub struct SignError {
    kind: SignErrorKind,
    message: String,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// The cause of a [`SignError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignErrorKind {
    /// The request is for an authority that the signer is not bound to.
    Authority,
    /// The request already carries credentials or a header that only the signer may set.
    AlreadySigned,
    /// The method cannot be signed.
    Method,
    /// The target cannot be signed: no path, a scheme other than http or https, CONNECT.
    Target,
    /// A header to be covered is absent, repeated or not visible ASCII.
    Header,
    /// The date is out of range for an HTTP date.
    Date,
    /// The body is too large to buffer, could not be read, or did not end in time.
    Body,
    /// The memory for all bodies together is in use. The request can be sent later.
    BufferFull,
    /// The credentials have expired or could not be fetched.
    Credentials,
    /// The operating system returned no random bytes for the nonce.
    Random,
}

impl SignError {
    /// Makes an error of this kind. Write `message` in lower case, with the expected and the found
    /// value.
    pub fn new(kind: SignErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause. The cause is written to logs: it **must not** hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn error::Error + Send + Sync>) -> Self {
        self.source = Some(source);
        self
    }

    /// Returns the cause of the error.
    pub fn kind(&self) -> SignErrorKind {
        self.kind
    }
}

impl PartialEq for SignError {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message) == (other.kind, &other.message)
    }
}

impl Eq for SignError {}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", ErrorChain::new(self))
    }
}

impl error::Error for SignError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
