use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use crate::{
    failure::Failure,
    greeting::{Eviction, Expected, Mode},
    kept::Kept,
    link::{Command, Link},
    node::{Access, NodeAddress},
    slots::{self, SlotMap},
};

/// How often one command may be sent on to another node.
const REDIRECTIONS: usize = 3;

/// A cluster: one link to each node that is needed, and a map of who serves which slots.
///
/// A node that is lost holds up no claim but those for its own slots. The redis crate's cluster connection stops all of them
/// while it reads the map anew, for as long as connecting to the lost node takes.
pub(crate) struct Cluster {
    nodes: Arc<Nodes>,
    map: Arc<Kept<Arc<SlotMap>>>,
}

struct Nodes {
    seeds: Vec<NodeAddress>,
    access: Access,
    expected: Expected,
    within: Duration,
    links: Mutex<HashMap<NodeAddress, Link>>,
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
            links: Mutex::default(),
        });
        let weak = Arc::downgrade(&nodes);
        let map = Kept::new(move || read_map(Weak::clone(&weak)));
        Self { nodes, map }
    }

    /// The answer to a command for one key, sent to the master of its slot: once, and once more if it may have got lost.
    pub(crate) async fn ask_twice(
        &self,
        key: &[u8],
        command: &Cmd,
        first: Instant,
        last: Instant,
    ) -> Result<Value, Failure> {
        let slot = slots::slot_of(key);
        let map = tokio::time::timeout_at(last, self.map.get())
            .await
            .map_err(|_| Failure::unreachable("no map of the cluster in time"))??;
        let Some(master) = map.value.master_of(slot) else {
            self.map.renew();
            return Err(Failure::unreachable(format!("slot {slot} has no master")));
        };
        let mut link = self.nodes.link(master)?;
        let mut asking = false;
        let mut deadline = first;
        let mut redirections = 0_usize;
        loop {
            let message = if asking {
                Command::Asking(command)
            } else {
                Command::Plain(command)
            };
            let failure = match link.ask(&message, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match &failure {
                // Nothing was done with the command where it was turned away.
                Failure::Moved(to) | Failure::Ask(to) if redirections < REDIRECTIONS => {
                    redirections = redirections.saturating_add(1);
                    asking = matches!(failure, Failure::Ask(_));
                    if !asking {
                        self.map.renew();
                    }
                    link = self.nodes.link(to)?;
                }
                Failure::Lost(_) | Failure::NotMaster if deadline != last => {
                    self.map.renew();
                    deadline = last;
                }
                _ => {
                    // Another node may have become the master.
                    self.map.renew();
                    return Err(failure);
                }
            }
        }
    }

    /// The links to all masters.
    pub(crate) async fn masters(&self) -> Result<Vec<(NodeAddress, Link)>, Failure> {
        let map = self.map.get().await?.value;
        let masters = map.masters().into_iter();
        masters
            .map(|master| Ok((master.clone(), self.nodes.link(master)?)))
            .collect()
    }
}

impl Nodes {
    fn link(&self, address: &NodeAddress) -> Result<Link, Failure> {
        let mut links = self.links()?;
        if let Some(link) = links.get(address) {
            return Ok(link.clone());
        }
        let link = Link::to_node(
            address.clone(),
            self.access.clone(),
            self.expected,
            self.within,
        );
        links.insert(address.clone(), link.clone());
        Ok(link)
    }

    fn links(&self) -> Result<MutexGuard<'_, HashMap<NodeAddress, Link>>, Failure> {
        self.links
            .lock()
            .map_err(|_| Failure::unreachable("a panic left the links in pieces"))
    }
}

/// Asks one node after another, those that are known first, until one knows who serves which slots.
async fn read_map(nodes: Weak<Nodes>) -> Result<Arc<SlotMap>, Failure> {
    let Some(nodes) = nodes.upgrade() else {
        return Err(Failure::unreachable("the store was dropped"));
    };
    let mut candidates: Vec<_> = nodes.links()?.keys().cloned().collect();
    for seed in &nodes.seeds {
        if !candidates.contains(seed) {
            candidates.push(seed.clone());
        }
    }
    let mut question = cmd("CLUSTER");
    question.arg("SLOTS");
    let mut last = Failure::unreachable("no nodes");
    for candidate in candidates {
        let Some(deadline) = Instant::now().checked_add(nodes.within) else {
            break;
        };
        let link = nodes.link(&candidate)?;
        match link.ask(&Command::Plain(&question), deadline).await {
            Ok(answer) => match SlotMap::read(answer, &candidate) {
                Some(map) => {
                    let masters = map.masters();
                    nodes.links()?.retain(|node, _| masters.contains(&node));
                    return Ok(Arc::new(map));
                }
                None => last = Failure::refused(format!("{candidate}: expected slots, found none")),
            },
            Err(failure) => last = failure,
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
