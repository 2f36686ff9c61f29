use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::{
    Fingerprint, Secret, SigningKeyCache, VerifyingKey, fingerprint::Fingerprints, record::Record,
    response_key::ResponseKeyCell, strength::Weakness,
};
use crate::{
    crypto::{ecdsa_p256, ecdsa_p384, ed25519, hmac_sha256},
    error::{ConfigError, ConfigErrorKind},
    scheme::{Algorithm, Scheme},
};

/// A key that signs, bound to one scheme.
///
/// An HMAC key holds precomputed inner and outer states instead of its bytes. All states are wiped
/// on drop.
#[derive(Clone)]
pub struct SigningKey {
    record: Record,
    inner: Inner,
    /// Of the secret bytes, if the fingerprints of the record are of something else.
    seed_fingerprint: Option<Fingerprint>,
    response_key: ResponseKeyCell,
}

#[derive(Clone)]
enum Inner {
    HmacSha256(Box<hmac_sha256::Key>, Option<Arc<SigningKeyCache>>),
    Ed25519(Box<ed25519::PrivateKey>),
    EcdsaP256Sha256(Box<ecdsa_p256::PrivateKey>),
    EcdsaP384Sha384(Box<ecdsa_p384::PrivateKey>),
}

impl SigningKey {
    /// Makes an `HMAC-SHA256` key from a shared secret. The callee holds the same bytes and can
    /// also sign with them.
    pub fn hmac_sha256(secret: &Secret) -> Self {
        Self::hmac_in(Scheme::HmacSha256, secret)
    }

    /// Makes an `AWS4-HMAC-SHA256` key from a secret access key as issued, without the `AWS4`
    /// prefix that the scheme adds.
    pub fn sigv4(secret: &Secret) -> Self {
        let prefix = Scheme::SigV4.definition().key_prefix;
        Self::deriving_in(Scheme::SigV4, prefix.unwrap_or_default(), secret)
    }

