//! A limit on the rate of an action, with bursts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A token bucket.
pub(super) struct RateLimit {
    every: Duration,
    burst: u32,
    bucket: Mutex<Option<Bucket>>,
}

struct Bucket {
    left: u32,
    filled_at: Instant,
}

impl RateLimit {
    /// `per_second` must not be zero.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let every = Duration::from_secs(1).checked_div(per_second);
        let every = every.unwrap_or(Duration::from_secs(1));
        Self {
            // An interval of zero would never refill the bucket.
            every: every.max(Duration::from_nanos(1)),
            burst,
            bucket: Mutex::new(None),
        }
    }

    /// Takes one token. Returns `false` if none is left.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = bucket.get_or_insert(Bucket {
            left: self.burst,
            filled_at: now,
        });
        let quiet = now.saturating_duration_since(bucket.filled_at);
        let more = quiet.as_nanos().checked_div(self.every.as_nanos());
        let more = u32::try_from(more.unwrap_or(0)).unwrap_or(u32::MAX);
        if more > 0 {
            bucket.left = bucket.left.saturating_add(more).min(self.burst);
            let filled = bucket
                .filled_at
                .checked_add(self.every.saturating_mul(more));
            bucket.filled_at = filled.unwrap_or(now);
        }
        match bucket.left.checked_sub(1) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_is_allowed_and_then_a_steady_rate() {
        let limit = RateLimit::new(10, 3);
        let start = Instant::now();
        let taken = |millis: u64| {
            let now = start + Duration::from_millis(millis);
            (0..100).filter(|_| limit.take(now)).count()
        };
        for (millis, expected) in [
            (0, 3),
            (99, 0),
            (100, 1),
            (150, 0),
            (200, 1),
            (399, 1),
            (400, 1),
            (60_000, 3),
        ] {
            assert_eq!(taken(millis), expected, "after {millis} ms");
        }
    }
}
