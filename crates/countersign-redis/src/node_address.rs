use std::fmt;

/// The host and port of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl NodeAddress {
    /// Parses `host:port` as servers write it in redirections, with IPv6 addresses without
    /// brackets.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (!host.is_empty()).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_servers_write_them() {
        for (text, host, port, display) in [
            ("10.0.0.1:6379", "10.0.0.1", 6379, "10.0.0.1:6379"),
            ("redis.internal:1", "redis.internal", 1, "redis.internal:1"),
            ("::1:7000", "::1", 7000, "[::1]:7000"),
            ("[::1]:7000", "::1", 7000, "[::1]:7000"),
        ] {
            let address = NodeAddress::parse(text).unwrap();
            assert_eq!((&*address.host, address.port), (host, port), "{text}");
            assert_eq!(address.to_string(), display);
        }
        for text in [
            "",
            "host",
            "host:",
            ":6379",
            "host:0",
            "host:65536",
            "host:x",
        ] {
            assert_eq!(NodeAddress::parse(text), None, "{text}");
        }
    }
}
