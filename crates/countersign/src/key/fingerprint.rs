use smallvec::SmallVec;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crypto::sha256::{self, Sha256};

/// The block size of HMAC-SHA256 in bytes (B in RFC 2104 section 2).
const BLOCK_LEN: usize = 64;

/// Identifies a key for comparison. Used for equality only, and never shown.
///
/// HMAC pads a short key with zeros and hashes a long one (RFC 2104 section 3). Keys with different
/// bytes can therefore be equal as keys. The fingerprint is a hash of the padded form. A public key
/// is hashed as its bytes. This detects a shared secret that is a public key.
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Fingerprint([u8; 32]);

/// All fingerprints of one key. None may equal a fingerprint of another key.
pub(crate) type Fingerprints = SmallVec<[Fingerprint; 1]>;

impl Fingerprint {
    pub(crate) fn of_hmac_sha256(key: &[u8]) -> Self {
        let mut block = zeroize::Zeroizing::new([0; BLOCK_LEN]);
        match block.get_mut(..key.len()) {
            Some(start) => start.copy_from_slice(key),
            None => {
                for (to, from) in block.iter_mut().zip(sha256::digest(key)) {
                    *to = from;
                }
            }
        }
        Self::of_block(&block)
    }

    /// Of the 32 bytes of an Ed25519 key, an uncompressed point, or the modulus of an RSA key.
    pub(crate) fn of_public_key(bytes: &[u8]) -> Self {
        Self::of_hmac_sha256(bytes)
    }

    fn of_block(block: &[u8; BLOCK_LEN]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"countersign key fingerprint\0");
        hash.update(block);
        Self(hash.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_way_in_which_two_keys_are_one_to_hmac() {
        let key: Vec<u8> = (0..32).collect();
        let same = Fingerprint::of_hmac_sha256(&key);

        let mut padded = key.clone();
        padded.push(0);
        assert!(
            same == Fingerprint::of_hmac_sha256(&padded),
            "one zero more"
        );
        padded.resize(BLOCK_LEN, 0);
        assert!(
            same == Fingerprint::of_hmac_sha256(&padded),
            "a whole block"
        );

        let long: Vec<u8> = (0..65).collect();
        let hashed = sha256::digest(&long);
        assert!(
            Fingerprint::of_hmac_sha256(&long) == Fingerprint::of_hmac_sha256(&hashed),
            "a key past the block and its hash"
        );
    }

    #[test]
    fn tells_other_keys_apart() {
        let key: Vec<u8> = (0..32).collect();
        let mut other = key.clone();
        other[31] ^= 1;
        assert!(Fingerprint::of_hmac_sha256(&key) != Fingerprint::of_hmac_sha256(&other));
        // HMAC uses 64 bytes unchanged and hashes 65.
        let block: Vec<u8> = (0..64).collect();
        assert!(
            Fingerprint::of_hmac_sha256(&block)
                != Fingerprint::of_hmac_sha256(&sha256::digest(&block))
        );
    }
}
