use std::net::IpAddr;

use crate::{
    families::Coverage, key_id::KeyId, key_version::KeyVersion, scheme::Scheme,
    timestamp::Timestamp,
};

/// The request that a [`Policy`](super::Policy) evaluates: an authenticated caller, a method, a
/// path and further values.
///
/// Values that are not set are unknown. Unknown values never grant access: a condition on them
/// makes an `Allow` fail and a `Deny` match.
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
    /// Makes a request of this caller. `path` is the verified path as sent: not decoded, without a
    /// query.
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

    /// Sets the route that a router matched, as the application writes it, such as
    /// `/api/account/{id}`.
    pub fn with_route(mut self, route: &'r str) -> Self {
        self.route = Some(route);
        self
    }

    /// Sets the address that the request came from. An IPv4-mapped IPv6 address
    /// (`::ffff:192.0.2.1`) counts as the IPv4 address.
    pub fn with_source(mut self, source: IpAddr) -> Self {
        self.source = Some(source.to_canonical());
        self
    }

    /// Sets the scheme of the signature.
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Sets the coverage of the signature.
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.coverage = Some(coverage);
        self
    }

    /// Sets the version of the caller's key that matched.
    pub fn with_key_version(mut self, version: &'r KeyVersion) -> Self {
        self.key_version = Some(version);
        self
    }

    /// Sets the time of the verifier's clock.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }
}
