use super::MemoryReplayStore;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    timestamp::Timestamp,
};

/// Builds a [`MemoryReplayStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryReplayStoreBuilder {
    pub(super) quota: usize,
    pub(super) callers: usize,
    pub(super) refuse_dates_before: Option<Timestamp>,
}

impl MemoryReplayStoreBuilder {
    /// Sets the greatest number of live entries per caller: its highest request rate times the
    /// lifetime of an entry. The lifetime is the sum of window, body deadline and clock difference.
    /// Default: 335 seconds.
    pub fn quota_per_caller(mut self, entries: usize) -> Self {
        self.quota = entries;
        self
    }

    /// Sets the number of callers that can all reach their quota. Use at least the number of
    /// callers in the keyring.
    pub fn callers(mut self, callers: usize) -> Self {
        self.callers = callers;
        self
    }

    /// Refuses every request that is dated before `start`.
    ///
    /// Set this to the start time of the process. Requests dated before the start then cannot be
    /// replayed after it. A request whose date is *ahead* of the start, handled before the restart,
    /// still can be. To refuse those too, add the greatest lead of a caller's clock, at most the
    /// verifier's window.
    pub fn refuse_dates_before(mut self, start: Timestamp) -> Self {
        self.refuse_dates_before = Some(start);
        self
    }

    /// Builds the store.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if the quota or the number of callers is zero, or their product
    /// is too large.
    pub fn build(self) -> Result<MemoryReplayStore, ConfigError> {
        match self.quota.checked_mul(self.callers) {
            Some(1..) => Ok(self.assemble()),
            _ => Err(ConfigError::new(
                ConfigErrorKind::Setting,
                "replay store: expected a quota and a number of callers above zero",
            )),
        }
    }

    pub(super) fn assemble(self) -> MemoryReplayStore {
        let capacity = self.quota.saturating_mul(self.callers);
        MemoryReplayStore::of_size(self.quota, capacity, self.refuse_dates_before)
    }
}
