//! The peer that the memory of an unauthenticated body counts towards.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Extensions;

/// A number that identifies a connection of a server.
///
/// Connections without an address, such as those of a Unix domain socket, can be told apart by this
/// number. The server inserts it into the extensions of every request. Bodies of unauthenticated
/// peers then count towards their connection: see
/// [`BodyLimits`](crate::BodyLimits#how-memory-is-counted). If an address is known, this number is
/// ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// Creates an id. The number must be unique among all connections that are open at the same
    /// time.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// An unauthenticated peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Peer {
    Ipv4(Ipv4Addr),
    /// The first 64 bits, because one host can use every address of a /64 (RFC 4291 section 2.5.4).
    Ipv6([u16; 4]),
    Connection(ConnectionId),
    /// All peers that cannot be told apart. Together they get the share of one.
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
