use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::key::KeyId;

/// The room for entries that all shards share. An entry is counted before it is added and until after it is removed, so
/// that there are never more than are counted.
pub(super) struct Room {
    quota: usize,
    capacity: usize,
    entries: Count,
    /// Every caller of whom a shard has entries. Locked with a shard locked, and never the other way round.
    callers: Mutex<HashMap<KeyId, Arc<Count>>>,
}

/// Why there is no room for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The caller has as many entries as it may have.
    OverQuota,
    /// The store is full, or what it counted cannot be trusted.
    Unavailable,
}

/// A count that many threads change, on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Count(AtomicUsize);

impl Room {
    pub(super) fn new(quota: usize, capacity: usize) -> Self {
        Self {
            quota,
            capacity,
            entries: Count::default(),
            callers: Mutex::default(),
        }
    }

    pub(super) const fn quota(&self) -> usize {
        self.quota
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of entries of all callers.
    pub(super) fn entries(&self) -> usize {
        self.entries.0.load(Ordering::Relaxed)
    }

    /// Takes the room of one entry of the caller whose count this is.
    pub(super) fn reserve(&self, used: &Count) -> Result<(), NoRoom> {
        if !used.add_one(self.quota) {
            return Err(NoRoom::OverQuota);
        }
        if !self.entries.add_one(self.capacity) {
            used.subtract(1);
            return Err(NoRoom::Unavailable);
        }
        Ok(())
    }

    /// Gives back the room of so many entries that were removed.
    pub(super) fn release(&self, used: &Count, entries: usize) {
        self.entries.subtract(entries);
        used.subtract(entries);
    }

    /// The count of a caller, the same for all shards.
    pub(super) fn join(&self, caller: &KeyId) -> Result<Arc<Count>, NoRoom> {
        let mut callers = self.callers.lock().map_err(|_| NoRoom::Unavailable)?;
        let used = callers.entry(caller.clone()).or_default();
        Ok(Arc::clone(used))
    }

    /// Gives up the count of a caller of whom a shard has no more entries. The last one to do so ends it: it is cloned and
    /// dropped under the lock only.
    pub(super) fn leave(&self, caller: KeyId, used: Arc<Count>) {
        if let Ok(mut callers) = self.callers.lock() {
            drop(used);
            if let Entry::Occupied(used) = callers.entry(caller)
                && Arc::strong_count(used.get()) == 1
            {
                used.remove();
            }
        }
    }
}

impl Count {
    /// Adds one, unless that makes it more than `most`.
    fn add_one(&self, most: usize) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                count.checked_add(1).filter(|count| *count <= most)
            })
            .is_ok()
    }

    fn subtract(&self, count: usize) {
        // Invariant: what is given back was taken before.
        self.0.fetch_sub(count, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::{panic, sync::Barrier, thread};

    use super::*;

    fn caller() -> KeyId {
        KeyId::new("a").unwrap()
    }

    #[test]
    fn a_caller_has_one_count_until_the_last_shard_leaves_it() {
        let room = Room::new(10, 10);
        let first = room.join(&caller()).unwrap();
        let second = room.join(&caller()).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        room.leave(caller(), first);
        assert_eq!(room.callers.lock().unwrap().len(), 1);
        room.leave(caller(), second);
        assert_eq!(room.callers.lock().unwrap().len(), 0);
    }

    #[test]
    fn a_full_store_takes_nothing_from_a_quota() {
        let room = Room::new(2, 2);
        let (one, other) = (Count::default(), Count::default());
        assert_eq!(room.reserve(&one), Ok(()));
        assert_eq!(room.reserve(&one), Ok(()));
        assert_eq!(room.reserve(&one), Err(NoRoom::OverQuota));
        for _ in 0..3 {
            assert_eq!(room.reserve(&other), Err(NoRoom::Unavailable));
        }
        room.release(&one, 2);
        assert_eq!(room.reserve(&other), Ok(()));
        assert_eq!(room.reserve(&other), Ok(()));
        assert_eq!(room.reserve(&other), Err(NoRoom::OverQuota));
    }

    #[test]
    fn the_last_place_is_taken_by_one_thread_at_a_time() {
        let (count, inside, start) = (Count::default(), AtomicUsize::new(0), Barrier::new(4));
        let taken: usize = thread::scope(|scope| {
            let running: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let taken = (0..500_000).filter(|_| {
                            let taken = count.add_one(1);
                            if taken {
                                assert_eq!(inside.fetch_add(1, Ordering::AcqRel), 0);
                                inside.fetch_sub(1, Ordering::AcqRel);
                                count.subtract(1);
                            }
                            taken
                        });
                        taken.count()
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert!(taken > 0);
        assert_eq!(count.0.into_inner(), 0);
    }

    #[test]
    fn a_panic_under_the_lock_lets_no_caller_in() {
        let room = Room::new(10, 10);
        let used = room.join(&caller()).unwrap();
        let panicked = thread::scope(|scope| {
            let room = &room;
            scope
                .spawn(move || {
                    let _callers = room.callers.lock().unwrap();
                    panic::resume_unwind(Box::new("under the lock"));
                })
                .join()
        });
        assert!(panicked.is_err());
        assert!(matches!(room.join(&caller()), Err(NoRoom::Unavailable)));
        room.leave(caller(), used);
    }
}
