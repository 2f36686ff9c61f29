use super::PayloadDigest;

/// The digest that a signed head declares for its body.
#[derive(Clone, Debug)]
pub(crate) enum DeclaredPayload {
    /// Its SHA-256.
    Sha256(PayloadDigest),
    /// One or both digests of a `Content-Digest` (RFC 9530). Each must match.
    ContentDigest {
        sha256: Option<PayloadDigest>,
        sha512: Option<Box<[u8; 64]>>,
    },
    /// None: the signature does not cover the body.
    Unsigned,
}

impl DeclaredPayload {
    /// Returns the SHA-256 that the body must have, if declared.
    pub(super) fn sha256(&self) -> Option<PayloadDigest> {
        match self {
            Self::Sha256(digest) => Some(*digest),
            Self::ContentDigest { sha256, .. } => *sha256,
            Self::Unsigned => None,
        }
    }

    /// Returns the SHA-512 that the body must have, if declared.
    pub(super) fn sha512(&self) -> Option<&[u8; 64]> {
        match self {
            Self::ContentDigest { sha512, .. } => sha512.as_deref(),
            Self::Sha256(_) | Self::Unsigned => None,
        }
    }
}
