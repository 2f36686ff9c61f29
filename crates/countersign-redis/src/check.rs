use std::{fmt, time::Duration};

use redis::{aio::MultiplexedConnection, cmd};

use crate::{failure::Failure, greeting, node::NodeAddress};

/// How long the servers may take to say how they are set up.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// Something about a server that lets a nonce be forgotten before its request has expired, as
/// [`RedisReplayStore::check`](crate::RedisReplayStore::check) found it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The node of a cluster. `None` where there is one master.
    pub node: Option<String>,
    /// What it is.
    pub kind: WarningKind,
}

/// What a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// `maxmemory-policy` is not `noeviction`.
    Evicts,
    /// Whether it evicts, it does not say: the user may not ask `INFO`.
    EvictionUnknown,
    /// `appendonly` is `no`: a restart loses what was claimed since the last snapshot, or everything.
    ForgetsOnRestart,
    /// `appendfsync` is not `always`: a crash of the machine loses about the last second, or what the system had not written.
    ForgetsLastWrites,
    /// How it keeps what it is told, it does not say: the user may not ask `INFO` or `CONFIG GET`.
    PersistenceUnknown,
    /// It has replicas and `min-replicas-to-write` is 0: a master that is cut off goes on taking claims that its successor has not seen.
    ClaimsUnreplicated,
    /// `cluster-require-full-coverage` is `yes`: one lost slot stops all of them.
    OneSlotStopsAll,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            WarningKind::Evicts => {
                "maxmemory-policy is not noeviction: nonces are evicted when memory is full"
            }
            WarningKind::EvictionUnknown => {
                "maxmemory-policy is not known: INFO memory is not permitted"
            }
            WarningKind::ForgetsOnRestart => "appendonly is no: a restart forgets nonces",
            WarningKind::ForgetsLastWrites => {
                "appendfsync is not always: a crash forgets the last nonces"
            }
            WarningKind::PersistenceUnknown => {
                "persistence is not known: INFO persistence or CONFIG GET is not permitted"
            }
            WarningKind::ClaimsUnreplicated => {
                "min-replicas-to-write is 0: a master that is cut off goes on letting requests through"
            }
            WarningKind::OneSlotStopsAll => {
                "cluster-require-full-coverage is yes: one lost slot stops all of them"
            }
        };
        match &self.node {
            Some(node) => write!(f, "{node}: {what}"),
            None => f.write_str(what),
        }
    }
}

/// Asks one server how it is set up.
pub(crate) async fn server(
    node: Option<&NodeAddress>,
    mut connection: MultiplexedConnection,
) -> Result<Vec<Warning>, Failure> {
    let mut kinds = Vec::new();
    match greeting::eviction_policy(&mut connection).await {
        Some(policy) if policy == "noeviction" => {}
        Some(_) => kinds.push(WarningKind::Evicts),
        None => kinds.push(WarningKind::EvictionUnknown),
    }
    kinds.extend(persistence(&mut connection).await);
    if replicas(&mut connection)
        .await
        .is_some_and(|replicas| replicas > 0)
        && setting(&mut connection, "min-replicas-to-write")
            .await
            .is_some_and(|least| least == "0")
    {
        kinds.push(WarningKind::ClaimsUnreplicated);
    }
    if node.is_some()
        && setting(&mut connection, "cluster-require-full-coverage")
            .await
            .is_some_and(|full| full == "yes")
    {
        kinds.push(WarningKind::OneSlotStopsAll);
    }
    // What was not permitted is told above; a server that went away in between is not one that was checked.
    let alive: Result<String, _> = cmd("PING").query_async(&mut connection).await;
    alive.map_err(|error| Failure::of_command(&error))?;
    let warning = |kind| Warning {
        node: node.map(ToString::to_string),
        kind,
    };
    Ok(kinds.into_iter().map(warning).collect())
}

async fn persistence(connection: &mut MultiplexedConnection) -> Option<WarningKind> {
    let info = info(connection, "persistence").await;
    match info
        .as_deref()
        .and_then(|info| greeting::info_field(info, "aof_enabled"))
    {
        Some("0") => Some(WarningKind::ForgetsOnRestart),
        Some("1") => match setting(connection, "appendfsync").await.as_deref() {
            Some("always") => None,
            Some(_) => Some(WarningKind::ForgetsLastWrites),
            None => Some(WarningKind::PersistenceUnknown),
        },
        _ => Some(WarningKind::PersistenceUnknown),
    }
}

async fn replicas(connection: &mut MultiplexedConnection) -> Option<u64> {
    let info = info(connection, "replication").await?;
    greeting::info_field(&info, "connected_slaves")?
        .parse()
        .ok()
}

async fn info(connection: &mut MultiplexedConnection, section: &str) -> Option<String> {
    cmd("INFO").arg(section).query_async(connection).await.ok()
}

async fn setting(connection: &mut MultiplexedConnection, name: &str) -> Option<String> {
    let found: Vec<String> = cmd("CONFIG")
        .arg("GET")
        .arg(name)
        .query_async(connection)
        .await
        .ok()?;
    found.into_iter().nth(1)
}
