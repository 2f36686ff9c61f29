use std::{collections::HashMap, time::Duration};

use redis::{RedisResult, Value, aio::MultiplexedConnection, cmd, from_redis_value};
use tokio::time::timeout;

use crate::{access::Access, error::Error, node_address::NodeAddress};

/// The first major version that supports `NX` and `GET` in one `SET`.
const OLDEST: u32 = 7;

/// The properties that a server must have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) mode: Mode,
    pub(crate) eviction: Eviction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A single server, which must be a master.
    Standalone,
    /// A node of a cluster, which redirects commands for the slots of other nodes.
    Cluster,
}

/// Whether a server may evict entries when its memory is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Eviction {
    #[default]
    Refused,
    /// Refused if the server reports a policy that evicts, and accepted if the policy is unknown.
    AssumedOff,
    Allowed,
}

/// Connects to a server, and refuses a server without the expected properties.
pub(crate) async fn connect(
    address: &NodeAddress,
    access: &Access,
    expected: Expected,
    within: Duration,
) -> Result<MultiplexedConnection, Error> {
    let connecting = async {
        let mut connection = access.connect(address, within).await?;
        check_server(&mut connection, address, expected).await?;
        Ok(connection)
    };
    match timeout(within, connecting).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::unreachable(format!(
            "{address}: expected a connection in time, found none"
        ))),
    }
}

/// Checks the properties of a server, once per connection. Refuses a server that could lose an
/// entry.
async fn check_server(
    connection: &mut MultiplexedConnection,
    address: &NodeAddress,
    expected: Expected,
) -> Result<(), Error> {
    let hello: Value = cmd("HELLO")
        .query_async(connection)
        .await
        .map_err(|error| {
            unfit(
                address,
                &format!("expected an answer to HELLO, found {error}"),
            )
        })?;
    let hello: HashMap<String, Value> = from_redis_value(hello)
        .map_err(|_| unfit(address, "expected a map in answer to HELLO, found none"))?;
    let field = |name: &str| {
        let value = hello.get(name).cloned()?;
        from_redis_value::<String>(value).ok()
    };
    judge(
        expected.mode,
        &field("version").unwrap_or_default(),
        &field("mode").unwrap_or_default(),
        &field("role").unwrap_or_default(),
    )
    .map_err(|why| unfit(address, &why))?;

    let policy = eviction_policy(connection)
        .await
        .map_err(|error| unfit(address, &error.to_string()))?;
    match policy {
        Some(policy) if policy == "noeviction" => Ok(()),
        Some(policy) if expected.eviction != Eviction::Allowed => Err(unfit(
            address,
            &format!(
                "expected maxmemory-policy noeviction, found {policy}: a request could be accepted \
                 again after its nonce is evicted"
            ),
        )),
        Some(policy) => {
            tracing::warn!(
                target: "countersign",
                node = %address,
                policy,
                "the replay store may evict nonces"
            );
            Ok(())
        }
        // Accepting the server here would fail open: evicted nonces would allow replays.
        None if expected.eviction == Eviction::Refused => Err(Error::EvictionUnknown(
            format!(
                "{address}: expected maxmemory-policy noeviction, found an unknown policy: permit \
                 the user INFO, or see insecure_assume_noeviction"
            )
            .into(),
        )),
        None => {
            tracing::warn!(
                target: "countersign",
                node = %address,
                "the eviction policy of the replay store is unknown: INFO is not permitted"
            );
            Ok(())
        }
    }
}

/// Returns the eviction policy, or `None` if the user may not run `INFO`.
pub(crate) async fn eviction_policy(
    connection: &mut MultiplexedConnection,
) -> Result<Option<String>, Error> {
    let info = info(connection, "memory").await?;
    let policy = info
        .as_deref()
        .and_then(|info| info_field(info, "maxmemory_policy"));
    Ok(policy.map(str::to_owned))
}

/// Returns a section of the answer to `INFO`, or `None` if the user may not run `INFO`.
pub(crate) async fn info(
    connection: &mut MultiplexedConnection,
    section: &str,
) -> Result<Option<String>, Error> {
    if_permitted(cmd("INFO").arg(section).query_async(connection).await)
}

