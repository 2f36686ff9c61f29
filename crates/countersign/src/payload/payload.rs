use super::PayloadDigest;

/// The body of a request that is signed: its digest, or its bytes.
///
/// Most schemes sign the digest, and take either. Those that sign the body itself (the DRF profile, Standard Webhooks)
/// need the bytes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Payload<'b> {
    /// The SHA-256 of the body exactly as it will be sent.
    Digest(PayloadDigest),
    /// The body exactly as it will be sent.
    Bytes(&'b [u8]),
}

impl Payload<'_> {
    /// The digest of the body.
    pub fn digest(&self) -> PayloadDigest {
        match self {
            Self::Digest(digest) => *digest,
            Self::Bytes(body) => PayloadDigest::of(body),
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
