use std::{fmt, sync::Arc, time::Duration};

use countersign::{
    ClaimOutcome, ConfigError, ReplayClaim, ReplayStore, ReplayStoreId, Unavailable,
};
use redis::Value;
use tokio::time::Instant;

use crate::{
    builder::RedisReplayStoreBuilder,
    check::{self, Warning},
    clock_rollback::RollbackGuard,
    error::Error,
    handshake::Eviction,
    request::{self, Token},
    time_to_live::{half, time_to_live},
    topology::{Servers, Topology},
};

/// A [`ReplayStore`] on Redis or Valkey, which the replicas of a service share. See the [crate's documentation](crate) for what it
/// guarantees and what of that is up to the servers.
///
/// Handles are cheap to clone and share the connections. Layers that one request passes through must have handles of one store:
/// two stores of the same servers would take the second claim for a replay.
#[derive(Clone)]
pub struct RedisReplayStore(Arc<Shared>);

struct Shared {
    id: ReplayStoreId,
    namespace: String,
    timeout: Duration,
    topology: Topology,
    servers: Servers,
    rollback: RollbackGuard,
}

impl RedisReplayStore {
    pub(crate) fn new(
        topology: Topology,
        eviction: Eviction,
        namespace: &str,
        timeout: Duration,
    ) -> Self {
        let servers = topology.servers(eviction);
        Self(Arc::new(Shared {
            id: ReplayStoreId::unique(),
            namespace: namespace.to_owned(),
            timeout,
            topology,
            servers,
            rollback: RollbackGuard::new(),
        }))
    }

    /// The store at a URL, with the usual settings. Its scheme says how the servers stand together:
    ///
    /// | URL | |
    /// |---|---|
    /// | `redis://host:port/database` | one server |
    /// | `redis+sentinel://host:port,host:port/master-name/database` | a master with replicas; the hosts are sentinels |
    /// | `redis+cluster://host:port,host:port` | a cluster; the hosts are any of its nodes |
    ///
    /// With `rediss` for `redis`, everything goes through TLS, to sentinels too. Ports and databases may be left out. Before the hosts may
    /// stand `user:password@` or `:password@`, percent-encoded; they are for the servers, and sentinels have
    /// [their own](RedisReplayStoreBuilder::sentinel_password).
    ///
    /// Nothing is connected before the first claim.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if the URL is none of these. The error holds nothing of the
    /// URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url)?.build()
    }

    /// Starts from a URL as [`from_url`](Self::from_url) takes it, and the usual settings.
    ///
    /// # Errors
    ///
    /// As [`from_url`](Self::from_url).
    pub fn builder(url: &str) -> Result<RedisReplayStoreBuilder, ConfigError> {
        RedisReplayStoreBuilder::new(url)
    }

    /// Connects to every master, and says what about them lets a nonce be forgotten.
    ///
    /// Call it at start, and write what it says to the log. What the servers' user may not ask is a warning as well, and
    /// so is a server whose claims are refused because it does not tell whether it evicts
    /// ([`WarningKind::ClaimsRefused`](crate::WarningKind::ClaimsRefused)). A server that tells that it evicts is an error,
    /// as it is for claims, unless that was [allowed](RedisReplayStoreBuilder::insecure_allow_eviction).
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if a master cannot be reached or is not what it must be.
    pub async fn check(&self) -> Result<Vec<Warning>, Unavailable> {
        let shared = &self.0;
        let checking = async {
            match check::servers(&shared.servers).await {
                // What else there is to know is asked on connections of its own, which make no claims.
                Err(Error::EvictionUnknown(_)) => {
                    let servers = shared.topology.servers(Eviction::AssumedOff);
                    let mut warnings = check::servers(&servers).await?;
                    check::refuse_claims(&mut warnings);
                    Ok(warnings)
                }
                outcome => outcome,
            }
        };
        match tokio::time::timeout(check::LONGEST, checking).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Error::unreachable("not in time").into()),
        }
    }
}

impl ReplayStore for RedisReplayStore {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        let shared = &self.0;
        let Some(millis) = time_to_live(&claim) else {
            return Ok(ClaimOutcome::Replayed);
        };
        if shared.rollback.refuses(&claim)? {
            return Ok(ClaimOutcome::Replayed);
        }
        let token = Token::random()?;
        let entry = request::entry(&shared.namespace, &claim.key);
        let answer = shared.ask(&entry, &token, millis).await?;
        Ok(token.read(&answer)?)
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id
    }
}

impl Shared {
    async fn ask(&self, entry: &str, token: &Token, millis: u64) -> Result<Value, Error> {
        let command = token.claim(entry, millis);
        let now = Instant::now();
        let deadline = |timeout| {
            // Invariant: a timeout is 5 seconds at most.
            now.checked_add(timeout).unwrap_or(now)
        };
        let (first, last) = (deadline(half(self.timeout)), deadline(self.timeout));
        match &self.servers {
            Servers::Master(connection) => connection.send_with_retry(&command, first, last).await,
            Servers::Cluster(cluster) => {
                cluster
                    .send_with_retry(entry.as_bytes(), &command, first, last)
                    .await
            }
        }
    }
}

impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisReplayStore")
            .field("servers", &self.0.servers)
            .field("namespace", &self.0.namespace)
            .finish_non_exhaustive()
    }
}
