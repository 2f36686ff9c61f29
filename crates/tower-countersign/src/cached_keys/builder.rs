use std::{fmt, time::Duration};

use countersign::{ConfigError, ConfigErrorKind};

use super::{settings::Settings, store::CachedKeys};

/// Builds [`CachedKeys`]. [`build`](Self::build) checks the settings.
#[must_use]
pub struct CachedKeysBuilder<S> {
    store: S,
    settings: Settings,
}

impl<S> CachedKeysBuilder<S> {
    pub(super) fn new(store: S) -> Self {
        Self {
            store,
            settings: Settings::default(),
        }
    }

    /// Sets how long an answer of the store is used without asking again. Default: 30 seconds.
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.settings.fresh_for = time;
        self
    }

    /// Sets for how long after `fresh_for` an answer is used while the store is asked in the
    /// background. Default: 30 seconds. Source: RFC 5861 section 3.
    pub fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.settings.stale_while_revalidate = time;
        self
    }

    /// Sets for how long after `fresh_for` an answer is used if the store fails. Default: 10
    /// minutes. Must not be shorter than [`stale_while_revalidate`](Self::stale_while_revalidate).
    /// Source: RFC 5861 section 4.
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.settings.stale_if_error = time;
        self
    }

    /// Sets how long a name stays unknown after the store did not know it. Default: 10 seconds. A
    /// new caller that called too early may have to wait for this time.
    pub fn unknown_for(mut self, time: Duration) -> Self {
        self.settings.unknown_for = time;
        self
    }

    /// Sets how long the store is not asked for a name after it failed for that name. Default: 1
    /// second.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.settings.retry_after = time;
        self
    }

    /// Sets the timeout for one lookup. Default: 2 seconds. Must be shorter than the layer's [store
    /// deadline](crate::VerifyLayer::with_store_deadline): otherwise the request fails before a
    /// stale answer can be used.
    pub fn lookup_deadline(mut self, time: Duration) -> Self {
        self.settings.lookup_deadline = time;
        self
    }

    /// Limits the lookups of names that were never seen, over all names. Default: 10 per second,
    /// with bursts of 100.
    pub fn misses(mut self, per_second: u32, burst: u32) -> Self {
        self.settings.misses_per_second = per_second;
        self.settings.misses_burst = burst;
        self
    }

    /// Sets the maximum number of known names in memory. Default: 10,000.
    pub fn capacity(mut self, names: usize) -> Self {
        self.settings.capacity = names;
        self
    }

    /// Sets the maximum number of unknown names in memory. Default: 1,000.
    pub fn unknown_capacity(mut self, names: usize) -> Self {
        self.settings.unknown_capacity = names;
        self
    }

    /// Builds the cache.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if `lookup_deadline`, an argument of `misses` or `capacity` is
    /// zero, or if `stale_if_error` is shorter than `stale_while_revalidate`.
    pub fn build(self) -> Result<CachedKeys<S>, ConfigError> {
        let settings = &self.settings;
        let problem = if settings.lookup_deadline.is_zero() {
            "lookup_deadline: expected more than zero"
        } else if settings.misses_per_second == 0 || settings.misses_burst == 0 {
            "misses: expected at least one a second and one at once"
        } else if settings.capacity == 0 {
            "capacity: expected at least one name"
        } else if settings.stale_if_error < settings.stale_while_revalidate {
            "stale_if_error: expected no less than stale_while_revalidate"
        } else {
            return Ok(CachedKeys::with_settings(self.store, self.settings));
        };
        Err(ConfigError::new(ConfigErrorKind::Setting, problem))
    }
}

impl<S> fmt::Debug for CachedKeysBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedKeysBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
