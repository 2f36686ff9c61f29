use std::{error, fmt};

/// A request that was not signed: this service's own mistake, and the request was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError {
    kind: SignErrorKind,
    message: String,
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
    /// The body is larger than may be buffered, or could not be read.
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
        }
    }

    /// Why the request was not signed.
    pub fn kind(&self) -> SignErrorKind {
        self.kind
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for SignError {}
