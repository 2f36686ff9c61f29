use std::time::Duration;

/// Limits on buffering request bodies.
///
/// The body is read only after its head is authenticated. Schemes that sign the body itself, or
/// that do not declare its hash, are the exception. Their bodies come from unauthenticated peers,
/// and the `unauthenticated` limits apply.
///
/// # How memory is counted
///
/// The memory of a body counts towards its caller as soon as the caller is verified. Until then it
/// counts towards the peer. The peer is, in this order:
///
/// - The address of the socket's peer. It comes from axum's
///   `into_make_service_with_connect_info::<SocketAddr>()`, or from a plain
///   [`SocketAddr`](std::net::SocketAddr) in the request's extensions. See
///   [`VerifyLayer::with_peer_address`](crate::VerifyLayer::with_peer_address) and
///   [`with_trusted_hops`](crate::VerifyLayer::with_trusted_hops). Of an IPv6 address, only the
///   first 64 bits count, because one host can use every address of a /64.
/// - The connection, if the address is unknown and the server inserts a
///   [`ConnectionId`](crate::ConnectionId).
/// - One peer that all other requests share.
///
/// Half of the memory for unauthenticated bodies is reserved for bodies of up to 16 KiB. This holds
/// for the total and for each peer's share. So large bodies that stay open cannot keep out small
/// ones, of the same peer or of others.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    pub(super) max_bytes: u64,
    pub(super) deadline: Duration,
    pub(super) total_bytes: u64,
    pub(super) caller_bytes: u64,
    pub(super) unauthenticated_max_bytes: u64,
    pub(super) unauthenticated_ed25519_max_bytes: u64,
    pub(super) unauthenticated_deadline: Duration,
    pub(super) unauthenticated_idle: Duration,
    pub(super) unauthenticated_least_rate: u64,
    pub(super) unauthenticated_total_bytes: u64,
    pub(super) unauthenticated_peer_bytes: u64,
}

impl Default for BodyLimits {
    /// | limit | authenticated | unauthenticated |
    /// |---|---|---|
    /// | length of one body | 2 MiB | 2 MiB, with an Ed25519 key 256 KiB |
    /// | time for one body | 30 s | 10 s |
    /// | longest wait for a byte | | 3 s |
    /// | least rate | | 16 KiB/s |
    /// | memory for all bodies | 64 MiB | 32 MiB |
    /// | memory for one caller or peer | 32 MiB | 8 MiB |
    fn default() -> Self {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * 1024;
        Self {
            max_bytes: 2 * MIB,
            deadline: Duration::from_secs(30),
            total_bytes: 64 * MIB,
            caller_bytes: 32 * MIB,
            unauthenticated_max_bytes: 2 * MIB,
            unauthenticated_ed25519_max_bytes: 256 * KIB,
            unauthenticated_deadline: Duration::from_secs(10),
            unauthenticated_idle: Duration::from_secs(3),
            unauthenticated_least_rate: 16 * KIB,
            unauthenticated_total_bytes: 32 * MIB,
            unauthenticated_peer_bytes: 8 * MIB,
        }
    }
}

impl BodyLimits {
    /// Sets the maximum length of one body, in bytes. Longer bodies get 413. Default: 2 MiB.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the time within which a body must arrive. Later bodies get 408. Default: 30 seconds.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the memory for all bodies, in bytes. A body counts from its arrival until the handler
    /// has read it. Requests that need more get 503. Default: 64 MiB.
    ///
    /// A value below the maximum length of one body refuses every body of that length.
    #[must_use]
    pub fn with_total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets the share of this memory that one caller may use, in bytes. Its requests that need more
    /// get 503. Default: 32 MiB.
    ///
    /// A value below the maximum length of one body refuses every body of that length.
    #[must_use]
    pub fn with_caller_bytes(mut self, bytes: u64) -> Self {
        self.caller_bytes = bytes;
        self
    }

    /// Sets the maximum length of one body of an unauthenticated peer, in bytes. Longer bodies get
    /// 413. Default: 2 MiB. [`with_max_bytes`](Self::with_max_bytes) does not change this limit.
    #[must_use]
    pub fn with_unauthenticated_max_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_max_bytes = bytes;
        self
    }

    /// Sets the maximum length of one body of an unauthenticated peer if a key of the caller is an
    /// Ed25519 key (Standard Webhooks), in bytes. Longer bodies get 413. Default: 256 KiB.
    ///
    /// Ed25519 reads the whole body for each signature and each key, at once, after the body's end.
    /// Any peer can cause this work with any body.
    #[must_use]
    pub fn with_unauthenticated_ed25519_max_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_ed25519_max_bytes = bytes;
        self
    }

    /// Sets the time within which the body of an unauthenticated peer must arrive. Later bodies get
    /// 408. Default: 10 seconds.
    #[must_use]
    pub fn with_unauthenticated_deadline(mut self, deadline: Duration) -> Self {
        self.unauthenticated_deadline = deadline;
        self
    }

    /// Sets the longest wait for a byte of an unauthenticated peer. Longer waits get 408. Default:
    /// 3 seconds. Only the time that is spent waiting for the peer counts.
    #[must_use]
    pub fn with_unauthenticated_idle(mut self, idle: Duration) -> Self {
        self.unauthenticated_idle = idle;
        self
    }

    /// Sets the least rate of an unauthenticated peer, in bytes for each second that is spent
    /// waiting for the peer. Slower bodies get 408. Default: 16 KiB. 0 sets no least rate.
    ///
    /// The rate is enforced once the waiting has added up to
    /// [`with_unauthenticated_idle`](Self::with_unauthenticated_idle).
    #[must_use]
    pub fn with_unauthenticated_least_rate(mut self, bytes_per_second: u64) -> Self {
        self.unauthenticated_least_rate = bytes_per_second;
        self
    }

    /// Sets the memory for all bodies of unauthenticated peers, in bytes. Requests that need more
    /// get 503. Default: 32 MiB. Half of it is reserved for bodies of up to 16 KiB.
    ///
    /// These bodies do not count towards [`with_total_bytes`](Self::with_total_bytes) until their
    /// caller is verified, so strangers cannot use up the memory that callers need.
    #[must_use]
    pub fn with_unauthenticated_total_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_total_bytes = bytes;
        self
    }

    /// Sets the share of this memory that one [peer](Self#how-memory-is-counted) may use, in bytes.
    /// Its requests that need more get 503. Default: 8 MiB. Half of it is reserved for bodies of up
    /// to 16 KiB.
    ///
    /// A value below twice the maximum length of one such body refuses every body of that length. A
    /// body of webhooks is held one more time for each Ed25519 key of its caller.
    ///
    /// If many callers share one address, such as a proxy's, multiply this value by their number.
    /// Or tell the layer [the number of proxies](crate::VerifyLayer::with_trusted_hops).
    #[must_use]
    pub fn with_unauthenticated_peer_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_peer_bytes = bytes;
        self
    }
}
