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

/// A [`ReplayStore`] on Redis or Valkey, which the replicas of a service share. See the
/// [crate's documentation](crate) for guarantees and limits.
///
/// Clones are cheap and share the connections. If a request passes through several layers, give
/// them clones of one store: with two stores on the same servers, the second claim would be a
/// replay.
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

    /// Creates a store from a URL, with default settings. The scheme selects the deployment:
    ///
    /// | URL | deployment |
    /// |---|---|
    /// | `redis://host:port/database` | one server |
    /// | `redis+sentinel://host:port,host:port/master-name/database` | the hosts are sentinels |
    /// | `redis+cluster://host:port,host:port` | the hosts are nodes of a cluster |
    ///
    /// The schemes `rediss…` use TLS for all connections, also to sentinels. Ports and databases
    /// are optional. `user:password@` or `:password@` before the hosts is percent-encoded and only
    /// for the servers. For sentinels, see
    /// [`sentinel_password`](RedisReplayStoreBuilder::sentinel_password).
    ///
    /// Connects only at the first claim.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`](countersign::ConfigErrorKind::Setting) if the URL has another
    /// form. The error contains no text of the URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        Self::builder(url)?.build()
    }

    /// Returns a builder for the URL, as in [`from_url`](Self::from_url), with default settings.
    ///
    /// # Errors
    ///
    /// As [`from_url`](Self::from_url).
    pub fn builder(url: &str) -> Result<RedisReplayStoreBuilder, ConfigError> {
        RedisReplayStoreBuilder::new(url)
    }

    /// Connects to every master, and returns the settings that can lose a nonce.
    ///
    /// Call this at startup and log the warnings. Settings that the user may not read are warnings
    /// too. So is a server that refuses claims because its eviction policy is unknown
    /// ([`WarningKind::ClaimsRefused`](crate::WarningKind::ClaimsRefused)). A server that reports
    /// an evicting policy is an error, as for claims, unless
    /// [allowed](RedisReplayStoreBuilder::insecure_allow_eviction).
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if a master cannot be reached or lacks an expected property.
    pub async fn check(&self) -> Result<Vec<Warning>, Unavailable> {
        let shared = &self.0;
        let checking = async {
            match check::servers(&shared.servers).await {
                // Read the other settings over separate connections, which make no claims.
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
            Err(_) => Err(Error::unreachable("expected the settings in time, found none").into()),
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
            // Invariant: a timeout is at most 5 seconds.
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
