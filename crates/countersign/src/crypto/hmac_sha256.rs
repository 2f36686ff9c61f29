//! HMAC with SHA-256 (RFC 2104, FIPS 180-4).

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

/// A key: its precomputed inner and outer states, without its bytes.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

/// A MAC of the bytes so far.
#[derive(Clone)]
pub(crate) struct Mac(Hmac<Sha256>);

impl Key {
    /// Makes a key of any length.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        match Hmac::new_from_slice(bytes) {
            Ok(key) => Self(key),
            // Invariant: HMAC accepts keys of every length (RFC 2104 section 3).
            Err(_) => unreachable!("HMAC takes keys of every length"),
        }
    }

    /// Begins a MAC.
    #[inline]
    pub(crate) fn begin(&self) -> Mac {
        Mac(self.0.clone())
    }

    /// Begins a MAC and consumes the key.
    #[inline]
    pub(crate) fn into_mac(self) -> Mac {
        Mac(self.0)
    }
}

impl Mac {
    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    #[inline]
    pub(crate) fn chain(self, bytes: &[u8]) -> Self {
        Self(self.0.chain_update(bytes))
    }

    /// Returns whether this is the MAC, compared in constant time.
    #[inline]
    pub(crate) fn verify(self, mac: &[u8]) -> bool {
        self.0.verify_slice(mac).is_ok()
    }

    #[inline]
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}
