use super::PayloadDigest;

/// What a signed head says of the body that follows it.
#[derive(Clone, Debug)]
pub(crate) enum DeclaredPayload {
    /// Its SHA-256.
    Sha256(PayloadDigest),
    /// Its digests in a `Content-Digest` (RFC 9530), at least one of the two. Each must match.
    ContentDigest {
        sha256: Option<PayloadDigest>,
        sha512: Option<Box<[u8; 64]>>,
    },
    /// Nothing: the signature is not over the body.
    Unsigned,
}

impl DeclaredPayload {
    /// The SHA-256 that the body must have, if one is declared.
    pub(super) fn sha256(&self) -> Option<PayloadDigest> {
        match self {
            Self::Sha256(digest) => Some(*digest),
            Self::ContentDigest { sha256, .. } => *sha256,
            Self::Unsigned => None,
        }
    }

    /// The SHA-512 that the body must have, if one is declared.
    pub(super) fn sha512(&self) -> Option<&[u8; 64]> {
        match self {
            Self::ContentDigest { sha512, .. } => sha512.as_deref(),
            Self::Sha256(_) | Self::Unsigned => None,
        }
    }
}
