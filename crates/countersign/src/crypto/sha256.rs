//! SHA-256 (FIPS 180-4).

use hmac::digest::CtOutput;
use sha2::Digest as _;

/// A hash of the bytes so far.
#[derive(Clone, Default)]
pub(crate) struct Sha256(sha2::Sha256);

/// Returns the hash of these bytes.
#[inline]
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

impl Sha256 {
    #[inline]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    #[inline]
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// Returns whether this is the hash, compared in constant time.
    #[inline]
    pub(crate) fn verify(self, hash: &[u8; 32]) -> bool {
        CtOutput::<sha2::Sha256>::new(self.0.finalize()) == CtOutput::new((*hash).into())
    }
}
