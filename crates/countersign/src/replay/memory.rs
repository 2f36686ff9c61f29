use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Claimed, ReplayClaim, ReplayKey, ReplayStore, ReplayStoreId};
use crate::{
    error::{ConfigError, ConfigErrorKind, Unavailable},
    key::KeyId,
    timestamp::Timestamp,
};

/// How many expired entries one claim may clear away: more than it adds, so that the store drains, and few enough that
/// no claim waits for a whole bucket.
const PURGED_PER_CLAIM: usize = 64;

/// A [`ReplayStore`] in the memory of one process, for a service with one replica.
///
/// It is bounded: each caller has a quota of live entries, and there is room for the quotas of so many callers. Nothing
/// is ever evicted before it expires; a caller over its quota is told so and takes nothing from the others. Handles are
/// cheap to clone and share the entries.
///
/// The store starts empty: a request that was handled just before a restart can be handled again just after it, within
/// the window of its date. [`refuse_dates_before`](MemoryReplayStoreBuilder::refuse_dates_before) closes that gap for
/// callers whose clocks are not ahead, at the price of refusing what was signed before the start.
///
/// An entry takes 67 to 87 bytes, and 106 at the moment in which the table grows.
#[derive(Clone)]
pub struct MemoryReplayStore(Arc<Shared>);

struct Shared {
    id: ReplayStoreId,
    quota: usize,
    capacity: usize,
    refuse_dates_before: Option<Timestamp>,
    state: Mutex<State>,
    /// How many are live, for whoever asks without the lock.
    entries: AtomicUsize,
}

/// Every live entry stands twice: by key to be found, and by the second in which it expires to be cleared away.
#[derive(Default)]
struct State {
    live: HashSet<ReplayKey>,
    by_expiry: BTreeMap<i64, Vec<Expiring>>,
    by_caller: HashMap<KeyId, usize>,
    /// Every entry that expired up to here may be gone.
    purged_up_to: Option<Timestamp>,
}

struct Expiring {
    key: ReplayKey,
    caller: KeyId,
}

impl MemoryReplayStore {
    /// A store with room for 16 callers of 2^20 live entries each: some 3,000 requests a second of one caller.
    pub fn new() -> Self {
        Self::builder().assemble()
    }

    /// A store with room for twice as many callers as there are, and at least 16.
    pub fn for_callers(callers: Option<usize>) -> Self {
        let builder = Self::builder();
        let callers = callers.unwrap_or(0).saturating_mul(2).max(builder.callers);
        builder.callers(callers).assemble()
    }

    /// Starts from the default sizes.
    pub fn builder() -> MemoryReplayStoreBuilder {
        MemoryReplayStoreBuilder {
            quota: 1 << 20,
            callers: 16,
            refuse_dates_before: None,
        }
    }

