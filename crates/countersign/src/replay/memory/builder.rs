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

    pub(super) fn assemble(self) -> MemoryReplayStore {
        let capacity = self.quota.saturating_mul(self.callers);
        MemoryReplayStore::of_size(self.quota, capacity, self.refuse_dates_before)
    }
}
