use std::net::IpAddr;

use crate::{
    families::Coverage, key_id::KeyId, key_version::KeyVersion, scheme::Scheme,
    timestamp::Timestamp,
};

/// What a [`Policy`](super::Policy) is asked about: a caller that was proven, and what it asks for.
///
/// What is not said is not known, and what is not known never helps the request: a condition on it keeps an `Allow` from
/// matching and lets a `Deny` match.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct PolicyRequest<'r> {
    pub(super) caller: &'r KeyId,
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) route: Option<&'r str>,
    pub(super) source: Option<IpAddr>,
    pub(super) scheme: Option<Scheme>,
    pub(super) coverage: Option<Coverage>,
    pub(super) key_version: Option<&'r KeyVersion>,
    pub(super) now: Option<Timestamp>,
}

impl<'r> PolicyRequest<'r> {
    /// A request of this caller. `path` is the one that was verified, as it was sent: not decoded, without a query.
    pub fn new(caller: &'r KeyId, method: &'r str, path: &'r str) -> Self {
        Self {
            caller,
            method,
            path,
            route: None,
            source: None,
            scheme: None,
            coverage: None,
            key_version: None,
            now: None,
        }
    }

    /// The route that a router matched, as the application wrote it, such as `/api/account/{id}`.
    pub fn with_route(mut self, route: &'r str) -> Self {
        self.route = Some(route);
        self
    }

    /// The address that the request came from. An IPv4 address in an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address.
    pub fn with_source(mut self, source: IpAddr) -> Self {
        self.source = Some(source.to_canonical());
        self
    }

    /// The scheme of the signature.
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// What the signature binds.
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = Some(coverage);
        self
    }

    /// Which of the caller's keys matched.
    pub fn with_key_version(mut self, version: &'r KeyVersion) -> Self {
        self.key_version = Some(version);
        self
    }

    /// The time of the verifier's clock.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}