    /// Makes an `ED25519` key from its seed, the 32 bytes that RFC 8032 section 5.1.5 calls the
    /// private key.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the secret is not 32 bytes long.
    pub fn ed25519(seed: &Secret) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::Ed25519, seed)
    }

    /// Makes an RFC 9421 `hmac-sha256` key from a shared secret. The callee holds the same bytes
    /// and can also sign with them.
    pub fn message_hmac_sha256(secret: &Secret) -> Self {
        Self::hmac_in(Scheme::MessageSignatures, secret)
    }

    /// Makes an RFC 9421 `ed25519` key from its seed.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the secret is not 32 bytes long.
    pub fn message_ed25519(seed: &Secret) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::MessageSignatures, seed)
    }

    /// Makes an RFC 9421 `ecdsa-p256-sha256` key from its private key: a number of 32 bytes,
    /// big-endian.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the secret is not 32 bytes long, is zero, or is not below the
    /// order of the curve P-256.
    pub fn message_ecdsa_p256_sha256(scalar: &Secret) -> Result<Self, ConfigError> {
        let bytes = scalar.expose();
        let key = bytes
            .try_into()
            .ok()
            .and_then(ecdsa_p256::PrivateKey::from_scalar);
        let key = key.ok_or_else(|| no_scalar("P-256", ecdsa_p256::FIELD_LEN, bytes.len()))?;
        let public_key = key.public_key();
        Ok(Self::ecdsa(
            bytes,
            VerifyingKey::message_ecdsa_p256_sha256(&public_key.to_point())?,
            Inner::EcdsaP256Sha256(Box::new(key)),
        ))
    }

    /// Makes an RFC 9421 `ecdsa-p384-sha384` key from its private key: a number of 48 bytes,
    /// big-endian.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the secret is not 48 bytes long, is zero, or is not below the
    /// order of the curve P-384.
    pub fn message_ecdsa_p384_sha384(scalar: &Secret) -> Result<Self, ConfigError> {
        let bytes = scalar.expose();
        let key = bytes
            .try_into()
            .ok()
            .and_then(ecdsa_p384::PrivateKey::from_scalar);
        let key = key.ok_or_else(|| no_scalar("P-384", ecdsa_p384::FIELD_LEN, bytes.len()))?;
        let public_key = key.public_key();
        Ok(Self::ecdsa(
            bytes,
            VerifyingKey::message_ecdsa_p384_sha384(&public_key.to_point())?,
            Inner::EcdsaP384Sha384(Box::new(key)),
        ))
    }

    /// Makes a key of the private half whose public half is `verifying`.
    fn ecdsa(scalar: &[u8], verifying: VerifyingKey, inner: Inner) -> Self {
        let mut record = verifying.into_record();
        let algorithm = match inner {
            Inner::EcdsaP384Sha384(_) => Algorithm::EcdsaP384Sha384,
            _ => Algorithm::EcdsaP256Sha256,
        };
        record.weakness = record
            .weakness
            .or_else(|| Weakness::of_secret(record.scheme, algorithm, scalar));
        Self {
            record,
            inner,
            seed_fingerprint: Some(Fingerprint::of_hmac_sha256(scalar)),
            response_key: ResponseKeyCell::default(),
        }
    }

    /// Makes a key for a scheme from a shared secret.
    pub(crate) fn hmac_in(scheme: Scheme, secret: &Secret) -> Self {
        let bytes = secret.expose();
        Self {
            record: Record {
                scheme,
                fingerprints: Fingerprints::from_elem(Fingerprint::of_hmac_sha256(bytes), 1),
                weakness: Weakness::of_secret(scheme, Algorithm::HmacSha256, bytes),
            },
            inner: Inner::HmacSha256(Box::new(hmac_sha256::Key::new(bytes)), None),
            seed_fingerprint: None,
            response_key: ResponseKeyCell::default(),
        }
    }

    /// Makes a key for a scheme and an algorithm. `None` if the scheme has no such keys or the
    /// secret has the wrong form.
    pub(crate) fn in_scheme(scheme: Scheme, algorithm: Algorithm, secret: &Secret) -> Option<Self> {
        let definition = scheme.definition();
        if !definition.algorithms.contains(&algorithm) {
            return None;
        }
        match (algorithm, definition.key_prefix) {
            (Algorithm::HmacSha256, None) => Some(Self::hmac_in(scheme, secret)),
            (Algorithm::HmacSha256, Some(prefix)) => {
                Some(Self::deriving_in(scheme, prefix, secret))
            }
            (Algorithm::Ed25519, _) => Self::ed25519_in(scheme, secret).ok(),
            (Algorithm::EcdsaP256Sha256, _) => Self::message_ecdsa_p256_sha256(secret).ok(),
            (Algorithm::EcdsaP384Sha384, _) => Self::message_ecdsa_p384_sha384(secret).ok(),
            (Algorithm::RsaPssSha512 | Algorithm::RsaV15Sha256, _) => None,
        }
    }

    /// Makes a key for a scheme that derives its signing keys from `prefix` and the secret.
    pub(crate) fn deriving_in(scheme: Scheme, prefix: &str, secret: &Secret) -> Self {
        let bytes = secret.expose();
        let prefixed = Zeroizing::new([prefix.as_bytes(), bytes].concat());
        Self {
            record: Record {
                scheme,
                // The secret itself must not serve another scheme either.
                fingerprints: Fingerprints::from_iter([
                    Fingerprint::of_hmac_sha256(&prefixed),
                    Fingerprint::of_hmac_sha256(bytes),
                ]),
                weakness: Weakness::of_secret(scheme, Algorithm::HmacSha256, bytes),
            },
            inner: Inner::HmacSha256(
                Box::new(hmac_sha256::Key::new(&prefixed)),
                Some(Arc::new(SigningKeyCache::new())),
            ),
            seed_fingerprint: None,
            // The secret without its prefix is not kept.
            response_key: ResponseKeyCell::of(&hmac_sha256::Key::new(bytes)),
        }
    }

    /// Makes an Ed25519 key for a scheme.
    pub(crate) fn ed25519_in(scheme: Scheme, seed: &Secret) -> Result<Self, ConfigError> {
        let bytes = seed.expose();
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.try_into().map_err(|_| {
            ConfigError::new(
                ConfigErrorKind::Key,
                format!(
                    "expected an Ed25519 seed of 32 bytes, found {}",
                    bytes.len()
                ),
            )
        })?);
        let key = ed25519::PrivateKey::from_seed(&seed);
        Ok(Self {
            record: Record {
                scheme,
                fingerprints: Fingerprints::from_elem(
                    Fingerprint::of_public_key(key.public_key().as_bytes()),
                    1,
                ),
                weakness: Weakness::of_secret(scheme, Algorithm::Ed25519, bytes),
            },
            inner: Inner::Ed25519(Box::new(key)),
            seed_fingerprint: Some(Fingerprint::of_hmac_sha256(bytes)),
            response_key: ResponseKeyCell::default(),
        })
    }

    /// Allows this key although it is weak: short, repetitive or published. For test vectors only.
    ///
    /// # Attack
    ///
    /// Anyone who can guess or look up the key can act as the caller.
    #[must_use]
    pub fn insecure_allow_weak_key(mut self) -> Self {
        self.record.weakness = None;
        self
    }

    /// Returns the scheme that this key signs in.
    pub fn scheme(&self) -> Scheme {
        self.record.scheme
    }

    /// Returns the algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        match self.inner {
            Inner::HmacSha256(..) => Algorithm::HmacSha256,
            Inner::Ed25519(_) => Algorithm::Ed25519,
            Inner::EcdsaP256Sha256(_) => Algorithm::EcdsaP256Sha256,
            Inner::EcdsaP384Sha384(_) => Algorithm::EcdsaP384Sha384,
        }
    }

    /// Returns the key that verifies this key's signatures. For HMAC, it holds the same secret.
    pub fn verifying_key(&self) -> VerifyingKey {
        let record = self.record.clone();
        let verifying_key = match &self.inner {
            Inner::HmacSha256(mac, derived) => {
                VerifyingKey::from_mac(record, mac.clone(), derived.clone())
            }
            Inner::Ed25519(key) => VerifyingKey::from_ed25519(record, key.public_key()),
            Inner::EcdsaP256Sha256(key) => VerifyingKey::from_p256(record, key.public_key()),
            Inner::EcdsaP384Sha384(key) => VerifyingKey::from_p384(record, key.public_key()),
        };
        verifying_key.with_response_key(self.response_key.clone())
    }

    /// Returns the key that verifies the responses to requests signed with this key: an RFC 9421
    /// `hmac-sha256` key whose secret is `HMAC-SHA256(secret, "countersign response key v1")`. So a
    /// signature of a request never verifies as one of a response, nor the reverse.
    ///
    /// `None` for a private key, because the service then has another key, and for a scheme that
    /// signs only the body.
    pub fn response_verifying_key(&self) -> Option<VerifyingKey> {
        let key = self.response_key.of_key(&self.record, &self.operation())?;
        Some(key.verifying_key())
    }

    /// Refuses a key of any other scheme.
    pub(crate) fn ensure_for(&self, schemes: &[Scheme]) -> Result<(), ConfigError> {
        if schemes.contains(&self.record.scheme) {
            return Ok(());
        }
        let names: Vec<_> = schemes.iter().map(|scheme| scheme.name()).collect();
        Err(ConfigError::new(
            ConfigErrorKind::Key,
            format!(
                "expected a key for {}, found one for {}",
                names.join(" or "),
                self.record.scheme
            ),
        ))
    }

    /// Refuses a weak key, unless `insecure_allow_weak_key` was called.
    pub(crate) fn ensure_strong(&self) -> Result<(), ConfigError> {
        self.record.ensure_strong()
    }

    /// Returns the fingerprints that no caller's key may have: of the verifying key, and of the
    /// secret bytes as an HMAC key.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.record
            .fingerprints
            .iter()
            .chain(&self.seed_fingerprint)
    }

    /// Returns the cache of derived keys, if the scheme derives keys.
    pub(crate) fn derived(&self) -> Option<&SigningKeyCache> {
        match &self.inner {
            Inner::HmacSha256(_, derived) => derived.as_deref(),
            _ => None,
        }
    }

    /// Signs a message.
    #[inline]
    pub(crate) fn sign_message(&self, message: &[u8]) -> SmallVec<[u8; 96]> {
        match &self.inner {
            Inner::HmacSha256(mac, _) => SmallVec::from_slice(&mac.begin().chain(message).finish()),
            Inner::Ed25519(key) => SmallVec::from_slice(&key.sign(message)),
            Inner::EcdsaP256Sha256(key) => SmallVec::from_slice(&key.sign(message)),
            Inner::EcdsaP384Sha384(key) => SmallVec::from_slice(&key.sign(message)),
        }
    }

    /// Returns the keyed state of an HMAC key, or the signature function of an Ed25519 key.
    pub(crate) fn operation(&self) -> SigningOperation<'_> {
        match &self.inner {
            Inner::HmacSha256(mac, _) => SigningOperation::Mac(mac),
            Inner::Ed25519(key) => SigningOperation::Ed25519(key),
            Inner::EcdsaP256Sha256(_) | Inner::EcdsaP384Sha384(_) => SigningOperation::Other,
        }
    }
}

