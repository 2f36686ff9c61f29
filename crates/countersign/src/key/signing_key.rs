use std::fmt;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Fingerprint, Secret, VerifyingKey, strength::Weakness};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    scheme::{Mac, Scheme},
};

/// A key that signs, bound to one scheme.
///
/// An HMAC key keeps its precomputed inner and outer state rather than its bytes. All states are wiped on drop.
#[derive(Clone)]
pub struct SigningKey {
    inner: Inner,
    fingerprint: Fingerprint,
    /// Of the secret bytes themselves, where they are not what `fingerprint` is of.
    seed_fingerprint: Option<Fingerprint>,
    weakness: Option<Weakness>,
}

#[derive(Clone)]
enum Inner {
    HmacSha256(Box<Mac>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// A shared secret for `HMAC-SHA256`. The callee holds the same bytes, and can sign with them as well.
    pub fn hmac_sha256(secret: &Secret) -> Self {
        let bytes = secret.expose();
        Self {
            inner: Inner::HmacSha256(Box::new(keyed(bytes))),
            fingerprint: Fingerprint::of_hmac_sha256(bytes),
            seed_fingerprint: None,
            weakness: Weakness::of_secret(Scheme::HmacSha256, bytes),
        }
    }

    /// An Ed25519 key from its seed, the 32 bytes that RFC 8032 section 5.1.5 calls the private key.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the secret is not 32 bytes long.
    pub fn ed25519(seed: &Secret) -> Result<Self, ConfigError> {
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
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        Ok(Self {
            fingerprint: Fingerprint::of_ed25519(key.verifying_key().as_bytes()),
            seed_fingerprint: Some(Fingerprint::of_hmac_sha256(bytes)),
            inner: Inner::Ed25519(Box::new(key)),
            weakness: Weakness::of_secret(Scheme::Ed25519, bytes),
        })
    }

    /// Lets this key be used although it is weak: short, repetitive or published.
    ///
    /// Anyone who can guess or look up the key can be the caller. This is for test vectors.
    #[must_use]
    pub fn insecure_allow_weak_key(mut self) -> Self {
        self.weakness = None;
        self
    }

    /// The scheme that this key signs in.
    pub fn scheme(&self) -> Scheme {
        match self.inner {
            Inner::HmacSha256(_) => Scheme::HmacSha256,
            Inner::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The key that verifies what this one signs: for HMAC the same secret.
    pub fn verifying_key(&self) -> VerifyingKey {
        match &self.inner {
            Inner::HmacSha256(mac) => {
                VerifyingKey::from_mac(mac.clone(), self.fingerprint.clone(), self.weakness)
            }
            Inner::Ed25519(key) => VerifyingKey::from_point(
                key.verifying_key(),
                self.fingerprint.clone(),
                self.weakness,
            ),
        }
    }

    /// Refuses a weak key, unless its weakness was accepted by name.
    pub(crate) fn ensure_strong(&self) -> Result<(), ConfigError> {
        self.weakness
            .map_or(Ok(()), |weakness| Err(weakness.into_error()))
    }

    /// What no caller's key may be: the key that verifies, and the secret bytes as an HMAC key.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        std::iter::once(&self.fingerprint).chain(&self.seed_fingerprint)
    }

    /// The keyed state of an HMAC key, or the signature function of an Ed25519 key.
    pub(crate) fn operation(&self) -> SigningOperation<'_> {
        match &self.inner {
            Inner::HmacSha256(mac) => SigningOperation::Mac(mac),
            Inner::Ed25519(key) => SigningOperation::Ed25519(SignMessage(key)),
        }
    }
}

/// What a scheme does with a key to sign.
pub(crate) enum SigningOperation<'k> {
    Mac(&'k Mac),
    Ed25519(SignMessage<'k>),
}

pub(crate) struct SignMessage<'k>(&'k ed25519_dalek::SigningKey);

impl SignMessage<'_> {
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

pub(super) fn keyed(key: &[u8]) -> Mac {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        // Invariant: HMAC takes keys of every length (RFC 2104 section 3).
        Err(_) => unreachable!("HMAC takes keys of every length"),
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [redacted])", self.scheme())
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
    fn a_weak_key_is_refused_until_it_is_allowed_by_name() {
        let weak = SigningKey::hmac_sha256(&Secret::from_text("short"));
        assert_eq!(
            weak.ensure_strong().unwrap_err().kind(),
            ConfigErrorKind::WeakKey
        );
        assert!(weak.insecure_allow_weak_key().ensure_strong().is_ok());
    }
}
