use std::{fmt, time::Duration};

use redis::{aio::MultiplexedConnection, cmd};

use crate::{error::Error, handshake, node_address::NodeAddress, topology::Servers};

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
    /// The eviction policy is unknown, because the user may not run `INFO`. The store was told to work with such servers.
    EvictionUnknown,
    /// All claims are refused: the eviction policy is unknown, because the user may not run `INFO`. Permit it, or see
    /// [`insecure_assume_noeviction`](crate::RedisReplayStoreBuilder::insecure_assume_noeviction).
    ClaimsRefused,
    /// `appendonly` is `no`: a restart loses what was claimed since the last snapshot, or everything.
    ForgetsOnRestart,
    /// `appendfsync` is not `always`: a crash of the machine loses about the last second, or what the system had not written.
    ForgetsLastWrites,
    /// How it keeps what it is told is unknown, because the user may not run `INFO` or `CONFIG GET`.
    PersistenceUnknown,
    /// It has replicas and `min-replicas-to-write` is 0: a master that is cut off goes on taking claims that its successor has not seen.
    ClaimsUnreplicated,
    /// Whether claims may stay unreplicated is unknown, because the user may not run `INFO` or `CONFIG GET`.
    ReplicationUnknown,
    /// `cluster-require-full-coverage` is `yes`: one lost slot stops all of them.
    OneSlotStopsAll,
    /// Whether one lost slot stops all of them is unknown, because the user may not run `CONFIG GET`.
    CoverageUnknown,
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
            WarningKind::ClaimsRefused => {
                "claims are refused: maxmemory-policy is not known, because INFO is not permitted"
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
            WarningKind::ReplicationUnknown => {
                "min-replicas-to-write is not known: INFO replication or CONFIG GET is not permitted"
            }
            WarningKind::CoverageUnknown => {
                "cluster-require-full-coverage is not known: CONFIG GET is not permitted"
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

/// Asks every master how it is set up.
pub(crate) async fn servers(servers: &Servers) -> Result<Vec<Warning>, Error> {
    match servers {
        Servers::Master(connection) => server(None, connection.multiplexed().await?).await,
        Servers::Cluster(cluster) => {
            let mut warnings = Vec::new();
            for (address, connection) in cluster.masters().await? {
                let connection = connection.multiplexed().await?;
                warnings.extend(server(Some(&address), connection).await?);
            }
            Ok(warnings)
        }
    }
}

/// Says that claims are refused where the servers do not tell whether they evict.
pub(crate) fn refuse_claims(warnings: &mut [Warning]) {
    for warning in warnings {
        if warning.kind == WarningKind::EvictionUnknown {
            warning.kind = WarningKind::ClaimsRefused;
        }
    }
}

/// Asks one server how it is set up. What its user may not ask is a warning; a connection that breaks is an error.
async fn server(
    node: Option<&NodeAddress>,
    mut connection: MultiplexedConnection,
) -> Result<Vec<Warning>, Error> {
    let connection = &mut connection;
    let mut kinds = Vec::new();
    match handshake::eviction_policy(connection).await? {
        Some(policy) if policy == "noeviction" => {}
        Some(_) => kinds.push(WarningKind::Evicts),
        None => kinds.push(WarningKind::EvictionUnknown),
    }
    kinds.extend(persistence(connection).await?);
    kinds.extend(replication(connection).await?);
    if node.is_some() {
        let full_coverage = setting(connection, "cluster-require-full-coverage").await?;
        match full_coverage.as_deref() {
            Some("no") => {}
            Some(_) => kinds.push(WarningKind::OneSlotStopsAll),
            None => kinds.push(WarningKind::CoverageUnknown),
        }
    }
    let warning = |kind| Warning {
        node: node.map(ToString::to_string),
        kind,
    };
    Ok(kinds.into_iter().map(warning).collect())
}

async fn persistence(connection: &mut MultiplexedConnection) -> Result<Option<WarningKind>, Error> {
    let info = handshake::info(connection, "persistence").await?;
    let appends = info
        .as_deref()
        .and_then(|info| handshake::info_field(info, "aof_enabled"));
    Ok(match appends {
        Some("0") => Some(WarningKind::ForgetsOnRestart),
        Some("1") => match setting(connection, "appendfsync").await?.as_deref() {
            Some("always") => None,
            Some(_) => Some(WarningKind::ForgetsLastWrites),
            None => Some(WarningKind::PersistenceUnknown),
        },
        _ => Some(WarningKind::PersistenceUnknown),
    })
}

async fn replication(connection: &mut MultiplexedConnection) -> Result<Option<WarningKind>, Error> {
    let info = handshake::info(connection, "replication").await?;
    let replicas = info
        .as_deref()
        .and_then(|info| handshake::info_field(info, "connected_slaves"))
        .and_then(|replicas| replicas.parse::<u64>().ok());
    Ok(match replicas {
        Some(0) => None,
        Some(_) => match setting(connection, "min-replicas-to-write")
            .await?
            .as_deref()
        {
            Some("0") => Some(WarningKind::ClaimsUnreplicated),
            Some(_) => None,
            None => Some(WarningKind::ReplicationUnknown),
        },
        None => Some(WarningKind::ReplicationUnknown),
    })
}

async fn setting(
    connection: &mut MultiplexedConnection,
    name: &str,
) -> Result<Option<String>, Error> {
    let answer = cmd("CONFIG")
        .arg("GET")
        .arg(name)
        .query_async::<Vec<String>>(connection)
        .await;
    let found = handshake::if_permitted(answer)?;
    Ok(found.and_then(|found| found.into_iter().nth(1)))
}
