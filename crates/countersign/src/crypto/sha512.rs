//! SHA-512 (FIPS 180-4).

use hmac::digest::CtOutput;
use sha2::Digest as _;

/// A hash of the bytes so far.
#[derive(Clone, Default)]
pub(crate) struct Sha512(sha2::Sha512);

/// Returns the hash of these bytes.
#[cfg(test)]
pub(crate) fn digest(bytes: &[u8]) -> [u8; 64] {
    sha2::Sha512::digest(bytes).into()
}

impl Sha512 {
    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns whether this is the hash, compared in constant time.
    #[inline]
    pub(crate) fn verify(self, hash: &[u8; 64]) -> bool {
        CtOutput::<sha2::Sha512>::new(self.0.finalize()) == CtOutput::new((*hash).into())
    }
}
