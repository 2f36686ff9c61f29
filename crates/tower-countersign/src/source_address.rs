use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use http::{Extensions, HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Finds the socket's peer in the extensions that the server has set.
pub(crate) type FindPeer = dyn Fn(&Extensions) -> Option<SocketAddr> + Send + Sync;

/// The source of a request's address.
#[derive(Clone)]
pub(crate) struct SourceAddress {
    pub(crate) peer: Arc<FindPeer>,
    /// The number of trusted proxies that append to `X-Forwarded-For`.
    pub(crate) trusted_hops: usize,
}

impl Default for SourceAddress {
    fn default() -> Self {
        Self {
            peer: Arc::new(peer),
            trusted_hops: 0,
        }
    }
}

impl SourceAddress {
    /// Returns the address of the socket's peer. With trusted hops, returns the address that the
    /// outermost trusted proxy recorded.
    pub(crate) fn of(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        match self.trusted_hops.checked_sub(1) {
            None => (self.peer)(extensions).map(|peer| peer.ip()),
            // Proxies append, so the entries that a client sends come first.
            Some(before) => entry_from_the_right(headers, before),
        }
    }
}

/// Returns `None` if any entry on the way is not an address, because such an entry must not be
/// skipped.
fn entry_from_the_right(headers: &HeaderMap, mut before: usize) -> Option<IpAddr> {
    // The iterator over the values of one name cannot be reversed.
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    for line in lines.into_iter().rev() {
        for entry in line.to_str().ok()?.rsplit(',') {
            let entry = address(entry.trim_matches([' ', '\t']))?;
            match before.checked_sub(1) {
                None => return Some(entry),
                Some(left) => before = left,
            }
        }
    }
    None
}

/// Parses an address, with or without a port: `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`,
/// `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(with_port) = text.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse().ok().map(IpAddr::V6)
}

#[cfg(feature = "connect-info")]
fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    use axum::extract::ConnectInfo;

    let connected = extensions.get::<ConnectInfo<SocketAddr>>();
    let connected = connected.map(|connected| connected.0);
    connected.or_else(|| extensions.get::<SocketAddr>().copied())
}

#[cfg(not(feature = "connect-info"))]
fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<SocketAddr>().copied()
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceAddress")
            .field("trusted_hops", &self.trusted_hops)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_forwarded_address_is_counted_from_the_right_over_all_lines() {
        for (name, hops, lines, expected) in [
            ("one hop", 1, &["203.0.113.7"][..], Some("203.0.113.7")),
            (
                "one hop, a client's lie",
                1,
                &["10.0.0.1, 203.0.113.7"],
                Some("203.0.113.7"),
            ),
            (
                "one hop, a lie in a separate line",
                1,
                &["10.0.0.1", "203.0.113.7"],
                Some("203.0.113.7"),
            ),
            (
                "two hops",
                2,
                &["10.0.0.1, 203.0.113.7, 192.0.2.1"],
                Some("203.0.113.7"),
            ),
            (
                "two hops over two lines",
                2,
                &["10.0.0.1,203.0.113.7", "192.0.2.1"],
                Some("203.0.113.7"),
            ),
            (
                "no spaces",
                1,
                &["10.0.0.1,203.0.113.7"],
                Some("203.0.113.7"),
            ),
            ("a port", 1, &["203.0.113.7:4711"], Some("203.0.113.7")),
            ("IPv6", 1, &["2001:db8::1"], Some("2001:db8::1")),
            (
                "IPv6 in brackets",
                1,
                &["[2001:db8::1]"],
                Some("2001:db8::1"),
            ),
            (
                "IPv6 with a port",
                1,
                &["[2001:db8::1]:4711"],
                Some("2001:db8::1"),
            ),
            ("no line", 1, &[], None),
            ("an empty line", 1, &[""], None),
            ("too few", 2, &["203.0.113.7"], None),
            (
                "too few over two lines",
                3,
                &["203.0.113.7", "192.0.2.1"],
                None,
            ),
            ("a name", 1, &["203.0.113.7, unknown"], None),
            ("an empty entry", 1, &["203.0.113.7,"], None),
            (
                "an entry to skip that is not an address",
                2,
                &["203.0.113.7, x"],
                None,
            ),
            ("an empty line to skip", 2, &["203.0.113.7", ""], None),
            ("an octet too large", 1, &["203.0.113.256"], None),
            ("leading zeros", 1, &["203.0.113.007"], None),
            ("IPv4 in brackets", 1, &["[203.0.113.7]"], None),
            ("not ASCII", 1, &["203.0.113.7, \u{e9}"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
            }
            let source = SourceAddress {
                trusted_hops: hops,
                ..SourceAddress::default()
            };
            // The socket's peer is the nearest proxy. It must never replace a missing entry.
            let mut extensions = Extensions::new();
            extensions.insert(SocketAddr::from(([10, 9, 9, 9], 4711)));
            let found = source.of(&headers, &extensions);
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn without_trusted_hops_the_header_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("10.0.0.1"));
        let mut extensions = Extensions::new();
        let source = SourceAddress::default();
        assert_eq!(source.of(&headers, &extensions), None);
        let peer: SocketAddr = "203.0.113.7:4711".parse().unwrap();
        extensions.insert(peer);
        assert_eq!(source.of(&headers, &extensions), Some(peer.ip()));
    }
}
