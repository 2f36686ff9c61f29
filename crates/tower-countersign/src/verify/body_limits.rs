use std::time::Duration;

/// Limits on buffering request bodies.
///
/// Nothing of a body is read before its head is authenticated. The schemes that sign the body
/// itself, or that do not declare its hash, are the exception: there the sender has proven nothing
/// yet, and the `unauthenticated` limits apply.
///
/// # Who shares what
///
/// A body counts towards its caller once that caller is proven. Until then it counts towards its
/// peer:
///
/// - the address of the socket's peer, which axum's
///   `into_make_service_with_connect_info::<SocketAddr>()` tells, or a plain
///   [`SocketAddr`](std::net::SocketAddr) among the extensions of the request; see also
///   [`VerifyLayer::with_peer_address`](crate::VerifyLayer::with_peer_address) and
///   [`with_trusted_hops`](crate::VerifyLayer::with_trusted_hops);
/// - of an IPv6 address the first 64 bits, because one host can use every address of a /64;
/// - without an address the connection, if the server inserts a
///   [`ConnectionId`](crate::ConnectionId);
/// - without either, all such peers together count as one peer.
///
/// Half of the unauthenticated memory, of the total and of each peer's share, is kept for bodies of
/// up to 16 KiB. So peers that hold large bodies open do not keep small bodies out, neither those
/// of other peers nor their own.
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
    /// 2 MiB a body within 30 seconds. 64 MiB of bodies in memory at a time, of which one caller
    /// may use 32 MiB.
    ///
    /// Of unauthenticated peers: 2 MiB a body within 10 seconds, no wait for a byte longer than 3
    /// seconds, at least 16 KiB a second. 32 MiB at a time, of which one peer may use 8 MiB. 256 KiB a
    /// body whose signature may be of an Ed25519 key.
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
    /// Sets the greatest length of one body, in bytes: above it 413.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how long a body may take to arrive: after it 408.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many bytes of bodies may be in memory at a time, from arrival until the handler has
    /// read them: above it
    /// 503. Less than the greatest length of one body refuses every body of that length.
    #[must_use]
    pub fn with_total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets how many of these bytes may be of one caller: above it 503 for that caller. Less than
    /// the greatest length of one body refuses every body of that length.
    #[must_use]
    pub fn with_caller_bytes(mut self, bytes: u64) -> Self {
        self.caller_bytes = bytes;
        self
    }

    /// Sets the greatest length of one body that must be read before its sender is authenticated,
    /// in bytes: above it
    /// 413. The default is that of [`with_max_bytes`](Self::with_max_bytes), 2 MiB, but a change of
    ///   that one does not
    /// change this one.
    #[must_use]
    pub fn with_unauthenticated_max_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_max_bytes = bytes;
        self
    }

    /// Sets the greatest length of a body of an unauthenticated peer where a key of the caller is an
    /// Ed25519 one (Standard Webhooks), in bytes: above it 413. Default: 256 KiB.
    ///
    /// Ed25519 reads the whole body for each signature and each key, at once and after its end. A
    /// stranger makes this work with any body.
    #[must_use]
    pub fn with_unauthenticated_ed25519_max_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_ed25519_max_bytes = bytes;
        self
    }

    /// Sets how long such a body may take to arrive: after it 408.
    #[must_use]
    pub fn with_unauthenticated_deadline(mut self, deadline: Duration) -> Self {
        self.unauthenticated_deadline = deadline;
        self
    }

    /// Sets the longest wait for a byte of such a body: after it 408. Only waiting for the peer
    /// counts.
    #[must_use]
    pub fn with_unauthenticated_idle(mut self, idle: Duration) -> Self {
        self.unauthenticated_idle = idle;
        self
    }

    /// Sets the least rate of such a body, in bytes for each second of waiting for the peer: below
    /// it 408. It is held to after as much waiting as
    /// [`with_unauthenticated_idle`](Self::with_unauthenticated_idle) allows. 0 is no least rate.
    #[must_use]
    pub fn with_unauthenticated_least_rate(mut self, bytes_per_second: u64) -> Self {
        self.unauthenticated_least_rate = bytes_per_second;
        self
    }

    /// Sets how many bytes of such bodies may be in memory at a time: above it 503. Half of them is
    /// kept for bodies of up to 16 KiB.
    ///
    /// They do not count towards [`with_total_bytes`](Self::with_total_bytes) until their sender is
    /// authenticated, so that strangers cannot use up what callers need.
    #[must_use]
    pub fn with_unauthenticated_total_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_total_bytes = bytes;
        self
    }

    /// Sets how many of these bytes may be of one [peer](Self#who-shares-what): above it 503 for
    /// that peer. Half of them is kept for bodies of up to 16 KiB.
    ///
    /// Less than twice the greatest length of one such body refuses every body of that length. For
    /// each Ed25519 key of a caller of webhooks, a body is held one more time. Where many callers
    /// share one address, as those of a proxy do, set this to their number times what one of them
    /// needs, or tell the layer [how many proxies](crate::VerifyLayer::with_trusted_hops) there
    /// are.
    #[must_use]
    pub fn with_unauthenticated_peer_bytes(mut self, bytes: u64) -> Self {
        self.unauthenticated_peer_bytes = bytes;
        self
    }
}
