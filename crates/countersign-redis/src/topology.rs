use std::{sync::Arc, time::Duration};

use crate::{
    access::Access,
    cluster::Cluster,
    connection::Connection,
    handshake::{Eviction, Expected, Mode},
    sentinel::Sentinels,
    url::Deployment,
};

/// The servers' addresses and the access to them.
#[derive(Debug)]
pub(crate) struct Topology {
    pub(crate) deployment: Deployment,
    pub(crate) access: Access,
    pub(crate) sentinel_access: Access,
    pub(crate) within: Duration,
}

/// The connections for claims.
#[derive(Debug)]
pub(crate) enum Servers {
    Master(Connection),
    Cluster(Cluster),
}

impl Topology {
    /// Returns the connections. Each server must meet this eviction rule. Connects only at the
    /// first command.
    pub(crate) fn servers(&self, eviction: Eviction) -> Servers {
        let expected = Expected {
            mode: Mode::Standalone,
            eviction,
        };
        let access = self.access.clone();
        match self.deployment.clone() {
            Deployment::Single(node) => {
                Servers::Master(Connection::to_node(node, access, expected, self.within))
            }
            Deployment::Sentinel { sentinels, master } => {
                Servers::Master(Connection::to_master(Arc::new(Sentinels {
                    addresses: sentinels,
                    name: master,
                    access: self.sentinel_access.clone(),
                    master: access,
                    expected,
                    within: self.within,
                })))
            }
            Deployment::Cluster(seeds) => {
                Servers::Cluster(Cluster::new(seeds, access, eviction, self.within))
            }
        }
    }
}
