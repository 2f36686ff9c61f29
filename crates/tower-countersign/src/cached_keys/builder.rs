use std::{fmt, time::Duration};

use countersign::{ConfigError, ConfigErrorKind};

use super::{settings::Settings, store::CachedKeys};

/// Builds [`CachedKeys`]; a setting that is wrong is an error of [`build`](Self::build).
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

    /// How long the store's answer is taken for what it would answer now, by default 30 seconds.
    pub fn fresh_for(mut self, time: Duration) -> Self {
        self.settings.fresh_for = time;
        self
    }

    /// For how long after that it is still given while the store is asked again in the background, by default 30 seconds
    /// (RFC 5861 section 3).
    pub fn stale_while_revalidate(mut self, time: Duration) -> Self {
        self.settings.stale_while_revalidate = time;
        self
    }

    /// For how long after `fresh_for` it is still given if the store fails, by default 10 minutes (RFC 5861 section 4). No
    /// shorter than [`stale_while_revalidate`](Self::stale_while_revalidate).
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.settings.stale_if_error = time;
        self
    }

    /// How long a name that the store does not know is taken for unknown, by default 10 seconds: a caller that is added
    /// may have to wait so long if it called too early.
    pub fn unknown_for(mut self, time: Duration) -> Self {
        self.settings.unknown_for = time;
        self
    }

    /// How long a store that failed for a name is left alone, for that name, by default 1 second.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.settings.retry_after = time;
        self
    }

    /// After how long a look-up has failed, by default 2 seconds. Keep it below the layer's
    /// [store deadline](crate::VerifyLayer::with_store_deadline), or that comes first and nothing stale is given.
    pub fn lookup_deadline(mut self, time: Duration) -> Self {
        self.settings.lookup_deadline = time;
        self
    }

    /// How many names that were never seen are looked up, all together: so many a second, and so many at once after some
    /// quiet. By default 10 and 100.
    pub fn misses(mut self, per_second: u32, burst: u32) -> Self {
        self.settings.misses_per_second = per_second;
        self.settings.misses_burst = burst;
        self
    }

    /// How many names that the store knows are kept, by default 10,000.
    pub fn capacity(mut self, names: usize) -> Self {
        self.settings.capacity = names;
        self
    }

    /// How many names that the store does not know are kept, by default 1,000.
    pub fn unknown_capacity(mut self, names: usize) -> Self {
        self.settings.unknown_capacity = names;
        self
    }

    /// The cache.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if `lookup_deadline`, a number of misses or `capacity` is zero, or `stale_if_error` is
    /// shorter than `stale_while_revalidate`.
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
