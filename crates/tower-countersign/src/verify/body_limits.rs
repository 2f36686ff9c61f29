use std::time::Duration;

/// How much of request bodies is taken in, and for how long.
///
/// Nothing of a body is read before its head is authenticated, but in the schemes that sign the body itself or do not
/// declare its hash: there the peer has proven nothing yet, and limits of their own apply.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    pub(super) max_bytes: u64,
    pub(super) deadline: Duration,
    pub(super) total_bytes: u64,
    pub(super) caller_bytes: u64,
    pub(super) unauthenticated_max_bytes: u64,
    pub(super) unauthenticated_deadline: Duration,
    pub(super) unauthenticated_total_bytes: u64,
}

impl Default for BodyLimits {
    /// 2 MiB a body within 30 seconds; 64 MiB of bodies in memory at a time, of which one caller may use 32 MiB. Of peers
    /// that are not authenticated yet, 256 KiB a body within 10 seconds, and 8 MiB at a time.
    fn default() -> Self {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * 1024;
        Self {
            max_bytes: 2 * MIB,
            deadline: Duration::from_secs(30),
            total_bytes: 64 * MIB,
            caller_bytes: 32 * MIB,
            unauthenticated_max_bytes: 256 * KIB,
            unauthenticated_deadline: Duration::from_secs(10),
            unauthenticated_total_bytes: 8 * MIB,
        }
    }
}

impl BodyLimits {
    /// The greatest length of one body, in bytes: above it 413.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How long a body may take to arrive: after it 408.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many bytes of bodies may be in memory at a time, from arrival until the handler has read them: above it 503.
    /// Less than the greatest length of one body refuses every body of that length.
    #[must_use]
    pub fn with_total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// How many of these bytes may be of one caller: above it 503 for that caller. Less than the greatest length of one
    /// body refuses every body of that length.
    #[must_use]
    pub fn with_caller_bytes(mut self, bytes: u64) -> Self {
        self.caller_bytes = bytes;
        self
    }

    /// The greatest length of one body that must be read before its sender is authenticated, in bytes: above it 413.
    #[must_use]
    pub fn with_unauthenticated_max_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_max_bytes = bytes;
        self
    }

    /// How long such a body may take to arrive: after it 408.
    #[must_use]
    pub fn with_unauthenticated_deadline(mut self, deadline: Duration) -> Self {
        self.unauthenticated_deadline = deadline;
        self
    }

    /// How many bytes of such bodies may be in memory at a time: above it 503. They do not count towards
    /// [`with_total_bytes`](Self::with_total_bytes) until their sender is authenticated, so that strangers cannot use up
    /// what callers need.
    #[must_use]
    pub fn with_unauthenticated_total_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_total_bytes = bytes;
        self
    }
}