    /// The number of entries, live or not yet cleared away.
    pub fn len(&self) -> usize {
        self.0.state.lock().map_or(0, |state| state.live.len())
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The greatest number of entries.
    pub fn capacity(&self) -> usize {
        self.0.capacity
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayStore for MemoryReplayStore {
    async fn claim(&self, claim: ReplayClaim) -> Result<Claimed, Unavailable> {
        self.0.claim(&claim)
    }

    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<Claimed, Unavailable>> {
        Some(self.0.claim(claim))
    }

    fn seen(&self, key: &ReplayKey) -> bool {
        let state = self.0.state.lock();
        state.is_ok_and(|state| state.live.contains(key))
    }

    fn forgets_on_restart(&self) -> bool {
        self.0.refuse_dates_before.is_none()
    }

    fn entries(&self) -> Option<usize> {
        Some(self.0.entries.load(Ordering::Relaxed))
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id
    }
}

impl Shared {
    fn claim(&self, claim: &ReplayClaim) -> Result<Claimed, Unavailable> {
        if self
            .refuse_dates_before
            .is_some_and(|start| claim.signed_at < start)
        {
            return Ok(Claimed::Replayed);
        }
        // A panic while the lock was held leaves entries that cannot be trusted: nothing more is let through.
        let mut state = self
            .state
            .lock()
            .map_err(|_| Unavailable::new("replay store"))?;
        state.purge(claim.now);
        let answer = state.claim(claim, self.quota, self.capacity);
        self.entries.store(state.live.len(), Ordering::Relaxed);
        answer
    }
}

impl State {
    fn claim(
        &mut self,
        claim: &ReplayClaim,
        quota: usize,
        capacity: usize,
    ) -> Result<Claimed, Unavailable> {
        let forgotten = self
            .purged_up_to
            .is_some_and(|purged| claim.expires_at <= purged);
        if forgotten || claim.expires_at <= claim.now {
            return Ok(Claimed::Replayed);
        }
        let used = self.by_caller.get_mut(&claim.caller);
        let over_quota = used.as_ref().is_some_and(|used| **used >= quota);
        if over_quota || self.live.len() >= capacity {
            // A replay is one first of all.
            return if self.live.contains(&claim.key) {
                Ok(Claimed::Replayed)
            } else if over_quota {
                Ok(Claimed::OverQuota)
            } else {
                Err(Unavailable::new("replay store"))
            };
        }
        if !self.live.insert(claim.key) {
            return Ok(Claimed::Replayed);
        }
        match used {
            Some(used) => *used = used.saturating_add(1),
            None => {
                self.by_caller.insert(claim.caller.clone(), 1);
            }
        }
        self.by_expiry
            .entry(bucket(claim.expires_at))
            .or_default()
            .push(Expiring {
                key: claim.key,
                caller: claim.caller.clone(),
            });
        Ok(Claimed::Fresh)
    }

    /// Clears away entries of the seconds that are over, a bounded number at a time.
    fn purge(&mut self, now: Timestamp) {
        let mut left = PURGED_PER_CLAIM;
        while let Some(mut oldest) = self.by_expiry.first_entry() {
            let end = end_of(*oldest.key());
            if end > now {
                return;
            }
            self.purged_up_to = self.purged_up_to.max(Some(end));
            let entries = oldest.get_mut();
            while left > 0 {
                let Some(expired) = entries.pop() else { break };
                left = left.saturating_sub(1);
                self.live.remove(&expired.key);
                if let Entry::Occupied(mut used) = self.by_caller.entry(expired.caller) {
                    *used.get_mut() = used.get().saturating_sub(1);
                    if *used.get() == 0 {
                        used.remove();
                    }
                }
            }
            if !entries.is_empty() {
                return;
            }
            oldest.remove();
        }
    }
}

/// The second in which an entry expires.
fn bucket(expires_at: Timestamp) -> i64 {
    expires_at.as_unix_seconds()
}

fn end_of(bucket: i64) -> Timestamp {
    Timestamp::from_unix_seconds(bucket.saturating_add(1))
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("len", &self.len())
            .field("capacity", &self.0.capacity)
            .field("quota", &self.0.quota)
            .finish_non_exhaustive()
    }
}

/// Builds a [`MemoryReplayStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryReplayStoreBuilder {
    quota: usize,
    callers: usize,
    refuse_dates_before: Option<Timestamp>,
}

impl MemoryReplayStoreBuilder {
    /// How many live entries one caller may have: its highest rate times the life of an entry, which is the window, the
    /// body deadline and the clock difference together: 335 seconds unless set otherwise.
    pub fn quota_per_caller(mut self, entries: usize) -> Self {
        self.quota = entries;
        self
    }

    /// For how many callers at their quota there is room: at least as many as the keyring has.
    pub fn callers(mut self, callers: usize) -> Self {
        self.callers = callers;
        self
    }

    /// Refuses every request that is dated before `start`.
    ///
    /// With the moment of the start, what was dated before it cannot come again after it. What a caller had dated *ahead*
    /// of that moment, and was handled before it, still can: add the greatest lead of a caller's clock, and at most the
    /// verifier's window, to leave no such request out.
    pub fn refuse_dates_before(mut self, start: Timestamp) -> Self {
        self.refuse_dates_before = Some(start);
        self
    }

