use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicI64, Ordering},
    },
};

use countersign::{KeyId, KeyVersion};

/// The number of parts of the table. Requests wait for each other only within a part.
const PARTS: u64 = 64;

/// The number of keys in one part.
const ROOM: usize = 1024;

/// The number of keys of which the least recently used one is dropped.
const COMPARED: usize = 8;

/// The last use of each key, in Unix seconds. Adding a key copies no other key.
pub(super) struct LastUses {
    parts: Box<[Part]>,
    hasher: RandomState,
    /// The latest use of a dropped key, or `NONE`.
    dropped: AtomicI64,
}

/// A second in which no key was used.
const NONE: i64 = i64::MIN;

/// The keys that one lock guards, on separate cache lines.
#[derive(Default)]
#[repr(align(128))]
struct Part(RwLock<Keys>);

#[derive(Default)]
struct Keys {
    /// By a keyed hash of caller and version. Two keys with the same hash count as one.
    last_uses: HashMap<u64, AtomicI64>,
    recorded: Vec<Recorded>,
    /// The place where the search for the next key to drop begins.
    hand: usize,
}

/// A key's names, apart from its last use, because a request does not read them.
struct Recorded {
    hash: u64,
    caller: KeyId,
    version: KeyVersion,
}

impl LastUses {
    pub(super) const MAX_KEYS: usize = 64 * ROOM;

    /// Returns the last use of a key.
    pub(super) fn of(&self, caller: &str, version: &str) -> Option<i64> {
        let hash = self.hash(caller, version);
        self.part(hash)?.read().last_use(hash)
    }

    /// Records a use of a key.
    pub(super) fn record(&self, caller: &KeyId, version: &KeyVersion, second: i64) {
        let hash = self.hash(caller.as_str(), version.as_str());
        // Invariant: every hash selects a part.
        let Some(part) = self.part(hash) else { return };
        if part.read().record(hash, second) {
            return;
        }
        // A panic leaves no partial change that a reader could take for a use.
        let mut keys = part.0.write().unwrap_or_else(PoisonError::into_inner);
        if keys.record(hash, second) {
            return;
        }
        let key = Recorded {
            hash,
            caller: caller.clone(),
            version: version.clone(),
        };
        if let Some(dropped) = keys.add(key, second) {
            // Stored before the lock is released: a reader that misses the key then sees that a key
            // was dropped.
            self.dropped.fetch_max(dropped, Ordering::Release);
        }
    }

    /// Returns the latest use of a key that was dropped because its part was full.
    pub(super) fn latest_dropped(&self) -> Option<i64> {
        Some(self.dropped.load(Ordering::Acquire)).filter(|second| *second != NONE)
    }

    /// Calls `each` with every key and its last use.
    pub(super) fn each(&self, mut each: impl FnMut(&KeyId, &KeyVersion, i64)) {
        for part in &self.parts {
            let keys = part.read();
            for key in &keys.recorded {
                if let Some(second) = keys.last_use(key.hash) {
                    each(&key.caller, &key.version, second);
                }
            }
        }
    }

    fn hash(&self, caller: &str, version: &str) -> u64 {
        self.hasher.hash_one((caller, version))
    }

    fn part(&self, hash: u64) -> Option<&Part> {
        self.parts.get(usize::try_from(hash % PARTS).ok()?)
    }
}

impl Default for LastUses {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| Part::default()).collect(),
            hasher: RandomState::new(),
            dropped: AtomicI64::new(NONE),
        }
    }
}

impl Part {
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn last_use(&self, hash: u64) -> Option<i64> {
        let second = self.last_uses.get(&hash)?;
        Some(second.load(Ordering::Relaxed))
    }

    /// Records a use of a known key. Returns whether the key is known.
    fn record(&self, hash: u64, second: i64) -> bool {
        let Some(last) = self.last_uses.get(&hash) else {
            return false;
        };
        // Writes at most once a second for each key. `fetch_max`, because requests may be recorded
        // out of order.
        if last.load(Ordering::Relaxed) < second {
            last.fetch_max(second, Ordering::Relaxed);
        }
        true
    }

    /// Adds an unknown key. Returns the last use of the key that was dropped for it.
    fn add(&mut self, key: Recorded, second: i64) -> Option<i64> {
        let hash = key.hash;
        let dropped = if self.recorded.len() < ROOM {
            self.recorded.push(key);
            None
        } else {
            let place = self.longest_unused_of_few();
            let old = std::mem::replace(self.recorded.get_mut(place)?, key);
            self.last_uses.remove(&old.hash)
        };
        self.last_uses.insert(hash, AtomicI64::new(second));
        dropped.map(AtomicI64::into_inner)
    }

    fn longest_unused_of_few(&mut self) -> usize {
        let from = self.hand;
        self.hand = from.wrapping_add(COMPARED) % ROOM;
        let few = (0..COMPARED).map(|step| from.wrapping_add(step) % ROOM);
        let second_of = |place: &usize| {
            let key = self.recorded.get(*place);
            key.and_then(|key| self.last_use(key.hash))
        };
        few.min_by_key(second_of).unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hash: u64) -> Recorded {
        Recorded {
            hash,
            caller: KeyId::new("a").unwrap(),
            version: KeyVersion::new("1").unwrap(),
        }
    }

    #[test]
    fn a_full_part_drops_the_least_recently_used_of_eight_keys() {
        let mut keys = Keys::default();
        for number in 0..ROOM {
            let second = 1000 + i64::try_from((number + 5) % COMPARED).unwrap();
            let hash = u64::try_from(number).unwrap();
            assert_eq!(keys.add(key(hash), second), None);
        }
        for round in 0..ROOM / COMPARED {
            let hash = u64::try_from(ROOM + round).unwrap();
            assert_eq!(keys.add(key(hash), 2000), Some(1000), "{round}");
            assert_eq!(keys.last_use(hash), Some(2000));
            let dropped = u64::try_from(round * COMPARED + 3).unwrap();
            assert_eq!(keys.last_use(dropped), None, "{round}");
        }
        assert_eq!(keys.recorded.len(), ROOM);
        assert_eq!(keys.last_uses.len(), ROOM);
    }

    #[test]
    fn an_earlier_use_that_is_recorded_later_changes_nothing() {
        let mut keys = Keys::default();
        keys.add(key(7), 1000);
        assert!(keys.record(7, 1002) && keys.record(7, 1001));
        assert_eq!(keys.last_use(7), Some(1002));
        assert!(!keys.record(8, 1002));
    }
}
