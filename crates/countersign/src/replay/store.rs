use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::ReplayKey;
use crate::{error::Unavailable, key_id::KeyId, timestamp::Timestamp};

/// A request's claim to be the first with its identity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayClaim {
    /// The identity.
    pub key: ReplayKey,
    /// The authenticated caller. The claim counts on this caller's quota.
    pub caller: KeyId,
    /// The signed date of the request.
    pub signed_at: Timestamp,
    /// The time until which the store must keep the identity. Later, no verifier accepts the
    /// request's date.
    pub expires_at: Timestamp,
    /// The verifier's clock.
    pub now: Timestamp,
}

impl ReplayClaim {
    /// Makes a claim of `key` by `caller`.
    pub fn new(
        key: ReplayKey,
        caller: KeyId,
        signed_at: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            caller,
            signed_at,
            expires_at,
            now,
        }
    }
}

/// A store's answer to a [`ReplayClaim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimOutcome {
    /// The first claim of this identity: the request may be handled.
    Fresh,
    /// The identity was claimed before, or the store no longer knows: the request must not be
    /// handled.
    Replayed,
    /// The caller has reached its quota of live identities.
    OverQuota,
}

/// Identifies a store, so that two layers on one request can detect that they share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplayStoreId(u64);

impl ReplayStoreId {
    /// Returns an identifier that no other store of this process has.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Accepts each identity once.
///
/// - [`claim`](Self::claim) **must** be one atomic operation. Of all concurrent claims of one key,
///   across all replicas that share the store, exactly one gets [`ClaimOutcome::Fresh`].
/// - The store **must** keep a claimed key until its `expires_at`. It **must not** evict a key
///   earlier, for any reason: eviction allows replays.
/// - A store that cannot keep a key, or cannot be reached, **must** answer [`Unavailable`], never
///   `Fresh`.
/// - A store that purged every key expiring by time T **must** answer `Replayed` to any claim with
///   `expires_at <= T`. A clock that is set back then allows no replay.
/// - A claim that has expired by its own `now` **must** get `Replayed` too.
pub trait ReplayStore: Send + Sync + 'static {
    /// Claims an identity.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store cannot decide or is full.
    fn claim(
        &self,
        claim: ReplayClaim,
    ) -> impl Future<Output = Result<ClaimOutcome, Unavailable>> + Send;

    /// Claims an identity without waiting. `None`, the default, means that nothing was claimed and
    /// that [`claim`](Self::claim) must be called.
    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        let _ = claim;
        None
    }

    /// Returns whether this identity has been claimed, without waiting.
    ///
    /// A hint for rejecting a replayed head before its body is read. Only `claim` is authoritative.
    fn seen(&self, key: &ReplayKey) -> bool {
        let _ = key;
        false
    }

    /// Returns whether a restart of this process empties the store, for a log. Default: `false`.
    fn forgets_on_restart(&self) -> bool {
        false
    }

    /// Returns the number of identities in the store, for a gauge. **Must not** wait for a lock or
    /// another machine. `None`, the default, if the number is unknown.
    fn entries(&self) -> Option<usize> {
        None
    }

    /// Returns the store's identifier: equal for all handles of one store, different for different
    /// stores.
    fn id(&self) -> ReplayStoreId;
}

/// A [`ReplayStore`] chosen at run time.
#[derive(Clone)]
pub struct ArcReplayStore(Arc<dyn ErasedReplayStore>);

impl ArcReplayStore {
    /// Erases the type of a store.
    pub fn new(store: impl ReplayStore) -> Self {
        Self(Arc::new(store))
    }
}

impl ReplayStore for ArcReplayStore {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        self.0.claim(claim).await
    }

    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        self.0.try_claim(claim)
    }

    fn seen(&self, key: &ReplayKey) -> bool {
        self.0.seen(key)
    }

    fn forgets_on_restart(&self) -> bool {
        self.0.forgets_on_restart()
    }

    fn entries(&self) -> Option<usize> {
        self.0.entries()
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id()
    }
}

impl fmt::Debug for ArcReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ArcReplayStore").field(&self.0.id()).finish()
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait ErasedReplayStore: Send + Sync {
    fn claim(&self, claim: ReplayClaim) -> BoxFuture<'_, Result<ClaimOutcome, Unavailable>>;
    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>>;
    fn seen(&self, key: &ReplayKey) -> bool;
    fn forgets_on_restart(&self) -> bool;
    fn entries(&self) -> Option<usize>;
    fn id(&self) -> ReplayStoreId;
}

impl<S: ReplayStore> ErasedReplayStore for S {
    fn claim(&self, claim: ReplayClaim) -> BoxFuture<'_, Result<ClaimOutcome, Unavailable>> {
        Box::pin(ReplayStore::claim(self, claim))
    }

    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        ReplayStore::try_claim(self, claim)
    }

    fn seen(&self, key: &ReplayKey) -> bool {
        ReplayStore::seen(self, key)
    }

    fn forgets_on_restart(&self) -> bool {
        ReplayStore::forgets_on_restart(self)
    }

    fn entries(&self) -> Option<usize> {
        ReplayStore::entries(self)
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStore::id(self)
    }
}
