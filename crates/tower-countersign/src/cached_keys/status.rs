use std::sync::atomic::{AtomicU64, Ordering};

/// The content of a cache, and its counts since its creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedKeysStatus {
    /// The known names in memory.
    pub known: usize,
    /// The unknown names in memory.
    pub unknown: usize,
    /// The number of lookups in the store.
    pub lookups: u64,
    /// The number of failed lookups: an error, a panic, or no answer within the deadline.
    pub failures: u64,
    /// The number of stale answers given because the store had failed.
    pub stale_answers: u64,
    /// The number of names refused without a lookup because the limit of misses was reached.
    pub refused_without_lookup: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    lookups: AtomicU64,
    failures: AtomicU64,
    stale_answers: AtomicU64,
    refused_without_lookup: AtomicU64,
}

impl Counts {
    pub(super) fn lookup(&self) {
        self.lookups.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stale_answer(&self) {
        self.stale_answers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused_without_lookup(&self) {
        self.refused_without_lookup.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn status(&self, (known, unknown): (usize, usize)) -> CachedKeysStatus {
        CachedKeysStatus {
            known,
            unknown,
            lookups: self.lookups.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            stale_answers: self.stale_answers.load(Ordering::Relaxed),
            refused_without_lookup: self.refused_without_lookup.load(Ordering::Relaxed),
        }
    }
}
