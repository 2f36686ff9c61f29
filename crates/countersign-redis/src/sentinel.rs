use std::time::Duration;

use redis::{aio::MultiplexedConnection, cmd};
use tokio::time::timeout;

use crate::{
    access::Access,
    error::Error,
    handshake::{self, Expected},
    node_address::NodeAddress,
};

/// The sentinels, and the name of the master that they watch.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) addresses: Vec<NodeAddress>,
    pub(crate) name: String,
    /// The access to the sentinels.
    pub(crate) access: Access,
    /// The access to the master.
    pub(crate) master: Access,
    pub(crate) expected: Expected,
    pub(crate) within: Duration,
}

impl Sentinels {
    /// Connects to the master that the first sentinel names, if that server is a master. A sentinel
    /// that was cut off may still name the old master, so the next sentinel is asked then.
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, Error> {
        let mut last = Error::unreachable("expected a sentinel to ask, found none");
        for sentinel in &self.addresses {
            let connected = match self.master_by(sentinel).await {
                Ok(master) => {
                    handshake::connect(&master, &self.master, self.expected, self.within).await
                }
                Err(error) => Err(error),
            };
            match connected {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn master_by(&self, sentinel: &NodeAddress) -> Result<NodeAddress, Error> {
        let asking = async {
            let mut connection = self.access.connect(sentinel, self.within).await?;
            let answer: Option<(String, String)> = cmd("SENTINEL")
                .arg("get-master-addr-by-name")
                .arg(&self.name)
                .query_async(&mut connection)
                .await
                .map_err(|error| Error::from_command(&error))?;
            let Some((host, port)) = answer else {
                return Err(Error::unreachable(format!(
                    "sentinel {sentinel}: expected a master named {}, found none",
                    self.name
                )));
            };
            NodeAddress::parse(&format!("{host}:{port}")).ok_or_else(|| {
                Error::unreachable(format!(
                    "sentinel {sentinel}: expected an address, found none"
                ))
            })
        };
        match timeout(self.within, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::unreachable(format!(
                "sentinel {sentinel}: expected an answer in time, found none"
            ))),
        }
    }
}
