#[cfg(any(feature = "pem", feature = "rsa"))]
use crate::error::ConfigErrorKind;
use crate::{
    error::ConfigError,
    key::{Secret, SigningKey, VerifyingKey},
    scheme::Scheme,
};

impl SigningKey {
    /// Makes a shared secret for [draft-cavage-12](crate::CavageVerifySettings): `hmac-sha256`. At
    /// least 24 bytes. Gateways share a text: [`Secret::from_text`].
    pub fn cavage_hmac_sha256(secret: &Secret) -> Self {
        Self::hmac_in(Scheme::Cavage, secret)
    }

    /// Makes an Ed25519 key for [draft-cavage-12](crate::CavageVerifySettings) from its seed.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the secret is not 32 bytes long.
    pub fn cavage_ed25519(seed: &Secret) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::Cavage, seed)
    }
}

impl VerifyingKey {
    /// Makes a shared secret for [draft-cavage-12](crate::CavageVerifySettings). See
    /// [`SigningKey::cavage_hmac_sha256`].
    pub fn cavage_hmac_sha256(secret: &Secret) -> Self {
        SigningKey::cavage_hmac_sha256(secret)
            .verifying_key()
            .keeping(secret)
    }

    /// Makes an Ed25519 key for [draft-cavage-12](crate::CavageVerifySettings) from a public key.
    ///
    /// # Errors
    ///
    /// As [`ed25519`](Self::ed25519).
    pub fn cavage_ed25519(public_key: &[u8; 32]) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::Cavage, public_key)
    }

    /// Makes an RSA key for [draft-cavage-12](crate::CavageVerifySettings) from its modulus and its
    /// exponent, both big-endian. It verifies RSASSA-PKCS1-v1_5 with SHA-256, named `rsa-sha256`.
    ///
    /// # Errors
    ///
    /// As [`message_rsa_pss_sha512`](Self::message_rsa_pss_sha512).
    #[cfg(feature = "rsa")]
    pub fn cavage_rsa_sha256(modulus: &[u8], exponent: &[u8]) -> Result<Self, ConfigError> {
        for_cavage(Self::message_rsa_v1_5_sha256(modulus, exponent)?)
    }

    /// Makes a key for [draft-cavage-12](crate::CavageVerifySettings) from a public key in PEM,
    /// `-----BEGIN PUBLIC KEY-----`: Ed25519, and RSA with the feature `rsa`. An RSA key verifies
    /// as that of `cavage_rsa_sha256`.
    ///
    /// # Errors
    ///
    /// As [`message_from_pem`](Self::message_from_pem).
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) also for a key of another algorithm.
    #[cfg(feature = "pem")]
    pub fn cavage_from_pem(pem: &str) -> Result<Self, ConfigError> {
        use crate::scheme::Algorithm;

        // `rsaEncryption` fits two algorithms, of which the scheme has one.
        Self::message_from_pem(pem, Some(Algorithm::RsaV15Sha256))
            .or_else(|error| Self::message_from_pem(pem, None).map_err(|_| error))
            .and_then(for_cavage)
    }
}

#[cfg(any(feature = "pem", feature = "rsa"))]
fn for_cavage(key: VerifyingKey) -> Result<VerifyingKey, ConfigError> {
    let algorithm = key.algorithm();
    key.public_in(Scheme::Cavage).ok_or_else(|| {
        ConfigError::new(
            ConfigErrorKind::Key,
            format!("expected a key of Ed25519 or RSA, found one of {algorithm}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ConfigErrorKind, scheme::Algorithm};

    #[test]
    fn a_secret_of_fewer_than_24_bytes_is_weak() {
        let text = "correct horse battery staple";
        for (len, strong) in [(23, false), (24, true), (28, true)] {
            let key = SigningKey::cavage_hmac_sha256(&Secret::from_text(&text[..len]).unwrap());
            let found = key.ensure_strong().map_err(|error| error.kind());
            let weak = Err(ConfigErrorKind::WeakKey);
            assert_eq!(found, if strong { Ok(()) } else { weak }, "{len}");
        }
    }

    #[test]
    fn both_halves_are_of_the_scheme() {
        let seed = Secret::generate().unwrap();
        let signing = SigningKey::cavage_ed25519(&seed).unwrap();
        let verifying = signing.verifying_key();
        let again = VerifyingKey::cavage_ed25519(verifying.public_key().unwrap()).unwrap();
        for key in [&verifying, &again] {
            assert_eq!(key.scheme(), Scheme::Cavage);
            assert_eq!(key.algorithm(), Algorithm::Ed25519);
        }
        let secret = VerifyingKey::cavage_hmac_sha256(&seed);
        assert_eq!(secret.scheme(), Scheme::Cavage);
        assert_eq!(secret.algorithm(), Algorithm::HmacSha256);
        assert_eq!(
            format!("{signing:?} {secret:?}"),
            "SigningKey(draft-cavage-12, [redacted]) VerifyingKey(draft-cavage-12, [redacted])"
        );
    }

    #[cfg(feature = "rsa")]
    #[test]
    fn an_rsa_key_is_of_one_algorithm() {
        let modulus: Vec<u8> = (0..=255).rev().collect();
        let mut modulus = modulus;
        modulus[255] = 1;
        let key = VerifyingKey::cavage_rsa_sha256(&modulus, &[1, 0, 1]).unwrap();
        assert_eq!(key.scheme(), Scheme::Cavage);
        assert_eq!(key.algorithm(), Algorithm::RsaV15Sha256);
        assert!(VerifyingKey::cavage_rsa_sha256(&modulus[..255], &[1, 0, 1]).is_err());
    }
}
