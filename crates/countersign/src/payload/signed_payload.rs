use super::PayloadDigest;
use crate::error::{SignError, SignErrorKind};

/// The body of a request to be signed: its digest or its bytes.
///
/// Most schemes sign the digest and accept either. Schemes that sign the body itself (the DRF
/// scheme, Standard Webhooks) need the bytes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Payload<'b> {
    /// The SHA-256 of the body exactly as sent.
    Digest(PayloadDigest),
    /// The body exactly as sent.
    Bytes(&'b [u8]),
}

impl<'b> Payload<'b> {
    /// Returns the digest of the body.
    pub fn digest(&self) -> PayloadDigest {
        match self {
            Self::Digest(digest) => *digest,
            Self::Bytes(body) => PayloadDigest::of(body),
        }
    }

    /// Returns the body itself, for a signature that covers it.
    pub(crate) fn body(&self) -> Result<&'b [u8], SignError> {
        match self {
            Self::Digest(_) => Err(SignError::new(
                SignErrorKind::Body,
                "expected the body itself, which the signature is over, found its digest",
            )),
            Self::Bytes(body) => Ok(body),
        }
    }
}

impl From<PayloadDigest> for Payload<'_> {
    fn from(digest: PayloadDigest) -> Self {
        Self::Digest(digest)
    }
}

impl<'b> From<&'b [u8]> for Payload<'b> {
    fn from(body: &'b [u8]) -> Self {
        Self::Bytes(body)
    }
}
