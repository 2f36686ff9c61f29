use std::time::Duration;

/// The settings that [`CachedKeysBuilder`](super::CachedKeysBuilder) sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) fresh_for: Duration,
    pub(super) stale_while_revalidate: Duration,
    pub(super) stale_if_error: Duration,
    pub(super) unknown_for: Duration,
    pub(super) retry_after: Duration,
    pub(super) lookup_deadline: Duration,
    pub(super) misses_per_second: u32,
    pub(super) misses_burst: u32,
    pub(super) capacity: usize,
    pub(super) unknown_capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(30),
            stale_while_revalidate: Duration::from_secs(30),
            stale_if_error: Duration::from_secs(600),
            unknown_for: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
            lookup_deadline: Duration::from_secs(2),
            misses_per_second: 10,
            misses_burst: 100,
            capacity: 10_000,
            unknown_capacity: 1_000,
        }
    }
}