    /// The store.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if there would be no room for a single entry, or for more than can be counted.
    pub fn build(self) -> Result<MemoryReplayStore, ConfigError> {
        match self.quota.checked_mul(self.callers) {
            Some(1..) => Ok(self.assemble()),
            _ => Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "replay store: expected a quota and a number of callers above zero",
            )),
        }
    }

    fn assemble(self) -> MemoryReplayStore {
        MemoryReplayStore(Arc::new(Shared {
            id: ReplayStoreId::unique(),
            quota: self.quota,
            capacity: self.quota.saturating_mul(self.callers),
            refuse_dates_before: self.refuse_dates_before,
            state: Mutex::default(),
            entries: AtomicUsize::new(0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(quota: usize, callers: usize) -> MemoryReplayStore {
        MemoryReplayStore::builder()
            .quota_per_caller(quota)
            .callers(callers)
            .build()
            .unwrap()
    }

    fn claim(caller: &str, nonce: &str, expires_at: i64, now: i64) -> ReplayClaim {
        ReplayClaim::new(
            ReplayKey::new("", caller, nonce),
            KeyId::new(caller).unwrap(),
            Timestamp::from_unix_seconds(expires_at - 305),
            Timestamp::from_unix_seconds(expires_at),
            Timestamp::from_unix_seconds(now),
        )
    }

    fn decide(store: &MemoryReplayStore, claim: &ReplayClaim) -> Result<Claimed, &'static str> {
        store
            .try_claim(claim)
            .unwrap()
            .map_err(|error| error.what())
    }

    #[test]
    fn lets_an_identity_through_once() {
        let store = store(10, 1);
        let claim = claim("a", "n", 1000, 700);
        assert!(!store.seen(&claim.key));
        assert_eq!(decide(&store, &claim), Ok(Claimed::Fresh));
        assert!(store.seen(&claim.key));
        assert_eq!(decide(&store, &claim), Ok(Claimed::Replayed));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn remembers_to_the_last_moment_of_an_entrys_life() {
        let store = store(10, 2);
        decide(&store, &claim("a", "n", 1000, 700)).unwrap();
        // Another caller's claims move the clock and the purge along.
        assert_eq!(
            decide(&store, &claim("b", "1", 1400, 1000)),
            Ok(Claimed::Fresh)
        );
        assert_eq!(
            decide(&store, &claim("a", "n", 1000, 1000)),
            Ok(Claimed::Replayed)
        );
    }

    #[test]
    fn a_clock_set_back_reopens_nothing() {
        let store = store(10, 2);
        decide(&store, &claim("a", "n", 1000, 700)).unwrap();
        decide(&store, &claim("b", "1", 3000, 2000)).unwrap();
        assert_eq!(store.len(), 1, "the expired entry was cleared away");
        assert_eq!(
            decide(&store, &claim("a", "n", 1000, 700)),
            Ok(Claimed::Replayed)
        );
        assert_eq!(
            decide(&store, &claim("a", "never seen", 1001, 700)),
            Ok(Claimed::Replayed)
        );
        assert_eq!(
            decide(&store, &claim("a", "later", 1002, 700)),
            Ok(Claimed::Fresh)
        );
    }

    #[test]
    fn a_caller_over_its_quota_takes_nothing_from_another() {
        let store = store(2, 2);
        assert_eq!(store.capacity(), 4);
        for nonce in ["1", "2"] {
            assert_eq!(
                decide(&store, &claim("a", nonce, 1000, 700)),
                Ok(Claimed::Fresh)
            );
        }
        assert_eq!(
            decide(&store, &claim("a", "3", 1000, 700)),
            Ok(Claimed::OverQuota)
        );
        assert_eq!(
            decide(&store, &claim("a", "1", 1000, 700)),
            Ok(Claimed::Replayed),
            "nothing was evicted"
        );
        for nonce in ["1", "2"] {
            assert_eq!(
                decide(&store, &claim("b", nonce, 1000, 700)),
                Ok(Claimed::Fresh)
            );
        }
        assert_eq!(
            decide(&store, &claim("c", "1", 1000, 700)),
            Err("replay store"),
            "full is never fresh"
        );
    }

    #[test]
    fn a_quota_comes_back_when_entries_expire() {
        let store = store(2, 1);
        for nonce in ["1", "2"] {
            decide(&store, &claim("a", nonce, 1000, 700)).unwrap();
        }
        assert_eq!(
            decide(&store, &claim("a", "3", 1300, 1000)),
            Ok(Claimed::OverQuota)
        );
        assert_eq!(
            decide(&store, &claim("a", "3", 1300, 1001)),
            Ok(Claimed::Fresh)
        );
    }

    #[test]
    fn drains_faster_than_it_fills() {
        let store = store(1_000_000, 1);
        for nonce in 0..10_000 {
            decide(&store, &claim("a", &nonce.to_string(), 1000, 700)).unwrap();
        }
        for nonce in 0..200 {
            decide(&store, &claim("a", &format!("later {nonce}"), 5000, 2000)).unwrap();
        }
        assert_eq!(store.len(), 200);
        assert_eq!(store.entries(), Some(200), "told without the lock");
    }

    #[test]
    fn refuses_dates_before_the_start_where_asked() {
        let start = Timestamp::from_unix_seconds(700);
        let store = MemoryReplayStore::builder()
            .refuse_dates_before(start)
            .build()
            .unwrap();
        assert_eq!(
            decide(&store, &claim("a", "1", 1004, 700)),
            Ok(Claimed::Replayed)
        );
        assert_eq!(
            decide(&store, &claim("a", "2", 1005, 700)),
            Ok(Claimed::Fresh)
        );
    }

    #[test]
    fn of_many_claims_at_once_exactly_one_is_fresh() {
        let store = store(10, 1);
        let fresh: usize = std::thread::scope(|scope| {
            let claims: Vec<_> = (0..8)
                .map(|_| {
                    let store = store.clone();
                    scope.spawn(move || {
                        (0..1000)
                            .filter(|_| {
                                decide(&store, &claim("a", "n", 1000, 700)) == Ok(Claimed::Fresh)
                            })
                            .count()
                    })
                })
                .collect();
            claims
                .into_iter()
                .map(|claims| claims.join().unwrap())
                .sum()
        });
        assert_eq!(fresh, 1);
    }

    #[test]
    fn refuses_sizes_of_nothing() {
        for (quota, callers) in [(0, 1), (1, 0), (usize::MAX, 2)] {
            assert!(
                MemoryReplayStore::builder()
                    .quota_per_caller(quota)
                    .callers(callers)
                    .build()
                    .is_err()
            );
        }
    }
}
