use crate::crypto::sha256::Sha256;

/// The identity by which a request is recognised when it comes again: 128 bits of SHA-256 over audience, caller and
/// nonce, each with its length in front, so that no two triples run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayKey([u8; 16]);

impl ReplayKey {
    /// The identity of a request.
    ///
    /// `audience` names the verifier. Verifiers that share a store and stand behind one another (a gateway and the
    /// service behind it) need different audiences, or the second would take the first one's request for a replay.
    /// Replicas of one service need the same.
    pub fn new(audience: &str, caller: &str, nonce: &str) -> Self {
        Self::of_parts(
            "countersign nonce\0",
            &[audience, caller, nonce].map(str::as_bytes),
        )
    }

    /// The identity that these parts make, each with its length in front. `kind` keeps it apart from those of every other
    /// kind: it ends in a zero byte and holds no other.
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

    /// An identity that no request was found to have, for tests of stores.
    #[cfg(feature = "replay-conformance")]
    pub(crate) const fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the identity, for a store to keep.
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
