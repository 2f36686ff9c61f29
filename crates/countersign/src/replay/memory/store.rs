use std::{fmt, sync::Arc};

use super::{
    MemoryReplayStoreBuilder,
    quota::{NoRoom, Room},
    shard::{PURGED_PER_CLAIM, Shard},
};
use crate::{
    error::Unavailable,
    replay::{ClaimOutcome, ReplayClaim, ReplayKey, ReplayStore, ReplayStoreId},
    timestamp::Timestamp,
};

/// Into how many parts the entries are divided by their keys: enough that two threads seldom meet in one, and so few that
/// what each part takes beside its entries is little.
pub(super) const SHARDS: usize = 16;

/// After so many claims of one shard, one of them clears away entries of another shard as well: a shard that gets no more
/// claims is drained by those that do.
pub(super) const CLAIMS_PER_VISIT: usize = 8;

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
/// The entries are divided among locks by their keys, so that threads seldom wait for one another; quotas and capacity are
/// counted for all of them together and hold exactly.
///
/// An entry takes 59 to 76 bytes where a hundred or more come in a second, and more where they are few.
#[derive(Clone)]
pub struct MemoryReplayStore(Arc<Shared>);

struct Shared {
    id: ReplayStoreId,
    refuse_dates_before: Option<Timestamp>,
    room: Room,
    shards: [Shard; SHARDS],
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

    pub(super) fn of_size(
        quota: usize,
        capacity: usize,
        refuse_dates_before: Option<Timestamp>,
    ) -> Self {
        Self(Arc::new(Shared {
            id: ReplayStoreId::unique(),
            refuse_dates_before,
            room: Room::new(quota, capacity),
            shards: Default::default(),
        }))
    }

    /// The number of entries, live or not yet cleared away.
    pub fn len(&self) -> usize {
        self.0.room.entries()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The greatest number of entries.
    pub fn capacity(&self) -> usize {
        self.0.room.capacity()
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayStore for MemoryReplayStore {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        self.0.claim(&claim)
    }

    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        Some(self.0.claim(claim))
    }

    fn seen(&self, key: &ReplayKey) -> bool {
        let shard = self.0.shard(key);
        shard.is_some_and(|shard| shard.contains(key))
    }

    fn forgets_on_restart(&self) -> bool {
        self.0.refuse_dates_before.is_none()
    }

    fn entries(&self) -> Option<usize> {
        Some(self.len())
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id
    }
}

impl Shared {
    fn claim(&self, claim: &ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        if self
            .refuse_dates_before
            .is_some_and(|start| claim.signed_at < start)
        {
            return Ok(ClaimOutcome::Replayed);
        }
        // Invariant: every key has its shard.
        let shard = self.shard(&claim.key);
        let shard = shard.ok_or_else(|| Unavailable::new("replay store"))?;
        let (mut answer, mut claims) = shard.claim(claim, &self.room)?;
        if answer.is_err() {
            self.make_room(claim.now)?;
            (answer, claims) = shard.claim(claim, &self.room)?;
        }
        if claims % CLAIMS_PER_VISIT == 0 {
            self.visit(claims / CLAIMS_PER_VISIT, claim.now);
        }
        match answer {
            Ok(claimed) => Ok(claimed),
            Err(NoRoom::OverQuota) => Ok(ClaimOutcome::OverQuota),
            Err(NoRoom::Unavailable) => Err(Unavailable::new("replay store")),
        }
    }

    /// The shard of a key. A key is a hash, so that the shards are even; a caller that picks its nonces until all of its
    /// keys fall into one has that shard's lock for itself and no more room than elsewhere.
    fn shard(&self, key: &ReplayKey) -> Option<&Shard> {
        let [first, ..] = *key.as_bytes();
        self.shards.get(usize::from(first) % SHARDS)
    }

    /// Clears away expired entries of all shards, as many as one claim may: what is expired must not keep a claim out only
    /// because it is in another shard. One shard is locked at a time.
    fn make_room(&self, now: Timestamp) -> Result<(), Unavailable> {
        let mut left = PURGED_PER_CLAIM;
        for shard in &self.shards {
            if left > 0 {
                left = left.saturating_sub(shard.purge(now, left, &self.room)?);
            }
        }
        Ok(())
    }

    /// Clears away expired entries of the shard whose turn it is.
    fn visit(&self, turn: usize, now: Timestamp) {
        if let Some(shard) = self.shards.get(turn % SHARDS) {
            shard.purge_if_idle(now, &self.room);
        }
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("quota", &self.0.room.quota())
            .finish_non_exhaustive()
    }
}
