use std::sync::atomic::{AtomicU64, Ordering};

/// What a cache holds and what it did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedKeysStatus {
    /// The names in memory that the store knows.
    pub known: usize,
    /// The names in memory that the store does not know.
    pub unknown: usize,
    /// How often the store was asked.
    pub lookups: u64,
    /// How often it failed: an error, a panic, no answer within the deadline.
    pub failures: u64,
    /// How often an answer past its time was given, because the store had failed.
    pub stale_answers: u64,
    /// How often a name was refused without asking, because the limit of misses was used up.
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
