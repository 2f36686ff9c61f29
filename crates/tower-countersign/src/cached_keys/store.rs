use std::{
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign::{CallerKeys, KeyStore, Unavailable};
use tokio::time::Instant;

use super::{
    builder::CachedKeysBuilder,
    entries::{Entries, Found},
    rate_limit::RateLimit,
    settings::Settings,
    single_flight::{self, Flight, Flights},
    status::{CachedKeysStatus, Counts},
};

/// Caches the answers of a slow key store. See the [module documentation](crate::cached_keys) for
/// the answers at each age and the limits on lookups.
///
/// Clones are cheap and share the cache. Lookups need a tokio runtime.
pub struct CachedKeys<S>(Arc<Shared<S>>);

pub(super) struct Shared<S> {
    pub(super) store: S,
    pub(super) settings: Settings,
    /// A lock for many readers: only finished lookups write.
    entries: RwLock<Entries>,
    pub(super) flights: Flights,
    misses: RateLimit,
    /// Whether the last lookup failed.
    is_failing: AtomicBool,
    failure_events: RateLimit,
    limit_events: RateLimit,
    pub(super) counts: Counts,
}

impl<S: KeyStore> CachedKeys<S> {
    /// Creates a cache with the default settings.
    pub fn new(store: S) -> Self {
        Self::with_settings(store, Settings::default())
    }

    /// Returns a builder with the default settings.
    pub fn builder(store: S) -> CachedKeysBuilder<S> {
        CachedKeysBuilder::new(store)
    }

    /// Looks up these names one after the other, exempt from the limit of misses, so that their
    /// callers are known before the first request. Returns the number of names that the store
    /// knows.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if a lookup fails. Names before it stay in the cache.
    pub async fn warm<I>(&self, names: I) -> Result<usize, Unavailable>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut known = 0_usize;
        for name in names {
            let keys = self.answer(name.as_ref(), Asking::Operator).await?;
            known = known.saturating_add(usize::from(!keys.is_unknown()));
        }
        Ok(known)
    }

    async fn answer(&self, name: &str, asking: Asking) -> Result<CallerKeys, Unavailable> {
        let shared = &self.0;
        let mut flight = match shared.answer_or_flight(name, asking)? {
            Outcome::Answer(keys) => return Ok(keys),
            Outcome::Flight(flight) => flight,
        };
        let landed = match flight.wait_for(Option::is_some).await {
            Ok(landed) => landed.clone(),
            Err(_) => None,
        };
        let reason = match landed {
            Some(Ok(keys)) => return Ok(keys),
            Some(Err(reason)) => reason,
            None => Arc::from("the lookup was cancelled"),
        };
        let stale = shared
            .entries()
            .stale(name, Instant::now(), &shared.settings);
        if let Some(keys) = stale {
            shared.counts.stale_answer();
            return Ok(keys);
        }
        Err(Unavailable::new("key store").with_source(reason.to_string()))
    }
}

impl<S> CachedKeys<S> {
    pub(super) fn with_settings(store: S, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            store,
            settings,
            entries: RwLock::default(),
            flights: Flights::default(),
            misses: RateLimit::new(settings.misses_per_second, settings.misses_burst),
            is_failing: AtomicBool::new(false),
            failure_events: RateLimit::new(1, 1),
            limit_events: RateLimit::new(1, 1),
            counts: Counts::default(),
        }))
    }

    /// Returns the content and the counts of the cache.
    pub fn status(&self) -> CachedKeysStatus {
        self.0.counts.status(self.0.entries().len())
    }
}

/// The origin of a lookup.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Anyone,
    Operator,
}

enum Outcome {
    Answer(CallerKeys),
    Flight(Flight),
}

impl<S> Shared<S> {
    /// Entries stay consistent after a panic: each change is one insertion or removal.
    fn entries(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn learn(&self, name: &str, keys: CallerKeys, asked_at: Instant) {
        self.is_failing.store(false, Ordering::Relaxed);
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.learn(name, keys, asked_at, &self.settings);
    }

    /// `reason` comes from the store. The name comes from the peer and is not logged.
    pub(super) fn failed(&self, name: &str, reason: &str) {
        let now = Instant::now();
        self.counts.failure();
        self.is_failing.store(true, Ordering::Relaxed);
        if self.failure_events.take(now) {
            tracing::warn!(target: "countersign", outcome = "key_lookup_failed", reason);
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.failed(name, now, &self.settings);
    }

    /// Answers unknown, or [`Unavailable`] while the store fails: then the name may be a caller's.
    fn refused_without_lookup(&self, now: Instant) -> Result<CallerKeys, Unavailable> {
        self.counts.refused_without_lookup();
        if self.limit_events.take(now) {
            tracing::warn!(
                target: "countersign",
                outcome = "key_lookups_limited",
                "the limit of lookups is reached: unknown names are refused without a lookup"
            );
        }
        if self.is_failing.load(Ordering::Relaxed) {
            return Err(Unavailable::new("key store")
                .with_source("the last lookup failed, and the limit of lookups is reached"));
        }
        Ok(CallerKeys::unknown())
    }
}

impl<S: KeyStore> Shared<S> {
    /// Returns the answer from memory or the lookup to wait for, and starts that lookup if needed.
    fn answer_or_flight(
        self: &Arc<Self>,
        name: &str,
        asking: Asking,
    ) -> Result<Outcome, Unavailable> {
        let flights = self.flights.lock();
        let flying = flights.get(name).cloned();
        let now = Instant::now();
        // Looks again under the lock: a finished lookup stores its answer before it leaves the
        // list. A separate statement releases the read lock: a lookup that is dropped at once
        // writes.
        let found = self.entries().find(name, now, &self.settings);
        match found {
            Found::Answer(keys) => Ok(Outcome::Answer(keys)),
            Found::Stale(keys) => {
                self.counts.stale_answer();
                Ok(Outcome::Answer(keys))
            }
            Found::Failed => Err(Unavailable::new("key store")
                .with_source("it failed recently and is not asked again within retry_after")),
            Found::Revalidate(keys) => {
                if flying.is_none() {
                    // Without a runtime no lookup can run, but the keys are still usable.
                    single_flight::start(self, flights, name).ok();
                }
                Ok(Outcome::Answer(keys))
            }
            found @ (Found::Ask | Found::Miss) => {
                if let Some(flight) = flying {
                    return Ok(Outcome::Flight(flight));
                }
                let is_limited = matches!(found, Found::Miss) && asking == Asking::Anyone;
                if is_limited && !self.misses.take(now) {
                    return self.refused_without_lookup(now).map(Outcome::Answer);
                }
                single_flight::start(self, flights, name).map(Outcome::Flight)
            }
        }
    }
}

impl<S: KeyStore> KeyStore for CachedKeys<S> {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        self.answer(key_id, Asking::Anyone).await
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        let shared = &self.0;
        let found = shared
            .entries()
            .find(key_id, Instant::now(), &shared.settings);
        match found {
            Found::Answer(keys) => Some(Ok(keys)),
            Found::Ask | Found::Miss => None,
            Found::Stale(_) | Found::Failed | Found::Revalidate(_) => {
                match shared.answer_or_flight(key_id, Asking::Anyone) {
                    Ok(Outcome::Answer(keys)) => Some(Ok(keys)),
                    Ok(Outcome::Flight(_)) => None,
                    Err(unavailable) => Some(Err(unavailable)),
                }
            }
        }
    }

    fn callers(&self) -> Option<usize> {
        self.0.store.callers()
    }
}

impl<S> Clone for CachedKeys<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for CachedKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedKeys")
            .field("settings", &self.0.settings)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
