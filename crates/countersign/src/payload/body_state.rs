use super::PayloadDigest;

/// How the body was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// Its SHA-256 equals the signed one.
    Verified(PayloadDigest),
    /// The signature covers the body itself, or another digest of the body.
    Signed,
    /// The signature does not cover the body.
    Unsigned,
}