fn no_scalar(curve: &str, len: usize, found: usize) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Key,
        format!(
            "expected a private key of the curve {curve} of {len} bytes, found {found} bytes that \
             are none"
        ),
    )
}

/// A signing operation, as its scheme needs it.
pub(crate) enum SigningOperation<'k> {
    Mac(&'k hmac_sha256::Key),
    Ed25519(&'k ed25519::PrivateKey),
    /// A key that only `sign_message` uses.
    Other,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [redacted])", self.record.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_scheme_only() {
        let secret = Secret::generate().unwrap();
        assert_eq!(
            format!("{:?}", SigningKey::hmac_sha256(&secret)),
            "SigningKey(HMAC-SHA256, [redacted])"
        );
        assert_eq!(
            format!("{:#?}", SigningKey::ed25519(&secret).unwrap()),
            "SigningKey(ED25519, [redacted])"
        );
    }

    #[test]
    fn an_ed25519_seed_is_32_bytes() {
        for len in [0, 31, 33, 64] {
            let error = SigningKey::ed25519(&Secret::from_bytes(&vec![1; len])).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{len}");
        }
    }

    #[test]
    fn an_ecdsa_key_is_a_number_below_the_order() {
        // The order of P-256 and of P-384. Source: SEC 2 sections 2.4.2 and 2.5.1.
        let p256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let p384 = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77a\
                    ecec196accc52973";
        let digits = |text: &str| Secret::from_hex(text).unwrap();
        for (name, p256, p384) in [
            ("the order", digits(p256), digits(p384)),
            (
                "zero",
                Secret::from_bytes(&[0; 32]),
                Secret::from_bytes(&[0; 48]),
            ),
            (
                "too short",
                Secret::from_bytes(&[1; 31]),
                Secret::from_bytes(&[1; 47]),
            ),
            (
                "too long",
                Secret::from_bytes(&[1; 33]),
                Secret::from_bytes(&[1; 49]),
            ),
        ] {
            let found = SigningKey::message_ecdsa_p256_sha256(&p256);
            assert_eq!(found.unwrap_err().kind(), ConfigErrorKind::Key, "{name}");
            let found = SigningKey::message_ecdsa_p384_sha384(&p384);
            assert_eq!(found.unwrap_err().kind(), ConfigErrorKind::Key, "{name}");
        }
    }

    #[test]
    fn a_weak_key_is_refused_until_it_is_allowed_by_name() {
        let weak = SigningKey::hmac_sha256(&Secret::from_text("short").unwrap());
        assert_eq!(
            weak.ensure_strong().unwrap_err().kind(),
            ConfigErrorKind::WeakKey
        );
        assert!(weak.insecure_allow_weak_key().ensure_strong().is_ok());
    }
}
