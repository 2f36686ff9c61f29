use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicI64, Ordering},
    },
};

use countersign::{KeyId, KeyVersion};

/// Into how many parts the keys are divided. Only requests whose keys are of one part wait for each other.
const PARTS: u64 = 64;

/// How many keys one part holds.
const ROOM: usize = 1024;

/// Of so many keys the one that was unused for longest is dropped.
const COMPARED: usize = 8;

/// The last use of each key, in Unix seconds. Adding a key copies no others, whatever their number.
pub(super) struct LastUses {
    parts: Box<[Part]>,
    hasher: RandomState,
    /// The latest use of a key that was dropped; `NONE` before that.
    dropped: AtomicI64,
}

/// No Unix second that a key was used in.
const NONE: i64 = i64::MIN;

/// The keys that one lock guards, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Part(RwLock<Keys>);

#[derive(Default)]
struct Keys {
    /// By a keyed hash of caller and version.
    places: HashMap<u64, usize>,
    recorded: Vec<Recorded>,
    /// Where the next key to drop is looked for.
    hand: usize,
}

struct Recorded {
    hash: u64,
    caller: KeyId,
    version: KeyVersion,
    second: AtomicI64,
}

impl LastUses {
    pub(super) const MAX_KEYS: usize = 64 * ROOM;

    /// The last use of a key.
    pub(super) fn of(&self, caller: &str, version: &str) -> Option<i64> {
        let hash = self.hash(caller, version);
        let keys = self.part(hash)?.read();
        let key = keys.find(hash, caller, version)?;
        Some(key.second.load(Ordering::Relaxed))
    }

    /// Records a use of a key.
    pub(super) fn record(&self, caller: &KeyId, version: &KeyVersion, second: i64) {
        let hash = self.hash(caller.as_str(), version.as_str());
        // Invariant: every hash has its part.
        let Some(part) = self.part(hash) else { return };
        if let Some(key) = part.read().find(hash, caller.as_str(), version.as_str()) {
            key.used(second);
            return;
        }
        // A panic leaves nothing half done that a reader could take for a use.
        let mut keys = part.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.find(hash, caller.as_str(), version.as_str()) {
            key.used(second);
            return;
        }
        let dropped = keys.add(Recorded {
            hash,
            caller: caller.clone(),
            version: version.clone(),
            second: AtomicI64::new(second),
        });
        if let Some(dropped) = dropped {
            // Before the lock is given back: whoever misses the key knows that one was dropped.
            self.dropped.fetch_max(dropped, Ordering::Release);
        }
    }

    /// The latest use of a key that was dropped for want of room.
    pub(super) fn latest_dropped(&self) -> Option<i64> {
        Some(self.dropped.load(Ordering::Acquire)).filter(|second| *second != NONE)
    }

    /// Calls `each` with every key and its last use.
    pub(super) fn each(&self, mut each: impl FnMut(&KeyId, &KeyVersion, i64)) {
        for part in &self.parts {
            for key in &part.read().recorded {
                let second = key.second.load(Ordering::Relaxed);
                each(&key.caller, &key.version, second);
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
    fn find(&self, hash: u64, caller: &str, version: &str) -> Option<&Recorded> {
        let key = self.recorded.get(*self.places.get(&hash)?)?;
        (key.caller == *caller && key.version == *version).then_some(key)
    }

    /// Adds a key that is not there. Returns the last use of one that made room for it.
    fn add(&mut self, key: Recorded) -> Option<i64> {
        let hash = key.hash;
        let (place, dropped) = if self.recorded.len() < ROOM {
            self.recorded.push(key);
            (self.recorded.len().saturating_sub(1), None)
        } else {
            let place = self.longest_unused_of_few();
            let old = self.recorded.get_mut(place)?;
            let old = std::mem::replace(old, key);
            if self.places.get(&old.hash) == Some(&place) {
                self.places.remove(&old.hash);
            }
            (place, Some(old.second.into_inner()))
        };
        let of_same_hash = self.places.insert(hash, place);
        let hidden = of_same_hash
            .and_then(|place| self.recorded.get(place))
            .map(|key| key.second.load(Ordering::Relaxed));
        dropped.max(hidden)
    }

    fn longest_unused_of_few(&mut self) -> usize {
        let from = self.hand;
        self.hand = from.wrapping_add(COMPARED) % ROOM;
        let few = (0..COMPARED).map(|step| from.wrapping_add(step) % ROOM);
        let second_of = |place: &usize| {
            let key = self.recorded.get(*place);
            key.map(|key| key.second.load(Ordering::Relaxed))
        };
        few.min_by_key(second_of).unwrap_or(from)
    }
}

impl Recorded {
    /// Once a second one write.
    fn used(&self, second: i64) {
        if self.second.load(Ordering::Relaxed) < second {
            // Not a plain store: of two requests the later one counts, whichever is recorded last.
            self.second.fetch_max(second, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hash: u64, caller: &str, second: i64) -> Recorded {
        Recorded {
            hash,
            caller: KeyId::new(caller).unwrap(),
            version: KeyVersion::new("1").unwrap(),
            second: AtomicI64::new(second),
        }
    }

    #[test]
    fn a_full_part_drops_one_that_was_unused_for_longer_than_seven_others() {
        let mut keys = Keys::default();
        for number in 0..ROOM {
            let second = 1000 + i64::try_from((number + 5) % COMPARED).unwrap();
            let hash = u64::try_from(number).unwrap();
            assert_eq!(keys.add(key(hash, &number.to_string(), second)), None);
        }
        for round in 0..ROOM / COMPARED {
            let name = format!("new-{round}");
            let hash = u64::try_from(ROOM + round).unwrap();
            assert_eq!(keys.add(key(hash, &name, 2000)), Some(1000), "{round}");
            assert!(keys.find(hash, &name, "1").is_some());
            let dropped = (round * COMPARED + 3).to_string();
            let hash = u64::try_from(round * COMPARED + 3).unwrap();
            assert!(keys.find(hash, &dropped, "1").is_none(), "{round}");
        }
        assert_eq!(keys.recorded.len(), ROOM);
        assert_eq!(keys.places.len(), ROOM);
    }

    #[test]
    fn of_two_keys_with_one_hash_the_first_counts_as_dropped() {
        let mut keys = Keys::default();
        assert_eq!(keys.add(key(7, "a", 1000)), None);
        assert_eq!(keys.add(key(7, "b", 1001)), Some(1000));
        assert!(keys.find(7, "a", "1").is_none());
        assert!(keys.find(7, "b", "1").is_some());
    }
}
