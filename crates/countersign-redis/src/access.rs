use std::{fmt, sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, aio::MultiplexedConnection, io::tcp::TcpSettings,
};

use crate::{error::Error, node_address::NodeAddress};

/// The number of commands that may wait to be written to one connection.
const QUEUE: usize = 1024;

/// The credentials and the transport for a server.
#[derive(Clone, Default)]
pub(crate) struct Access {
    pub(crate) username: Option<Arc<str>>,
    pub(crate) password: Option<Arc<str>>,
    pub(crate) database: i64,
    pub(crate) transport: Transport,
}

/// Plain TCP, or TLS with these certificates.
#[derive(Clone, Default)]
pub(crate) enum Transport {
    #[default]
    Plain,
    #[cfg(feature = "tls")]
    Tls(Arc<redis::TlsCertificates>),
}

impl Access {
    /// Connects, authenticates and selects the database.
    pub(crate) async fn connect(
        &self,
        address: &NodeAddress,
        within: Duration,
    ) -> Result<MultiplexedConnection, Error> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            // Each command has its own deadline.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let connection = async {
            self.client(address)?
                .get_multiplexed_async_connection_with_config(&config)
                .await
        };
        connection
            .await
            .map_err(|error| Error::from_connecting(address, &error))
    }

    pub(crate) fn client(&self, address: &NodeAddress) -> RedisResult<Client> {
        let NodeAddress { host, port } = address.clone();
        match &self.transport {
            Transport::Plain => Client::open(self.info(ConnectionAddr::Tcp(host, port))?),
            #[cfg(feature = "tls")]
            Transport::Tls(certificates) => {
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
    fn a_password_is_not_shown() {
        let access = Access {
            username: Some("verifier".into()),
            password: Some("correct horse".into()),
            ..Access::default()
        };
        assert_eq!(
            format!("{access:?}"),
            concat!(
                r#"Access { username: Some("verifier"), password: Some("redacted"), "#,
                "database: 0, tls: false }"
            )
        );
    }
}
