use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use smallvec::SmallVec;

use crate::crypto::hmac_sha256::Key;

/// The number of cached keys. A scope holds a date, and only dates within the window get here.
/// Around midnight that is two dates for each configured region and service.
const KEPT: usize = 4;

/// Keys derived from one secret, each for a separate scope.
///
/// The cache is part of the key that they are derived from. Replacing or removing that secret drops
/// them too. Their states are wiped on drop.
pub(crate) struct SigningKeyCache(Mutex<Kept>);

/// Scopes and their keys, oldest first. Each part of a scope ends in a slash.
type Kept = SmallVec<[(Box<str>, Key); KEPT]>;

impl SigningKeyCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(SmallVec::new()))
    }

    /// Returns the key for the scope made of these parts. No part may hold a slash. `derive` makes
    /// the key on a cache miss.
    pub(crate) fn for_scope(&self, scope: &[&str], derive: impl FnOnce() -> Key) -> Key {
        let is_scope = |known: &str| {
            let mut parts = scope.iter();
            let rest = parts.try_fold(known, |rest, part| {
                rest.strip_prefix(*part)?.strip_prefix('/')
            });
            rest == Some("")
        };
        // The list is consistent even after a panic: each change is one call.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = kept.iter().find(|(known, _)| is_scope(known)) {
            return key.clone();
        }
        let key = derive();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        let scope: String = scope.iter().flat_map(|part| [part, "/"]).collect();
        kept.push((scope.into_boxed_str(), key.clone()));
        key
    }
}

impl fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyCache([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(of: &str) -> Key {
        Key::new(of.as_bytes())
    }

    fn mac(key: Key) -> [u8; 32] {
        key.into_mac().finish()
    }

    #[test]
    fn derives_a_key_once_for_each_scope_and_keeps_a_bounded_number() {
        let keys = SigningKeyCache::new();
        let first = keys.for_scope(&["20260102", "r", "s"], || key("1"));
        let again = keys.for_scope(&["20260102", "r", "s"], || unreachable!("it is kept"));
        assert_eq!(mac(first), mac(again));
        for (name, scope) in [
            ("date", ["20260103", "r", "s"]),
            ("region", ["20260102", "q", "s"]),
            ("service", ["20260102", "r", "t"]),
        ] {
            let other = keys.for_scope(&scope, || key(name));
            assert_eq!(mac(other), mac(key(name)), "{name}");
        }
        for (name, scope) in [
            ("a part fewer", &["20260102", "r"][..]),
            ("a part more", &["20260102", "r", "s", "t"]),
            ("two parts in one", &["20260102", "rs"]),
            ("a part cut short", &["2026010", "r", "s"]),
            ("an empty part", &["20260102", "r", ""]),
        ] {
            let keys = SigningKeyCache::new();
            keys.for_scope(&["20260102", "r", "s"], || key("1"));
            let other = keys.for_scope(scope, || key(name));
            assert_eq!(mac(other), mac(key(name)), "{name}");
        }
        for scope in 0..100 {
            keys.for_scope(&[&scope.to_string()], || key("2"));
        }
        assert_eq!(keys.0.lock().unwrap().len(), KEPT);
        assert_eq!(format!("{keys:?}"), "SigningKeyCache([redacted])");
    }
}
