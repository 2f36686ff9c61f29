use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use crate::{
    access::Access,
    connection::{Command, Connection},
    error::Error,
    handshake::{Eviction, Expected, Mode},
    node_address::NodeAddress,
    single_flight::SingleFlight,
    slots::{self, SlotMap},
};

/// The maximum number of redirections of one command.
const REDIRECTIONS: usize = 3;

/// A cluster: one connection to each node that is needed, and a map from slots to their masters.
///
/// A lost node delays only the claims for its slots. The cluster connection of the crate `redis`
/// stops all claims while it reads the map, for as long as a connection attempt to the lost node
/// takes.
pub(crate) struct Cluster {
    nodes: Arc<Nodes>,
    map: Arc<SingleFlight<Arc<SlotMap>>>,
}

struct Nodes {
    seeds: Vec<NodeAddress>,
    access: Access,
    expected: Expected,
    within: Duration,
    connections: Mutex<HashMap<NodeAddress, Connection>>,
}

impl Cluster {
    pub(crate) fn new(
        seeds: Vec<NodeAddress>,
        access: Access,
        eviction: Eviction,
        within: Duration,
    ) -> Self {
        let nodes = Arc::new(Nodes {
            seeds,
            access,
            expected: Expected {
                mode: Mode::Cluster,
                eviction,
            },
            within,
            connections: Mutex::default(),
        });
        let weak = Arc::downgrade(&nodes);
        let map = SingleFlight::new(move || read_map(Weak::clone(&weak)));
        Self { nodes, map }
    }

    /// Sends a command for one key to the master of its slot, and sends it again if the first one
    /// may have been lost.
    pub(crate) async fn send_with_retry(
        &self,
        key: &[u8],
        command: &Cmd,
        first: Instant,
        last: Instant,
    ) -> Result<Value, Error> {
        let slot = slots::slot_of(key);
        let map = tokio::time::timeout_at(last, self.map.get())
            .await
            .map_err(|_| Error::unreachable("expected a slot map in time, found none"))??;
        let Some(master) = map.value.master_of(slot) else {
            self.map.renew();
            return Err(Error::unreachable(format!(
                "slot {slot}: expected a master, found none"
            )));
        };
        let mut connection = self.nodes.connection(master)?;
        let mut asking = false;
        let mut deadline = first;
        let mut redirections = 0_usize;
        loop {
            let message = if asking {
                Command::Asking(command)
            } else {
                Command::Plain(command)
            };
            let error = match connection.send(&message, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match &error {
                // A node that redirects a command has not executed it.
                Error::Moved(to) | Error::Ask(to) if redirections < REDIRECTIONS => {
                    redirections = redirections.saturating_add(1);
                    asking = matches!(error, Error::Ask(_));
                    if !asking {
                        self.map.renew();
                    }
                    connection = self.nodes.connection(to)?;
                }
                Error::Lost(_) | Error::NotMaster if deadline != last => {
                    self.map.renew();
                    deadline = last;
                }
                _ => {
                    // Another node may have become the master.
                    self.map.renew();
                    return Err(error);
                }
            }
        }
    }

    /// Returns the connections to all masters.
    pub(crate) async fn masters(&self) -> Result<Vec<(NodeAddress, Connection)>, Error> {
        let map = self.map.get().await?.value;
        let masters = map.masters().into_iter();
        masters
            .map(|master| Ok((master.clone(), self.nodes.connection(master)?)))
            .collect()
    }
}

impl Nodes {
    fn connection(&self, address: &NodeAddress) -> Result<Connection, Error> {
        let mut connections = self.connections()?;
        if let Some(connection) = connections.get(address) {
            return Ok(connection.clone());
        }
        let connection = Connection::to_node(
            address.clone(),
            self.access.clone(),
            self.expected,
            self.within,
        );
        connections.insert(address.clone(), connection.clone());
        Ok(connection)
    }

    fn connections(&self) -> Result<MutexGuard<'_, HashMap<NodeAddress, Connection>>, Error> {
        self.connections
            .lock()
            .map_err(|_| Error::unreachable("a panic left the connections in an unknown state"))
    }
}

/// Reads the slot map from the first node that has it. Nodes that are connected are asked first.
async fn read_map(nodes: Weak<Nodes>) -> Result<Arc<SlotMap>, Error> {
    let Some(nodes) = nodes.upgrade() else {
        return Err(Error::unreachable("the store was dropped"));
    };
    let mut candidates: Vec<_> = nodes.connections()?.keys().cloned().collect();
    for seed in &nodes.seeds {
        if !candidates.contains(seed) {
            candidates.push(seed.clone());
        }
    }
    let mut question = cmd("CLUSTER");
    question.arg("SLOTS");
    let mut last = Error::unreachable("expected a node to ask, found none");
    for candidate in candidates {
        let Some(deadline) = Instant::now().checked_add(nodes.within) else {
            break;
        };
        let connection = nodes.connection(&candidate)?;
        match connection.send(&Command::Plain(&question), deadline).await {
            Ok(answer) => match SlotMap::read(answer, &candidate) {
                Some(map) => {
                    let masters = map.masters();
                    nodes
                        .connections()?
                        .retain(|node, _| masters.contains(&node));
                    return Ok(Arc::new(map));
                }
                None => last = Error::refused(format!("{candidate}: expected slots, found none")),
            },
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("seeds", &self.nodes.seeds)
            .finish_non_exhaustive()
    }
}
