use crate::crypto::sha256::Sha256;

/// The identity that detects a replayed request: 128 bits of SHA-256 over audience, caller and
/// nonce. Each part follows its length, so that different triples cannot collide by concatenation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayKey([u8; 16]);

impl ReplayKey {
    /// Makes the identity of a request.
    ///
    /// `audience` names the verifier. If a gateway and the service that it forwards to share a
    /// store, give them different audiences. Otherwise the service takes the gateway's request for
    /// a replay. Replicas of one service need the same audience.
    pub fn new(audience: &str, caller: &str, nonce: &str) -> Self {
        Self::of_parts(
            "countersign nonce\0",
            &[audience, caller, nonce].map(str::as_bytes),
        )
    }

    /// Makes the identity from these parts, each after its length. `kind` separates it from
    /// identities of every other kind. `kind` ends in a zero byte and holds no other.
    pub(crate) fn of_parts(kind: &'static str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(kind.as_bytes());
        for part in parts {
            // Invariant: a length in memory fits 64 bits.
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let mut key = [0; 16];
        for (to, from) in key.iter_mut().zip(hash.finish()) {
            *to = from;
        }
        Self(key)
    }

    /// Makes an identity from arbitrary bytes, for tests of stores.
    #[cfg(feature = "replay-conformance")]
    pub(crate) const fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the 16 bytes that a store keeps.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: CVE-2023-35941 (Envoy OAuth2 joined fields without separators).
    #[test]
    fn bytes_cannot_move_from_one_part_to_the_next() {
        let mut seen = std::collections::HashSet::new();
        for (audience, caller, nonce) in [
            ("", "ab", "c"),
            ("a", "b", "c"),
            ("ab", "", "c"),
            ("ab", "c", ""),
            ("", "", "abc"),
            ("a", "bc", ""),
            ("", "a", "bc"),
        ] {
            assert!(
                seen.insert(ReplayKey::new(audience, caller, nonce)),
                "{audience}|{caller}|{nonce}"
            );
        }
    }
}
