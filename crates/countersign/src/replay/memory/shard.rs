use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::Mutex,
};

use super::quota::{Caller, NoRoom, Room};
use crate::{
    error::Unavailable,
    replay::{ClaimOutcome, ReplayClaim, ReplayKey},
    timestamp::Timestamp,
};

/// The greatest number of expired entries that one claim purges. More than a claim adds, so that
/// the store drains, and few enough that no claim waits for a whole bucket.
pub(super) const PURGED_PER_CLAIM: usize = 64;

/// The number of lists that are kept for reuse, and their greatest length.
const SPARE: usize = 16;

/// The part of the entries that one lock guards, on separate cache lines.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Shard(Mutex<State>);

/// Every live entry is stored twice: by key for lookups, and by the second of its expiry for
/// purging.
#[derive(Default)]
struct State {
    #[expect(
        clippy::zero_sized_map_values,
        reason = "a set has no entry API, and an entry is filled only if there is room"
    )]
    live: HashMap<ReplayKey, ()>,
    by_expiry: BTreeMap<i64, Vec<Expiring>>,
    /// Short purged lists, reused for later seconds. If a second has few entries, a claim seldom
    /// allocates.
    spare: Vec<Vec<Expiring>>,
    /// Entries that expired up to this time may have been purged.
    purged_up_to: Option<Timestamp>,
    /// The number of claims in this shard.
    claims: usize,
}

struct Expiring {
    key: ReplayKey,
    caller: Caller,
}

impl Shard {
    /// Answers a claim, and returns the number of claims in this shard.
    pub(super) fn claim(
        &self,
        claim: &ReplayClaim,
        room: &Room,
    ) -> Result<(Result<ClaimOutcome, NoRoom>, usize), Unavailable> {
        // A panic while the lock was held leaves entries that cannot be trusted: refuse every later
        // claim.
        let mut state = self
            .0
            .lock()
            .map_err(|_| Unavailable::new("replay store"))?;
        state.purge(claim.now, PURGED_PER_CLAIM, room);
        state.claims = state.claims.wrapping_add(1);
        Ok((state.claim(claim, room), state.claims))
    }

    /// Returns whether there is an entry with this key.
    pub(super) fn contains(&self, key: &ReplayKey) -> bool {
        let state = self.0.lock();
        state.is_ok_and(|state| state.live.contains_key(key))
    }

    /// Purges at most `most` expired entries and returns their number.
    pub(super) fn purge(
        &self,
        now: Timestamp,
        most: usize,
        room: &Room,
    ) -> Result<usize, Unavailable> {
        let mut state = self
            .0
            .lock()
            .map_err(|_| Unavailable::new("replay store"))?;
        Ok(state.purge(now, most, room))
    }

    /// Purges expired entries unless another thread holds the lock, which purges itself.
    pub(super) fn purge_if_idle(&self, now: Timestamp, room: &Room) {
        if let Ok(mut state) = self.0.try_lock() {
            state.purge(now, PURGED_PER_CLAIM, room);
        }
    }
}

impl State {
    fn claim(&mut self, claim: &ReplayClaim, room: &Room) -> Result<ClaimOutcome, NoRoom> {
        let forgotten = self
            .purged_up_to
            .is_some_and(|purged| claim.expires_at <= purged);
        if forgotten || claim.expires_at <= claim.now {
            return Ok(ClaimOutcome::Replayed);
        }
        // Report a replay even if there is no room.
        let Entry::Vacant(place) = self.live.entry(claim.key) else {
            return Ok(ClaimOutcome::Replayed);
        };
        let caller = room.reserve(&claim.caller)?;
        place.insert(());
        self.by_expiry
            .entry(bucket(claim.expires_at))
            .or_insert_with(|| self.spare.pop().unwrap_or_default())
            .push(Expiring {
                key: claim.key,
                caller,
            });
        Ok(ClaimOutcome::Fresh)
    }

    /// Purges at most `most` entries of past seconds and returns their number.
    fn purge(&mut self, now: Timestamp, most: usize, room: &Room) -> usize {
        let mut left = most;
        while let Some(mut oldest) = self.by_expiry.first_entry() {
            let end = end_of(*oldest.key());
            if end > now {
                break;
            }
            self.purged_up_to = self.purged_up_to.max(Some(end));
            let entries = oldest.get_mut();
            let kept = entries.len().saturating_sub(left);
            left = left.saturating_sub(entries.len());
            let (_, expired) = entries.split_at(kept);
            for of_one_caller in expired.chunk_by(|one, next| one.caller == next.caller) {
                for entry in of_one_caller {
                    self.live.remove(&entry.key);
                }
                if let Some(Expiring { caller, .. }) = of_one_caller.first() {
                    room.release(*caller, of_one_caller.len());
                }
            }
            entries.truncate(kept);
            if kept > 0 {
                break;
            }
            let entries = oldest.remove();
            if entries.capacity() <= SPARE && self.spare.len() < SPARE {
                self.spare.push(entries);
            }
        }
        most.saturating_sub(left)
    }
}

/// Returns the second in which an entry expires.
fn bucket(expires_at: Timestamp) -> i64 {
    expires_at.as_unix_seconds()
}

fn end_of(bucket: i64) -> Timestamp {
    Timestamp::from_unix_seconds(bucket.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::{panic, thread};

    use super::*;
    use crate::key_id::KeyId;

    #[test]
    fn a_panic_under_the_lock_closes_the_shard() {
        let (shard, room) = (Shard::default(), Room::new(10, 10));
        let at = Timestamp::from_unix_seconds;
        let claim = |nonce| {
            let caller = KeyId::new("a").unwrap();
            ReplayClaim::new(
                ReplayKey::new("", "a", nonce),
                caller,
                at(700),
                at(1000),
                at(700),
            )
        };
        assert!(matches!(
            shard.claim(&claim("1"), &room),
            Ok((Ok(ClaimOutcome::Fresh), 1))
        ));
        let panicked = thread::scope(|scope| {
            let shard = &shard;
            scope
                .spawn(move || {
                    let _state = shard.0.lock().unwrap();
                    panic::resume_unwind(Box::new("under the lock"));
                })
                .join()
        });
        assert!(panicked.is_err());
        for nonce in ["1", "2"] {
            assert!(shard.claim(&claim(nonce), &room).is_err(), "{nonce}");
        }
        assert!(shard.purge(at(2000), 64, &room).is_err());
        shard.purge_if_idle(at(2000), &room);
        assert_eq!(room.entries(), 1, "untrusted entries release no room");
    }
}
