//! HKDF with SHA-256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

/// A pseudorandom key, from which further keys are expanded.
#[derive(Clone)]
pub(crate) struct PseudorandomKey(Hkdf<Sha256>);

/// The error for a key longer than HKDF can expand (RFC 5869 section 2.3).
#[derive(Debug)]
pub(crate) struct TooLong;

impl PseudorandomKey {
    /// Extracts the key from these bytes, without a salt (RFC 5869 section 2.2).
    pub(crate) fn extract(bytes: &[u8]) -> Self {
        Self::extract_with(None, bytes)
    }

    fn extract_with(salt: Option<&[u8]>, bytes: &[u8]) -> Self {
        let (mut copy, key) = Hkdf::extract(salt, bytes);
        copy.as_mut_slice().zeroize();
        Self(key)
    }

    /// Fills `key` with output for `info`, the concatenation of these parts (RFC 5869 section 2.3).
    pub(crate) fn expand(&self, info: &[&[u8]], key: &mut [u8]) -> Result<(), TooLong> {
        self.0.expand_multi_info(info, key).map_err(|_| TooLong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        base16ct::lower::decode_vec(text).unwrap()
    }

    /// Source: RFC 5869 appendix A.1, A.2 and A.3.
    #[test]
    fn the_derivation_is_the_one_of_the_standard() {
        let long = |from: u8| (from..=from + 0x4f).collect::<Vec<u8>>();
        for (name, ikm, salt, info, okm) in [
            (
                "A.1",
                vec![0x0b; 22],
                Some((0..=0x0c).collect::<Vec<u8>>()),
                (0xf0..=0xf9).collect(),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185\
                865",
            ),
            (
                "A.2",
                long(0),
                Some(long(0x60)),
                long(0xb0),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac782727\
                1cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d8\
                7",
            ),
            (
                "A.3",
                vec![0x0b; 22],
                None,
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a9\
                6c8",
            ),
        ] {
            let key = PseudorandomKey::extract_with(salt.as_deref(), &ikm);
            let mut found = vec![0; okm.len() / 2];
            key.expand(&[&info], &mut found).unwrap();
            assert_eq!(found, hex(okm), "{name}");
        }
    }
}
