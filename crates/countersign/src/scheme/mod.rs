//! The schemes: how a caller and its signature stand on the wire.
//!
//! One folder holds one family of schemes, one file one step of its specification. A new scheme is a new folder and a
//! line in [`Scheme`].

pub(crate) mod native;

use std::fmt;

/// The keyed state of HMAC-SHA256.
pub(crate) type Mac = hmac::Hmac<sha2::Sha256>;

/// A way of signing requests. Every key is bound to exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `HMAC-SHA256`: a secret shared by caller and callee over the canonical request.
    HmacSha256,
    /// `ED25519`: the caller's Ed25519 key over the same canonical request.
    Ed25519,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: &'static [Self] = &[Self::HmacSha256, Self::Ed25519];

    /// The name on the wire, which is compared with its case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Ed25519 => "ED25519",
        }
    }

    /// Whether one signature could serve every callee, because every callee verifies with the same key. Such a scheme is
    /// accepted only by a verifier that knows its own hosts.
    pub(crate) const fn needs_expected_hosts(self) -> bool {
        match self {
            Self::HmacSha256 => false,
            Self::Ed25519 => true,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
