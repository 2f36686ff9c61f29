use std::fmt;

/// The algorithm of a key. The key determines the algorithm, never the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4): the key that verifies can also sign.
    HmacSha256,
    /// Ed25519 (RFC 8032): a private key signs, its public key verifies.
    Ed25519,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256Sha256,
    /// ECDSA over P-384 with SHA-384 (FIPS 186-5).
    EcdsaP384Sha384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes (RFC 8017). Its keys only verify, and need
    /// the feature `rsa`.
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017). Its keys only verify, and need the feature `rsa`.
    RsaV15Sha256,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::HmacSha256,
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
    ];

    /// Returns the name in the HTTP signature algorithms registry (RFC 9421 section 6.2).
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
        }
    }

    /// Returns whether this is a name of the algorithm, in the registry of RFC 9421 or in JOSE (RFC
    /// 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2).
    #[cfg(any(feature = "jwk", test))]
    pub(crate) fn is_named(self, name: &str) -> bool {
        let jose: &[&str] = match self {
            Self::HmacSha256 => &["HS256"],
            Self::Ed25519 => &["EdDSA", "Ed25519"],
            Self::EcdsaP256Sha256 => &["ES256"],
            Self::EcdsaP384Sha384 => &["ES384"],
            Self::RsaPssSha512 => &["PS512"],
            Self::RsaV15Sha256 => &["RS256"],
        };
        name == self.name() || jose.contains(&name)
    }

    /// Returns the position in [`ALL`](Self::ALL).
    pub(crate) const fn position(self) -> usize {
        match self {
            Self::HmacSha256 => 0,
            Self::Ed25519 => 1,
            Self::EcdsaP256Sha256 => 2,
            Self::EcdsaP384Sha384 => 3,
            Self::RsaPssSha512 => 4,
            Self::RsaV15Sha256 => 5,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_is_that_in_the_list_of_all() {
        for (position, algorithm) in Algorithm::ALL.iter().enumerate() {
            assert_eq!(algorithm.position(), position, "{algorithm}");
        }
    }
}
