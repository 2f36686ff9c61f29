//! Compares settings with each other.

use std::collections::BTreeSet;

use countersign::{ConfigError, ConfigErrorKind};

use super::{
    Config, Sections, build,
    file::{
        Accept, Authz, BodiesKind, File, GatewayKind, Resign, SchemeName, Sign, SignedUpstream,
        Verify,
    },
};
use crate::{
    forward::{Scheme, Upstream},
    listen::ListenAddress,
};

impl Config {
    /// Checks everything that can be checked without serving: reads the keys and the policies,
    /// builds each service, and binds nothing.
    ///
    /// # Errors
    ///
    /// The first setting that is wrong, or that contradicts another.
    pub fn check(&self) -> Result<(), ConfigError> {
        build(self, Sections::All).map(drop)
    }
}

/// Refuses two listeners of one address, and two sections of one name.
pub(super) fn distinct(file: &File) -> Result<(), ConfigError> {
    let mut addresses = BTreeSet::new();
    let listens = file.verify.iter().map(|it| &it.listen);
    let listens = listens.chain(file.sign.iter().map(|it| &it.listen));
    let listens = listens.chain(file.resign.iter().map(|it| &it.listen));
    let listens = listens.chain(file.authz.iter().map(|it| &it.listen));
    let listens = listens.chain(file.admin.iter().map(|it| &it.listen));
    for listen in listens {
        let address: ListenAddress = listen.parse()?;
        let takes_a_free_port = matches!(address, ListenAddress::Tcp(it) if it.port() == 0);
        if !takes_a_free_port && !addresses.insert(address.to_string()) {
            return Err(setting(format!(
                "listen {listen}: expected one section, found two"
            )));
        }
    }
    let everyone = file.verify.iter().any(|it| it.allow_every_caller)
        || file.authz.iter().any(|it| it.allow_every_caller);
    if everyone && !file.resign.is_empty() {
        return Err(setting(
            "allow_every_caller: expected a policy beside [[resign]], whose callers have placeholder \
             keys that others know",
        ));
    }
    if let Some(admin) = &file.admin
        && !admin.listen.parse::<ListenAddress>()?.is_local()
        && !admin.public
    {
        return Err(setting(
            "admin: expected a loopback address or public = true, found another address",
        ));
    }
    Ok(())
}

/// Checks what must be said about a verifying proxy.
pub(super) fn verify(section: &Verify, upstream: &Upstream) -> Result<(), ConfigError> {
    if section.expected_hosts.is_empty() {
        return Err(setting(
            "expected_hosts: expected at least one host, found none",
        ));
    }
    one_policy(section.policy.is_some(), section.allow_every_caller)?;
    if upstream.scheme() == Scheme::Http
        && !upstream.is_local()
        && section.identity.secret_file.is_none()
    {
        return Err(setting(
            "upstream: expected a Unix socket or a loopback address, or identity.secret_file, \
             found neither: others could call the upstream directly",
        ));
    }
    let body_only = section.accept.iter().any(|it| signs_no_path(it.scheme));
    if body_only && !section.upgrades.is_empty() {
        return Err(setting(
            "upgrades: expected schemes that sign the path, found one that signs the body only",
        ));
    }
    Ok(())
}

/// Checks that a signing proxy is not open to others.
pub(super) fn sign(section: &Sign, listen: &ListenAddress) -> Result<(), ConfigError> {
    if !listen.is_local() && !section.public {
        return Err(setting(
            "listen: expected a loopback address, a Unix socket or public = true, found another \
             address: anyone who reaches this proxy can send signed requests",
        ));
    }
    if !listen.is_local() && section.hosts.is_empty() {
        return Err(setting(
            "hosts: expected the names by which clients call this proxy, found none",
        ));
    }
    Ok(())
}

/// Checks that placeholder keys open nothing but this proxy.
pub(super) fn resign(section: &Resign, listen: &ListenAddress) -> Result<(), ConfigError> {
    if !listen.is_local() && !section.public {
        return Err(setting(
            "listen: expected a loopback address, a Unix socket or public = true, found another \
             address",
        ));
    }
    if section.expected_hosts.is_empty() {
        return Err(setting(
            "expected_hosts: expected at least one host, found none",
        ));
    }
    if section.callers.is_empty() {
        return Err(setting(
            "callers: expected the callers with placeholder keys, found none",
        ));
    }
    Ok(())
}

/// Checks that a gateway's description can be trusted.
pub(super) fn authz(section: &Authz) -> Result<(), ConfigError> {
    if section.expected_hosts.is_empty() {
        return Err(setting(
            "expected_hosts: expected at least one host, found none",
        ));
    }
    one_policy(section.policy.is_some(), section.allow_every_caller)?;
    if section.gateway != GatewayKind::EnvoyGrpc && section.secret_file.is_none() {
        return Err(setting(
            "secret_file: expected the gateway's secret, found none: a client could describe another \
             request than it sends",
        ));
    }
    if section.gateway == GatewayKind::Line && section.bodies != BodiesKind::None {
        return Err(setting(
            "bodies: expected \"none\", because a gateway that writes a line hands on no body",
        ));
    }
    let of_body = |it: &Accept| signs_no_path(it.scheme);
    if section.bodies == BodiesKind::None && section.accept.iter().any(of_body) {
        return Err(setting(
            "accept: expected schemes that sign the head, because no body is handed on",
        ));
    }
    if !section.upgrades.is_empty() && section.accept.iter().any(of_body) {
        return Err(setting(
            "upgrades: expected schemes that sign the path, found one that signs the body only",
        ));
    }
    if !section.path_prefix.is_empty() && section.gateway != GatewayKind::EnvoyHttp {
        return Err(setting(
            "path_prefix: expected gateway = \"envoy-http\", found another gateway",
        ));
    }
    Ok(())
}

fn signs_no_path(scheme: SchemeName) -> bool {
    matches!(scheme, SchemeName::Drf | SchemeName::StandardWebhooks)
}

fn one_policy(has_policy: bool, allows_everyone: bool) -> Result<(), ConfigError> {
    let found = match (has_policy, allows_everyone) {
        (true, false) | (false, true) => return Ok(()),
        (false, false) => "neither",
        (true, true) => "both",
    };
    Err(setting(format!(
        "policy: expected a file, or allow_every_caller = true, found {found}"
    )))
}

/// Checks that nobody else can take the place of the target.
pub(super) fn signed_upstream(
    to: &SignedUpstream<'_>,
    upstream: &Upstream,
) -> Result<(), ConfigError> {
    if upstream.scheme() == Scheme::Http && upstream.is_named() && !to.insecure_plain_names {
        return Err(setting(
            "upstream: expected https, an address or a Unix socket, found http and a name: the name \
             service could send requests elsewhere (see insecure_plain_names)",
        ));
    }
    Ok(())
}

pub(super) fn setting(problem: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Setting, problem)
}
