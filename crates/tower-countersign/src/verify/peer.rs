//! Whom the memory of a body counts towards while nothing of its sender is proven.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Extensions;

/// A number that tells the connections of a server apart.
///
/// A server whose connections have no address, such as one on a Unix domain socket, may insert one
/// into the extensions of every request of a connection. Bodies that are read before their sender
/// is authenticated then count towards their connection (see
/// [`BodyLimits::with_unauthenticated_peer_bytes`](crate::BodyLimits::with_unauthenticated_peer_bytes)).
/// Where an address is known, this is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// The number must differ from those of all connections that are open at the same time.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// The sender of a body, as far as it can be told before it has proven anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    Ipv4(Ipv4Addr),
    /// The first 64 bits: one host can use every address of its /64 (RFC 4291 section 2.5.4).
    Ipv6([u16; 4]),
    Connection(ConnectionId),
    /// All that cannot be told apart, so that together they get no more than one.
    Unknown,
}

impl Peer {
    pub(super) fn new(address: Option<IpAddr>, extensions: &Extensions) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::Ipv4(address),
            Some(IpAddr::V6(address)) => Self::Ipv6(prefix(address)),
            None => extensions
                .get::<ConnectionId>()
                .map_or(Self::Unknown, |connection| Self::Connection(*connection)),
        }
    }
}

fn prefix(address: Ipv6Addr) -> [u16; 4] {
    let [a, b, c, d, ..] = address.segments();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::new(Some(address.parse().unwrap()), &Extensions::new())
    }

    #[test]
    fn peers_are_told_apart_by_address_and_in_ipv6_by_the_first_64_bits() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            assert_eq!(peer(one) == peer(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn a_connection_counts_only_where_no_address_is_known() {
        let mut extensions = Extensions::new();
        assert_eq!(Peer::new(None, &extensions), Peer::Unknown);
        let connection = ConnectionId::new(7);
        extensions.insert(connection);
        assert_eq!(Peer::new(None, &extensions), Peer::Connection(connection));
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(Peer::new(address, &extensions), peer("192.0.2.1"));
    }
}
