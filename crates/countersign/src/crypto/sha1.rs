//! SHA-1 (FIPS 180-4), for checksums only. It is not collision resistant.

use sha1::Digest as _;

/// A hash of the bytes so far.
#[derive(Clone, Default)]
pub(crate) struct Sha1(sha1::Sha1);

impl Sha1 {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 20] {
        self.0.finalize().into()
    }
}
