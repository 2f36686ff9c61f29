use std::time::Duration;

use redis::{aio::MultiplexedConnection, cmd};
use tokio::time::timeout;

use crate::{
    failure::Failure,
    greeting::Expected,
    link,
    node::{Access, NodeAddress},
};

/// The port of a sentinel, where none is written.
pub(crate) const SENTINEL_PORT: u16 = 26379;

/// Sentinels, and the master that they watch.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) addresses: Vec<NodeAddress>,
    pub(crate) name: String,
    /// What the sentinels want to see.
    pub(crate) access: Access,
    /// What the master wants to see.
    pub(crate) master: Access,
    pub(crate) expected: Expected,
    pub(crate) within: Duration,
}

impl Sentinels {
    /// A connection to the master, by the word of the first sentinel whose master says itself that it is one. A sentinel that was
    /// cut off may still name the old one.
    pub(crate) async fn connect(&self) -> Result<MultiplexedConnection, Failure> {
        let mut last = Failure::unreachable("no sentinels");
        for sentinel in &self.addresses {
            let connected = match self.master_by(sentinel).await {
                Ok(master) => {
                    link::connect(&master, &self.master, self.expected, self.within).await
                }
                Err(failure) => Err(failure),
            };
            match connected {
                Ok(connection) => return Ok(connection),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    async fn master_by(&self, sentinel: &NodeAddress) -> Result<NodeAddress, Failure> {
        let asking = async {
            let mut connection = self.access.connect(sentinel, self.within).await?;
            let answer: Option<(String, String)> = cmd("SENTINEL")
                .arg("get-master-addr-by-name")
                .arg(&self.name)
                .query_async(&mut connection)
                .await
                .map_err(|error| Failure::of_command(&error))?;
            let Some((host, port)) = answer else {
                return Err(Failure::unreachable(format!(
                    "sentinel {sentinel}: expected a master named {}, found none",
                    self.name
                )));
            };
            NodeAddress::parse(&format!("{host}:{port}")).ok_or_else(|| {
                Failure::unreachable(format!(
                    "sentinel {sentinel}: expected an address, found none"
                ))
            })
        };
        match timeout(self.within, asking).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::unreachable(format!(
                "sentinel {sentinel}: not in time"
            ))),
        }
    }
}
