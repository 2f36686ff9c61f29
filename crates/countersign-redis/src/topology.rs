use std::{sync::Arc, time::Duration};

use crate::{
    cluster::Cluster,
    greeting::{Eviction, Expected, Mode},
    link::Link,
    location::Deployment,
    node::Access,
    sentinel::Sentinels,
};

/// Where the servers are, and how they are spoken to.
#[derive(Debug)]
pub(crate) struct Topology {
    pub(crate) deployment: Deployment,
    pub(crate) access: Access,
    pub(crate) sentinel_access: Access,
    pub(crate) within: Duration,
}

/// Who is asked.
#[derive(Debug)]
pub(crate) enum Servers {
    Master(Link),
    Cluster(Cluster),
}

impl Topology {
    /// The servers, each of which has to prove this of its eviction. Nothing is connected before the first command.
    pub(crate) fn servers(&self, eviction: Eviction) -> Servers {
        let expected = Expected {
            mode: Mode::Standalone,
            eviction,
        };
        let access = self.access.clone();
        match self.deployment.clone() {
            Deployment::Single(node) => {
                Servers::Master(Link::to_node(node, access, expected, self.within))
            }
            Deployment::Sentinel { sentinels, master } => {
                Servers::Master(Link::to_master(Arc::new(Sentinels {
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
