use std::time::Duration;

use crate::body_timer::TimeLimits;

/// Limits on bodies that the handler reads while they are verified
/// ([`BodyMode::Stream`](crate::BodyMode::Stream)).
///
/// The idle time and the least rate count only while the layer waits for the peer. A slow handler
/// is no fault of the peer.
///
/// At most two frames of a body are in memory. They count towards
/// [`BodyLimits::with_total_bytes`](crate::BodyLimits::with_total_bytes) and
/// [`with_caller_bytes`](crate::BodyLimits::with_caller_bytes).
#[derive(Clone, Debug)]
pub struct StreamLimits {
    pub(in crate::verify) max_bytes: u64,
    pub(in crate::verify) idle: Duration,
    least_rate: u64,
    pub(super) total: Option<Duration>,
    pub(in crate::verify) answers_before_end: bool,
}

impl Default for StreamLimits {
    /// | limit | value |
    /// |---|---|
    /// | length of one body | 1 GiB |
    /// | longest wait for a byte | 10 s |
    /// | least rate | 64 KiB/s |
    /// | time for one body | none |
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024 * 1024,
            idle: Duration::from_secs(10),
            least_rate: 64 * 1024,
            total: None,
            answers_before_end: false,
        }
    }
}

impl StreamLimits {
    /// Sets the maximum length of one body, in bytes. Longer bodies get 413. Default: 1 GiB.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the longest wait for a byte. Longer waits get 408. Default: 10 seconds.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets the least rate, in bytes for each second that is spent waiting for the peer. Slower
    /// bodies get 408. Default: 64 KiB. 0 sets no least rate.
    ///
    /// The rate is enforced once the waiting has added up to [`with_idle`](Self::with_idle).
    #[must_use]
    pub fn with_least_rate(mut self, bytes_per_second: u64) -> Self {
        self.least_rate = bytes_per_second;
        self
    }

    /// Sets the time within which a body must arrive, from the first wait for the peer. Later
    /// bodies get 408. Default: none, so 1 GiB at the least rate may take 4.6 hours.
    #[must_use]
    pub fn with_total(mut self, total: Duration) -> Self {
        self.total = Some(total);
        self
    }

    /// Sends the head of an answer at once, even if the body has not reached its end. For services
    /// that answer message by message, such as an echo.
    ///
    /// Without this, the layer holds an answer of success back until the body is verified. If the
    /// body then fails, the peer gets the refusal instead. With this, an answer whose body fails
    /// ends with an error: a closed connection, or a reset stream.
    #[must_use]
    pub fn with_answers_before_end(mut self) -> Self {
        self.answers_before_end = true;
        self
    }

    pub(super) fn time_limits(&self) -> TimeLimits {
        TimeLimits {
            deadline: self.total.unwrap_or(Duration::MAX),
            idle: self.idle,
            least_rate: self.least_rate,
        }
    }

    pub(super) fn least_rate(&self) -> u64 {
        self.least_rate
    }
}
