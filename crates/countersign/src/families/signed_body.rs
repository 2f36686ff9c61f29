use smallvec::SmallVec;

use super::drf::SignedNonce;

/// A signature over the body itself, after a prefix from the head.
pub(crate) struct SignedBody<'r> {
    /// The signed text up to the body.
    pub(crate) prefix: Vec<u8>,
    /// The signatures that were sent; one must match.
    pub(crate) signatures: SmallVec<[BodySignature; 2]>,
    /// A nonce that the matching key must have signed too.
    pub(crate) nonce: Option<SignedNonce<'r>>,
    /// The headers that form the prefix, and the header of the nonce.
    pub(crate) covered: SmallVec<[(&'r str, &'r str); 2]>,
}

/// A decoded signature. Only a key can compare it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodySignature {
    HmacSha256([u8; 32]),
    Ed25519([u8; 64]),
}
