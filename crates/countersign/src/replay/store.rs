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

/// One request's claim to be the first of its identity.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayClaim {
    /// The identity.
    pub key: ReplayKey,
    /// The proven caller, on whose quota the claim counts.
    pub caller: KeyId,
    /// The signed date of the request.
    pub signed_at: Timestamp,
    /// Until when the store must remember the identity: after this moment no verifier accepts the request's date.
    pub expires_at: Timestamp,
    /// The verifier's clock.
    pub now: Timestamp,
}

impl ReplayClaim {
    /// A claim of `key` by `caller`.
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
    /// The identity was claimed before, or the store can no longer tell: the request must not be handled.
    Replayed,
    /// The caller has as many live identities as it may have.
    OverQuota,
}

/// Which store this is, so that two layers on one request can tell whether they share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplayStoreId(u64);

impl ReplayStoreId {
    /// An identity that no other store of this process has.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Lets each identity through once.
///
/// The decision is one operation. [`claim`](Self::claim) **must** be atomic: of any number of concurrent claims of one
/// key, on however many replicas share the store, exactly one is answered [`ClaimOutcome::Fresh`]. The store **must** keep a
/// claimed key until its `expires_at` and **must not** evict it earlier, for any reason: eviction is the attack. A store
/// that cannot keep it, or that cannot be reached, **must** answer [`Unavailable`] and never `Fresh`. A store that has
/// forgotten keys that expired up to some moment **must** answer `Replayed` to a claim that expires at or before it, so
/// that a clock set back reopens nothing, and so for a claim that has expired by its own `now`.
pub trait ReplayStore: Send + Sync + 'static {
    /// Claims an identity.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store cannot decide or has no room.
    fn claim(
        &self,
        claim: ReplayClaim,
    ) -> impl Future<Output = Result<ClaimOutcome, Unavailable>> + Send;

    /// Claims an identity if that needs no waiting. `None`, the provided answer, means that nothing was claimed and
    /// [`claim`](Self::claim) is to be called.
    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        let _ = claim;
        None
    }

    /// Whether this identity has been claimed, as far as the store can tell without waiting. It is advice by which a
    /// finished request's head is turned away before its body is read; only `claim` decides.
    fn seen(&self, key: &ReplayKey) -> bool {
        let _ = key;
        false
    }

    /// Whether a restart of this process empties the store, which is worth a line in the log. `false` unless overridden.
    fn forgets_on_restart(&self) -> bool {
        false
    }

    /// How many identities the store holds, as far as it can tell at once: a gauge that is read while requests are
    /// decided. It **must not** wait, for a lock or for another machine. `None`, the provided answer, where it cannot tell.
    fn entries(&self) -> Option<usize> {
        None
    }

    /// Which store this is: equal for all handles of one store, different for different stores.
    fn id(&self) -> ReplayStoreId;
}

/// A [`ReplayStore`] chosen at run time, such as one that a variable names.
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
