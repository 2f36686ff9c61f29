use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::timestamp::Timestamp;

/// Maximum number of remembered signatures. Above it, every request has a nonce.
const MAX_SIGNATURES: usize = 1024;

/// The signatures that a signer made recently, so that it sends none twice.
///
/// Forgets the oldest second first. Any signature of a forgotten second counts as made before.
#[derive(Default)]
pub(super) struct RecentSignatures(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    /// The first half of each signature, with its second.
    made: HashMap<[u8; 16], i64>,
    /// The latest second with a forgotten signature.
    forgotten: Option<i64>,
}

impl RecentSignatures {
    /// Records a signature. Returns `false` if it was, or may have been, made before.
    pub(super) fn is_new(&self, signature: &[u8; 32], date: Timestamp) -> bool {
        let second = date.as_unix_seconds();
        let (half, _) = signature.split_at(16);
        let Ok(half) = <[u8; 16]>::try_from(half) else {
            // Invariant: half of 32 bytes is 16. `false` only adds a nonce, which is always valid.
            return false;
        };
        // Invariant: no code under the lock panics, so the value is consistent.
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.take(half, second)
    }
}

impl Recent {
    fn take(&mut self, half: [u8; 16], second: i64) -> bool {
        if self.is_forgotten(second) || self.made.contains_key(&half) {
            return false;
        }
        if self.made.len() >= MAX_SIGNATURES {
            self.forget_before(second);
            if self.made.len() >= MAX_SIGNATURES {
                return false;
            }
        }
        self.made.insert(half, second);
        true
    }

    fn is_forgotten(&self, second: i64) -> bool {
        self.forgotten.is_some_and(|forgotten| second <= forgotten)
    }

    fn forget_before(&mut self, second: i64) {
        let forgotten = &mut self.forgotten;
        self.made.retain(|_, made| {
            let stays = *made >= second;
            if !stays {
                *forgotten = (*forgotten).max(Some(*made));
            }
            stays
        });
    }
}

impl fmt::Debug for RecentSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecentSignatures")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(number: usize) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    #[test]
    fn a_signature_is_new_once() {
        let recent = RecentSignatures::default();
        assert!(recent.is_new(&signature(1), at(10)));
        assert!(!recent.is_new(&signature(1), at(10)));
        assert!(recent.is_new(&signature(2), at(10)));
        assert!(recent.is_new(&signature(3), at(9)), "a clock may step back");
        assert!(!recent.is_new(&signature(3), at(9)));
    }

    #[test]
    fn a_full_memory_takes_nothing_for_new_until_a_later_second() {
        let recent = RecentSignatures::default();
        for number in 0..MAX_SIGNATURES {
            assert!(recent.is_new(&signature(number), at(10)), "{number}");
        }
        let next = signature(MAX_SIGNATURES);
        assert!(!recent.is_new(&next, at(10)));
        assert!(recent.is_new(&next, at(11)));
        assert!(recent.0.lock().unwrap().made.len() <= MAX_SIGNATURES);
        for number in 0..MAX_SIGNATURES {
            let forgotten = recent.is_new(&signature(number), at(10));
            assert!(!forgotten, "{number}: it may have been sent");
        }
    }
}
