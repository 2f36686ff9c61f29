use countersign::{ConfigError, ConfigErrorKind};
use percent_encoding::percent_decode_str;

use crate::node_address::NodeAddress;

/// The default port of a server.
const SERVER_PORT: u16 = 6379;

/// The default port of a sentinel.
const SENTINEL_PORT: u16 = 26379;

/// The content of a URL.
pub(crate) struct RedisUrl {
    pub(crate) deployment: Deployment,
    pub(crate) tls: bool,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// The arrangement of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deployment {
    Single(NodeAddress),
    Cluster(Vec<NodeAddress>),
    Sentinel {
        sentinels: Vec<NodeAddress>,
        master: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Single,
    Cluster,
    Sentinel,
}

impl RedisUrl {
    /// Parses a URL. Errors hold none of its text, which may contain a password.
    pub(crate) fn parse(url: &str) -> Result<Self, ConfigError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("expected a scheme and ://, found none"));
        };
        let (kind, tls) = match scheme {
            "redis" => (Kind::Single, false),
            "rediss" => (Kind::Single, true),
            "redis+cluster" => (Kind::Cluster, false),
            "rediss+cluster" => (Kind::Cluster, true),
            "redis+sentinel" => (Kind::Sentinel, false),
            "rediss+sentinel" => (Kind::Sentinel, true),
            _ => {
                return Err(wrong(
                    "expected the scheme redis or rediss, alone or with +cluster or +sentinel",
                ));
            }
        };
        if rest.contains(['?', '#']) {
            return Err(wrong("expected no query and no fragment, found one"));
        }
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path).filter(|path| !path.is_empty())),
            None => (rest, None),
        };
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let (username, password) = credentials(user)?;
        let default_port = match kind {
            Kind::Single | Kind::Cluster => SERVER_PORT,
            Kind::Sentinel => SENTINEL_PORT,
        };
        let mut nodes = hosts
            .split(',')
            .map(|host| node(host, default_port))
            .collect::<Result<Vec<_>, _>>()?;
        let (deployment, database) = match kind {
            Kind::Single => match (nodes.pop(), nodes.is_empty()) {
                (Some(node), true) => (Deployment::Single(node), database(path)?),
                _ => {
                    return Err(wrong(
                        "expected one host, found several: use +cluster or +sentinel",
                    ));
                }
            },
            Kind::Cluster if path.is_some() => {
                return Err(wrong("expected no database for a cluster, found one"));
            }
            Kind::Cluster => (Deployment::Cluster(nodes), 0),
            Kind::Sentinel => {
                let path = path.ok_or_else(|| wrong("expected the master's name as the path"))?;
                let (master, after) = match path.split_once('/') {
                    Some((master, after)) => (master, Some(after)),
                    None => (path, None),
                };
                let deployment = Deployment::Sentinel {
                    sentinels: nodes,
                    master: decoded(master)?,
                };
                (deployment, database(after)?)
            }
        };
        Ok(Self {
            deployment,
            tls,
            username,
            password,
            database,
        })
    }
}

/// Parses `[user][:password]`, percent-encoded.
fn credentials(user: Option<&str>) -> Result<(Option<String>, Option<String>), ConfigError> {
    let Some(user) = user else {
        return Ok((None, None));
    };
    let (username, password) = match user.split_once(':') {
        Some((username, password)) => (username, Some(decoded(password)?)),
        None => (user, None),
    };
    let username = Some(decoded(username)?).filter(|name| !name.is_empty());
    if password.as_deref().is_none_or(str::is_empty) {
        return Err(wrong(
            "expected a password, found none: write user:password@ or :password@",
        ));
    }
    Ok((username, password))
}

/// Parses `host`, `host:port`, `[v6]` or `[v6]:port`.
fn node(text: &str, default_port: u16) -> Result<NodeAddress, ConfigError> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let node = match bare {
        Some(host) => with_default(host, default_port),
        None if text.contains(':') => NodeAddress::parse(text),
        None => with_default(text, default_port),
    };
    let legal = |host: &str| {
        host.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte))
    };
    node.filter(|node| legal(&node.host))
        .ok_or_else(|| wrong("expected host or host:port, found neither"))
}

