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