/// Returns `None` if the server refused the command. A broken connection is an error, because it
/// shows nothing about permissions.
pub(crate) fn if_permitted<T>(answer: RedisResult<T>) -> Result<Option<T>, Error> {
    let error = match answer {
        Ok(answer) => return Ok(Some(answer)),
        Err(error) => Error::from_command(&error),
    };
    match error {
        Error::Refused(_) => Ok(None),
        error => Err(error),
    }
}

/// Returns one field of an answer to `INFO`.
pub(crate) fn info_field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .find_map(|(found, value)| (found == name).then_some(value))
}

fn judge(expected: Mode, version: &str, mode: &str, role: &str) -> Result<(), String> {
    let major: u32 = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0);
    if major < OLDEST {
        return Err(format!(
            "expected Redis {OLDEST}.0 or later, or Valkey, found version {version}"
        ));
    }
    match (expected, mode) {
        (Mode::Standalone, "standalone") if role != "master" => {
            Err(format!("expected a master, found a {role}"))
        }
        (Mode::Standalone, "standalone") | (Mode::Cluster, "cluster") => Ok(()),
        (Mode::Standalone, "cluster") => Err(
            "expected a standalone server, found a node of a cluster: see redis+cluster://"
                .to_owned(),
        ),
        (_, "sentinel") => {
            Err("expected a server, found a sentinel: see redis+sentinel://".to_owned())
        }
        (Mode::Standalone, _) => Err(format!("expected a standalone server, found mode {mode}")),
        (Mode::Cluster, _) => Err(format!("expected a node of a cluster, found mode {mode}")),
    }
}

fn unfit(address: &NodeAddress, why: &str) -> Error {
    Error::unreachable(format!("{address}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_can_keep_entries_is_accepted() {
        for (name, expected, version, mode, role, taken) in [
            (
                "Redis 7",
                Mode::Standalone,
                "7.0.15",
                "standalone",
                "master",
                true,
            ),
            (
                "Valkey 8",
                Mode::Standalone,
                "8.1.1",
                "standalone",
                "master",
                true,
            ),
            (
                "Redis 10",
                Mode::Standalone,
                "10.0.0",
                "standalone",
                "master",
                true,
            ),
            ("a node", Mode::Cluster, "7.2.4", "cluster", "master", true),
            (
                "a replica that knows its master",
                Mode::Cluster,
                "7.2.4",
                "cluster",
                "replica",
                true,
            ),
            (
                "before SET NX GET",
                Mode::Standalone,
                "6.2.14",
                "standalone",
                "master",
                false,
            ),
            (
                "without a version",
                Mode::Standalone,
                "",
                "standalone",
                "master",
                false,
            ),
            (
                "a replica",
                Mode::Standalone,
                "7.0.15",
                "standalone",
                "replica",
                false,
            ),
            (
                "without a role",
                Mode::Standalone,
                "7.0.15",
                "standalone",
                "",
                false,
            ),
            (
                "one node for all",
                Mode::Standalone,
                "7.0.15",
                "cluster",
                "master",
                false,
            ),
            (
                "no cluster",
                Mode::Cluster,
                "7.0.15",
                "standalone",
                "master",
                false,
            ),
            (
                "a sentinel",
                Mode::Standalone,
                "7.0.15",
                "sentinel",
                "sentinel",
                false,
            ),
            (
                "a sentinel for a node",
                Mode::Cluster,
                "7.0.15",
                "sentinel",
                "sentinel",
                false,
            ),
        ] {
            assert_eq!(
                judge(expected, version, mode, role).is_ok(),
                taken,
                "{name}"
            );
        }
    }

    #[test]
    fn a_field_of_info_is_found_by_its_whole_name() {
        let info = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(info_field(info, "maxmemory_policy"), Some("noeviction"));
        assert_eq!(info_field(info, "maxmemory"), Some("0"));
        assert_eq!(info_field(info, "memory"), None);
    }
}