fn with_default(host: &str, port: u16) -> Option<NodeAddress> {
    (!host.is_empty()).then(|| NodeAddress {
        host: host.to_owned(),
        port,
    })
}

fn database(path: Option<&str>) -> Result<i64, ConfigError> {
    let Some(path) = path else { return Ok(0) };
    let digits = path.bytes().all(|byte| byte.is_ascii_digit());
    match path.parse() {
        Ok(database) if digits => Ok(database),
        _ => Err(wrong("expected a database number as the path")),
    }
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(wrong("expected percent-encoded UTF-8")),
    }
}

fn wrong(what: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Setting, format!("redis URL: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> NodeAddress {
        NodeAddress::parse(text).unwrap()
    }

    #[test]
    fn a_url_selects_the_servers_and_their_access() {
        let single = |text| Deployment::Single(address(text));
        for (url, deployment, tls, username, password, database) in [
            (
                "redis://redis.internal",
                single("redis.internal:6379"),
                false,
                None,
                None,
                0,
            ),
            (
                "redis://10.0.0.1:6380/3",
                single("10.0.0.1:6380"),
                false,
                None,
                None,
                3,
            ),
            (
                "rediss://[::1]:6380",
                single("[::1]:6380"),
                true,
                None,
                None,
                0,
            ),
            ("redis://[::1]/", single("[::1]:6379"), false, None, None, 0),
            (
                "redis://:secret@h",
                single("h:6379"),
                false,
                None,
                Some("secret"),
                0,
            ),
            (
                "redis://verifier:p%40ss%2Fw@ord@h:1",
                single("h:1"),
                false,
                Some("verifier"),
                Some("p@ss/w@ord"),
                0,
            ),
            (
                "redis+cluster://:secret@a:7001,b:7002,c",
                Deployment::Cluster(vec![
                    address("a:7001"),
                    address("b:7002"),
                    address("c:6379"),
                ]),
                false,
                None,
                Some("secret"),
                0,
            ),
            (
                "rediss+sentinel://a,b:26380/main/2",
                Deployment::Sentinel {
                    sentinels: vec![address("a:26379"), address("b:26380")],
                    master: "main".to_owned(),
                },
                true,
                None,
                None,
                2,
            ),
        ] {
            let parsed = RedisUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(parsed.deployment, deployment, "{url}");
            assert_eq!(parsed.tls, tls, "{url}");
            assert_eq!(parsed.username.as_deref(), username, "{url}");
            assert_eq!(parsed.password.as_deref(), password, "{url}");
            assert_eq!(parsed.database, database, "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_and_not_repeated_in_errors() {
        for url in [
            "",
            "hunter2",
            "hunter2:6379",
            "http://hunter2",
            "redis://",
            "redis://hunter2:0",
            "redis://hunter2:port",
            "redis://hunter2:65536",
            "redis://hunter2/name",
            "redis://hunter2/-1",
            "redis://hunter2/+1",
            "redis://hunter2?db=1",
            "redis://hunter2#1",
            "redis://user@hunter2",
            "redis://user:@hunter2",
            "redis://user:%ff@hunter2",
            "redis://a,hunter2",
            "redis://hun ter2",
            "redis+cluster://hunter2/1",
            "redis+cluster://hunter2,",
            "redis+sentinel://hunter2",
            "redis+sentinel://hunter2/",
            "redis+sentinel://hunter2/main/name",
            "redis+unix://hunter2",
        ] {
            match RedisUrl::parse(url) {
                Ok(_) => panic!("{url} was accepted"),
                Err(error) => {
                    assert_eq!(error.kind(), ConfigErrorKind::Setting, "{url}");
                    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
                }
            }
        }
    }
}
