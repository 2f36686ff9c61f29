use std::{fmt, time::Duration};

use redis::{aio::MultiplexedConnection, cmd};

use crate::{error::Error, handshake, node_address::NodeAddress, topology::Servers};

/// The time limit for asking all servers for their settings.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// A setting of a server that can lose a nonce before its request expires. Returned by
/// [`RedisReplayStore::check`](crate::RedisReplayStore::check).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The cluster node. `None` for a single master.
    pub node: Option<String>,
    /// The setting.
    pub kind: WarningKind,
}

/// The subject of a [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningKind {
    /// `maxmemory-policy` is not `noeviction`.
    Evicts,
    /// The eviction policy is unknown, because the user may not run `INFO`. The store was built to
    /// accept such servers.
    EvictionUnknown,
    /// All claims are refused: the eviction policy is unknown, because the user may not run `INFO`.
    /// Grant the permission, or see
    /// [`insecure_assume_noeviction`](crate::RedisReplayStoreBuilder::insecure_assume_noeviction).
    ClaimsRefused,
    /// `appendonly` is `no`: a restart loses all claims, or those since the last snapshot.
    ForgetsOnRestart,
    /// `appendfsync` is not `always`: a crash of the machine loses about the last second of claims,
    /// or all that the system had not written.
    ForgetsLastWrites,
    /// The persistence is unknown, because the user may not run `INFO` or `CONFIG GET`.
    PersistenceUnknown,
    /// There are replicas, and `min-replicas-to-write` is 0: a master that loses its replicas
    /// continues to accept claims that its successor never sees.
    ClaimsUnreplicated,
    /// The value of `min-replicas-to-write` is unknown, because the user may not run `INFO` or
    /// `CONFIG GET`.
    ReplicationUnknown,
    /// `cluster-require-full-coverage` is `yes`: one lost slot stops all slots.
    OneSlotStopsAll,
    /// The value of `cluster-require-full-coverage` is unknown, because the user may not run
    /// `CONFIG GET`.
    CoverageUnknown,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            WarningKind::Evicts => {
                "maxmemory-policy is not noeviction: nonces are evicted when memory is full"
            }
            WarningKind::EvictionUnknown => {
                "maxmemory-policy is unknown: INFO memory is not permitted"
            }
            WarningKind::ClaimsRefused => {
                "claims are refused: maxmemory-policy is unknown, because INFO is not permitted"
            }
            WarningKind::ForgetsOnRestart => "appendonly is no: a restart loses nonces",
            WarningKind::ForgetsLastWrites => {
                "appendfsync is not always: a crash loses the last nonces"
            }
            WarningKind::PersistenceUnknown => {
                "persistence is unknown: INFO persistence or CONFIG GET is not permitted"
            }
            WarningKind::ClaimsUnreplicated => {
                "min-replicas-to-write is 0: a master without its replicas still accepts claims"
            }
            WarningKind::ReplicationUnknown => {
                "min-replicas-to-write is unknown: INFO replication or CONFIG GET is not permitted"
            }
            WarningKind::CoverageUnknown => {
                "cluster-require-full-coverage is unknown: CONFIG GET is not permitted"
            }
            WarningKind::OneSlotStopsAll => {
                "cluster-require-full-coverage is yes: one lost slot stops all slots"
            }
        };
        match &self.node {
            Some(node) => write!(f, "{node}: {what}"),
            None => f.write_str(what),
        }
    }
}

/// Asks every master for its settings.
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

/// Marks unknown eviction policies as refused claims.
pub(crate) fn refuse_claims(warnings: &mut [Warning]) {
    for warning in warnings {
        if warning.kind == WarningKind::EvictionUnknown {
            warning.kind = WarningKind::ClaimsRefused;
        }
    }
}

/// Asks one server for its settings. A command that the user may not run is a warning; a broken
/// connection is an error.
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
