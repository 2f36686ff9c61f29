use std::fmt;

use super::super::{
    credential_scope::CredentialScope, date::AmzDate, payload_hash::EMPTY_SHA256, signing_key,
};
use crate::{
    crypto::hmac_sha256::{Key, Mac},
    key::{VerifyingKey, VerifyingOperation},
};

/// The signatures of the chunks so far. Each signature covers the one before it, and the first
/// covers the signature of the head.
#[derive(Clone)]
pub(super) struct SignatureChain {
    key: Key,
    /// The date and the scope, each with a line break.
    date_and_scope: Box<str>,
    previous: [u8; 32],
}

impl SignatureChain {
    /// Starts after the signature of the head. `None` if the key is of another scheme.
    pub(super) fn new(
        key: &VerifyingKey,
        date: AmzDate,
        scope: CredentialScope<'_>,
        seed: [u8; 32],
    ) -> Option<Self> {
        let (VerifyingOperation::Mac(secret), Some(derived)) = (key.operation(), key.derived())
        else {
            return None;
        };
        let mut date_and_scope = String::from(date.as_str());
        date_and_scope.push('\n');
        scope.write_to(&mut date_and_scope);
        date_and_scope.push('\n');
        Some(Self {
            key: signing_key::for_scope(secret, derived, &scope),
            date_and_scope: date_and_scope.into(),
            previous: seed,
        })
    }

    /// Returns whether `signature` is that of the next chunk, and goes on to that chunk.
    ///
    /// `hash` is the SHA-256 of the chunk's data.
    pub(super) fn accepts_chunk(&mut self, hash: [u8; 32], signature: [u8; 32]) -> bool {
        let mac = self.begin("AWS4-HMAC-SHA256-PAYLOAD\n");
        let mac = mac.chain(EMPTY_SHA256.as_bytes()).chain(b"\n");
        self.previous = signature;
        with_hex(mac, &hash).verify(&signature)
    }

    /// Returns whether `signature` is that of the trailer after the last chunk.
    ///
    /// `hash` is the SHA-256 of the trailer's canonical lines.
    pub(super) fn accepts_trailer(&self, hash: [u8; 32], signature: [u8; 32]) -> bool {
        let mac = self.begin("AWS4-HMAC-SHA256-TRAILER\n");
        with_hex(mac, &hash).verify(&signature)
    }

    fn begin(&self, name: &str) -> Mac {
        let mac = self.key.begin().chain(name.as_bytes());
        let mac = mac.chain(self.date_and_scope.as_bytes());
        with_hex(mac, &self.previous).chain(b"\n")
    }
}

fn with_hex(mac: Mac, bytes: &[u8; 32]) -> Mac {
    let mut digits = [0; 64];
    // Invariant: 32 bytes have 64 digits.
    mac.chain(base16ct::lower::encode(bytes, &mut digits).unwrap_or_default())
}

/// Hides the key.
impl fmt::Debug for SignatureChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureChain").finish_non_exhaustive()
    }
}
