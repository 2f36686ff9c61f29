use std::fmt;

/// The algorithm of a key. The key determines the algorithm, never the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4): the key that verifies can also sign.
    HmacSha256,
    /// Ed25519 (RFC 8032): a private key signs, its public key verifies.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[Self::HmacSha256, Self::Ed25519];

    /// Returns the name in the HTTP signature algorithms registry (RFC 9421 section 6.2).
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
