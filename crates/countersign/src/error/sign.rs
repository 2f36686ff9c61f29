use std::{error, fmt, sync::Arc};

use super::ErrorChain;

/// A request that was not signed: this service's own mistake, and the request was not sent.
///
/// Two are equal where kind and message are; what is behind them is not compared. `Debug` prints the message and its
/// sources: it is what a `main` that returns the error ends with.
#[derive(Clone)]
pub struct SignError {
    kind: SignErrorKind,
    message: String,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// Why a request was not signed.
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
    /// The date is outside what an HTTP date can say.
    Date,
    /// The body is larger than may be buffered, could not be read, or does not end in time.
    Body,
    /// The credentials to sign with have expired, or could not be had.
    Credentials,
    /// The operating system gave no random bytes for the nonce.
    Random,
}

impl SignError {
    /// An error of the given kind. The message is lower case and says what was expected and what was found.
    pub fn new(kind: SignErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same, with what is behind it. It is written to logs: it **must not** hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn error::Error + Send + Sync>) -> Self {
        self.source = Some(source);
        self
    }

    /// Why the request was not signed.
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
