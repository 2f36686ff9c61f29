use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

/// Hashes a [`ReplayKey`](super::super::ReplayKey) for a table. A key is a hash already, so that one multiplication is
/// enough; the secret keeps a caller from picking nonces whose keys fall in one place of the table.
#[derive(Clone)]
pub(super) struct KeyHashing {
    secret: [u64; 2],
}

pub(super) struct KeyHasher {
    secret: [u64; 2],
    hash: u64,
}

impl Default for KeyHashing {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            secret: [random.hash_one(0_u8), random.hash_one(1_u8)],
        }
    }
}

impl BuildHasher for KeyHashing {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher {
            secret: self.secret,
            hash: 0,
        }
    }
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        let [one, other] = self.secret;
        for pair in bytes.chunks(16) {
            let one = one ^ self.hash ^ first_eight(pair);
            let other = other
                ^ pair
                    .last_chunk()
                    .map_or(0, |last| u64::from_le_bytes(*last));
            // Both halves of the product, since the low bits of the lower one depend on nothing but low bits.
            let product = u128::from(one)
                .wrapping_mul(u128::from(other))
                .to_le_bytes();
            let [lower, upper] = [product.first_chunk(), product.last_chunk()]
                .map(|half| half.map_or(0, |half| u64::from_le_bytes(*half)));
            self.hash = lower ^ upper;
        }
    }

    /// The length of a key, which is that of every other.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.hash
    }
}

fn first_eight(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::replay::ReplayKey;

    #[test]
    fn spreads_keys_over_high_and_low_bits_otherwise_in_each_table() {
        let keys = (0..4096).map(|nonce| ReplayKey::new("", "a", &nonce.to_string()));
        let (one, other) = (KeyHashing::default(), KeyHashing::default());
        let (mut low, mut high, mut same) = (HashSet::new(), HashSet::new(), 0);
        for key in keys {
            let hash = one.hash_one(key);
            assert_eq!(hash, one.hash_one(key));
            low.insert(hash & 0xfff);
            high.insert(hash >> 52);
            same += u32::from(hash & 0xfff == other.hash_one(key) & 0xfff);
        }
        // Of 4096 places, 4096 keys that are spread at random leave 1507 empty.
        assert!(low.len() > 2400, "{}", low.len());
        assert!(high.len() > 2400, "{}", high.len());
        assert!(same < 40, "{same}");
    }
}
