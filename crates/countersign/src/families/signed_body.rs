use smallvec::SmallVec;

use super::drf::SignedNonce;

/// A signature over the body itself, behind a prefix that is taken from the head.
pub(crate) struct SignedBody<'r> {
    /// The signed text up to the body.
    pub(crate) prefix: Vec<u8>,
    /// The signatures sent with it, of which one must match.
    pub(crate) signatures: SmallVec<[BodySignature; 2]>,
    /// A nonce that the key which made the signature must have signed as well.
    pub(crate) nonce: Option<SignedNonce<'r>>,
    /// The headers that the prefix was taken from, and that of the nonce.
    pub(crate) covered: SmallVec<[(&'r str, &'r str); 2]>,
}

/// A signature, decoded. It cannot be compared but by a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodySignature {
    HmacSha256([u8; 32]),
    Ed25519([u8; 64]),
}
