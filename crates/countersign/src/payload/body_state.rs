use super::PayloadDigest;

/// What is known of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// Its SHA-256 is the signed one.
    Verified(PayloadDigest),
    /// The signature is over the body itself, or over another digest of it.
    Signed,
    /// The signature says nothing about it.
    Unsigned,
}
