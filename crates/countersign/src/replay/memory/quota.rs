use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::key_id::KeyId;

/// The number of locks that the callers are divided among.
const PARTS: usize = 16;

/// The capacity that all shards share. An entry is counted before it is added and until after it is
/// removed, so there are never more entries than counted.
pub(super) struct Room {
    quota: usize,
    capacity: usize,
    entries: Entries,
    parts: [Part; PARTS],
    hasher: RandomState,
}

/// The reason for which an entry is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The caller has reached its quota.
    OverQuota,
    /// The store is full, or its counts cannot be trusted.
    Unavailable,
}

/// A caller, as a keyed hash of its name. Two callers with one hash would share a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller(u64);

/// The number of entries of each caller that has any, on separate cache lines. Lock order: a shard
/// first, then a part.
#[derive(Default)]
#[repr(align(128))]
struct Part(RwLock<HashMap<u64, AtomicUsize>>);

/// The number of all entries, on a separate cache line.
#[derive(Default)]
#[repr(align(128))]
struct Entries(AtomicUsize);

impl Room {
    pub(super) fn new(quota: usize, capacity: usize) -> Self {
        Self {
            quota,
            capacity,
            entries: Entries::default(),
            parts: Default::default(),
            hasher: RandomState::new(),
        }
    }

    pub(super) const fn quota(&self) -> usize {
        self.quota
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of entries of all callers.
    pub(super) fn entries(&self) -> usize {
        self.entries.0.load(Ordering::Relaxed)
    }

    /// Reserves room for one entry of a caller.
    pub(super) fn reserve(&self, caller: &KeyId) -> Result<Caller, NoRoom> {
        let caller = Caller(self.hasher.hash_one(caller.as_str()));
        let part = self.part(caller).ok_or(NoRoom::Unavailable)?;
        let known = {
            let callers = part.0.read().map_err(|_| NoRoom::Unavailable)?;
            // Counted under the lock: a caller without entries may be removed under it.
            callers.get(&caller.0).map(|entries| self.count(entries))
        };
        let counted = if let Some(counted) = known {
            counted
        } else {
            let mut callers = part.0.write().map_err(|_| NoRoom::Unavailable)?;
            self.count(callers.entry(caller.0).or_default())
        };
        // A full store may have added a caller without entries. A caller over its quota has
        // entries.
        if matches!(counted, Err(NoRoom::Unavailable)) {
            self.remove_if_unused(caller);
        }
        counted.map(|()| caller)
    }

    /// Releases the room of removed entries of one caller.
    pub(super) fn release(&self, caller: Caller, entries: usize) {
        self.entries.0.fetch_sub(entries, Ordering::AcqRel);
        let part = self.part(caller).map(|part| part.0.read());
        // Entries counted before a panic are not released: `reserve` refuses from then on.
        let Some(Ok(callers)) = part else { return };
        let counted = callers.get(&caller.0);
        let was = counted.map(|counted| counted.fetch_sub(entries, Ordering::AcqRel));
        drop(callers);
        if was == Some(entries) {
            self.remove_if_unused(caller);
        }
    }

    fn count(&self, entries: &AtomicUsize) -> Result<(), NoRoom> {
        if !add_one(entries, self.quota) {
            return Err(NoRoom::OverQuota);
        }
        if !add_one(&self.entries.0, self.capacity) {
            entries.fetch_sub(1, Ordering::AcqRel);
            return Err(NoRoom::Unavailable);
        }
        Ok(())
    }

    fn remove_if_unused(&self, caller: Caller) {
        let part = self.part(caller).map(|part| part.0.write());
        if let Some(Ok(mut callers)) = part
            && callers
                .get(&caller.0)
                .is_some_and(|entries| entries.load(Ordering::Acquire) == 0)
        {
            callers.remove(&caller.0);
        }
    }

    fn part(&self, caller: Caller) -> Option<&Part> {
        let [.., part] = caller.0.to_be_bytes();
        self.parts.get(usize::from(part) % PARTS)
    }
}

/// Adds one, unless the count would exceed `most`.
fn add_one(count: &AtomicUsize, most: usize) -> bool {
    count
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            count.checked_add(1).filter(|count| *count <= most)
        })
        .is_ok()
}

#[cfg(test)]
mod tests {
    use std::{panic, sync::Barrier, thread};

    use super::*;

    fn name(name: &str) -> KeyId {
        KeyId::new(name).unwrap()
    }

    fn callers(room: &Room) -> usize {
        let parts = room.parts.iter();
        parts.map(|part| part.0.read().unwrap().len()).sum()
    }

    #[test]
    fn a_caller_has_one_count_until_its_last_entry_is_removed() {
        let room = Room::new(10, 10);
        let first = room.reserve(&name("a")).unwrap();
        let second = room.reserve(&name("a")).unwrap();
        assert_eq!(first, second);
        room.release(first, 1);
        assert_eq!(callers(&room), 1);
        room.release(second, 1);
        assert_eq!((callers(&room), room.entries()), (0, 0));
    }

    #[test]
    fn a_full_store_takes_nothing_from_a_quota() {
        let room = Room::new(2, 2);
        let one = room.reserve(&name("one")).unwrap();
        room.reserve(&name("one")).unwrap();
        assert_eq!(room.reserve(&name("one")).unwrap_err(), NoRoom::OverQuota);
        for _ in 0..3 {
            let refused = room.reserve(&name("other")).unwrap_err();
            assert_eq!(refused, NoRoom::Unavailable);
        }
        room.release(one, 2);
        room.reserve(&name("other")).unwrap();
        room.reserve(&name("other")).unwrap();
        assert_eq!(room.reserve(&name("other")).unwrap_err(), NoRoom::OverQuota);
    }

    #[test]
    fn a_caller_without_room_leaves_nothing_behind() {
        let room = Room::new(1, 1);
        let _held = room.reserve(&name("a")).unwrap();
        assert_eq!(room.reserve(&name("b")).unwrap_err(), NoRoom::Unavailable);
        assert_eq!(callers(&room), 1);
    }

    #[test]
    fn the_last_place_is_taken_by_one_thread_at_a_time() {
        let (room, inside, start) = (Room::new(1, 1), AtomicUsize::new(0), Barrier::new(4));
        let taken: usize = thread::scope(|scope| {
            let running: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        let taken = (0..100_000).filter(|_| {
                            let reserved = room.reserve(&name("a"));
                            if let Ok(caller) = reserved {
                                assert_eq!(inside.fetch_add(1, Ordering::AcqRel), 0);
                                inside.fetch_sub(1, Ordering::AcqRel);
                                room.release(caller, 1);
                            }
                            reserved.is_ok()
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
        assert_eq!((callers(&room), room.entries()), (0, 0));
    }

    #[test]
    fn a_panic_under_the_lock_admits_no_caller() {
        let room = Room::new(10, 10);
        let held = room.reserve(&name("a")).unwrap();
        let panicked = thread::scope(|scope| {
            let room = &room;
            scope
                .spawn(move || {
                    let _callers = room.part(held).unwrap().0.write().unwrap();
                    panic::resume_unwind(Box::new("under the lock"));
                })
                .join()
        });
        assert!(panicked.is_err());
        assert_eq!(room.reserve(&name("a")).unwrap_err(), NoRoom::Unavailable);
        room.release(held, 1);
    }
}
