use std::{fmt, sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, aio::MultiplexedConnection, io::tcp::TcpSettings,
};

use crate::failure::Failure;

/// The port of a server, where none is written.
pub(crate) const SERVER_PORT: u16 = 6379;

/// Commands that may wait to be written to one connection; past it, they wait for their turn.
const QUEUE: usize = 1024;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl NodeAddress {
    /// `host:port` as servers write it in a redirection, where a v6 address has no brackets.
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

/// Who we are to a server, and how we speak to it.
#[derive(Clone, Default)]
pub(crate) struct Access {
    pub(crate) username: Option<Arc<str>>,
    pub(crate) password: Option<Arc<str>>,
    pub(crate) database: i64,
    pub(crate) transport: Transport,
}

/// Plain, or TLS with these certificates.
#[derive(Clone, Default)]
pub(crate) enum Transport {
    #[default]
    Plain,
    #[cfg(feature = "tls")]
    Tls(Arc<redis::TlsCertificates>),
}

impl Access {
    /// A connection that has been authenticated and has its database selected.
    pub(crate) async fn connect(
        &self,
        address: &NodeAddress,
        within: Duration,
    ) -> Result<MultiplexedConnection, Failure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            // Whoever waits for an answer has a deadline of its own.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let connection = async {
            self.client(address)?
                .get_multiplexed_async_connection_with_config(&config)
                .await
        };
        connection
            .await
            .map_err(|error| Failure::of_connecting(address, &error))
    }

    pub(crate) fn client(&self, address: &NodeAddress) -> RedisResult<Client> {
        let NodeAddress { host, port } = address.clone();
        match &self.transport {
            Transport::Plain => Client::open(self.info(ConnectionAddr::Tcp(host, port))?),
            #[cfg(feature = "tls")]
            Transport::Tls(certificates) => {
                choose_primitives();
                let address = ConnectionAddr::TcpTls {
                    host,
                    port,
                    insecure: false,
                    tls_params: None,
                };
                Client::build_with_tls(self.info(address)?, (**certificates).clone())
            }
        }
    }

    fn info(&self, address: ConnectionAddr) -> RedisResult<ConnectionInfo> {
        let mut settings = RedisConnectionInfo::default()
            .set_db(self.database)
            .set_skip_set_lib_name();
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        let info = address.into_connection_info()?;
        Ok(info
            .set_tcp_settings(TcpSettings::default().set_nodelay(true))
            .set_redis_settings(settings))
    }
}

/// rustls leaves the primitives to the process. Where nothing has chosen, and two are compiled in, it would panic.
#[cfg(feature = "tls")]
fn choose_primitives() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have chosen in between, and then that stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "redacted"))
            .field("database", &self.database)
            .field("tls", &!matches!(self.transport, Transport::Plain))
            .finish()
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

    #[test]
    fn a_password_is_not_shown() {
        let access = Access {
            username: Some("verifier".into()),
            password: Some("correct horse".into()),
            ..Access::default()
        };
        assert_eq!(
            format!("{access:?}"),
            r#"Access { username: Some("verifier"), password: Some("redacted"), database: 0, tls: false }"#
        );
    }
}
