//! Ed25519 (RFC 8032).

use ed25519_dalek::Signer as _;

/// A key that signs.
#[derive(Clone)]
pub(crate) struct PrivateKey(ed25519_dalek::SigningKey);

/// A key that verifies: a point in canonical encoding, not of small order.
#[derive(Clone)]
pub(crate) struct PublicKey(ed25519_dalek::VerifyingKey);

/// The reason for which 32 bytes are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidPublicKey {
    NotAPoint,
    NotCanonical,
    /// Anyone can forge signatures of such a key.
    SmallOrder,
}

impl PrivateKey {
    /// Makes the key from its seed, the 32 bytes that RFC 8032 section 5.1.5 calls the private key.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    #[inline]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl PublicKey {
    /// Reads the encoding of RFC 8032 section 5.1.2.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidPublicKey> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(|_| InvalidPublicKey::NotAPoint)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(InvalidPublicKey::NotCanonical);
        }
        if key.is_weak() {
            return Err(InvalidPublicKey::SmallOrder);
        }
        Ok(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Verifies strictly: refuses points of small order and non-canonical signatures.
    #[inline]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}
