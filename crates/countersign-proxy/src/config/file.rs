//! The tables of the configuration file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sizes::{Size, Time};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) version: u32,
    #[serde(default)]
    pub(crate) log: Log,
    pub(crate) admin: Option<Admin>,
    #[serde(default)]
    pub(crate) keys: Keys,
    #[serde(default)]
    pub(crate) replay: Replay,
    #[serde(default = "drain")]
    pub(crate) drain: Time,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(default)]
    pub(crate) verify: Vec<Verify>,
    #[serde(default)]
    pub(crate) sign: Vec<Sign>,
    #[serde(default)]
    pub(crate) resign: Vec<Resign>,
    #[serde(default)]
    pub(crate) authz: Vec<Authz>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: Option<LogFormat>,
}

/// How events are printed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    Text,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Admin {
    pub(crate) listen: String,
    #[serde(default)]
    pub(crate) public: bool,
}

/// Where the keys of callers and targets are. Without either setting, callers are read from
/// `SERVICE_SECRETS`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) file: Option<PathBuf>,
    pub(crate) directory: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// A file with the URL of a Redis server, because a URL may hold a password.
    pub(crate) redis_url_file: Option<PathBuf>,
    /// The name of this service for replicas that share a store. Default: the section's name.
    pub(crate) audience: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub(crate) connections: Connections,
    pub(crate) head: Head,
    pub(crate) body: Body,
    pub(crate) upstream: UpstreamTimes,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Connections {
    pub(crate) total: usize,
    pub(crate) per_address: usize,
    pub(crate) idle: Time,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Head {
    pub(crate) bytes: Size,
    pub(crate) count: usize,
    pub(crate) timeout: Time,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Body {
    pub(crate) bytes: Size,
    pub(crate) timeout: Time,
    pub(crate) memory: Size,
    pub(crate) caller_memory: Size,
    pub(crate) stranger_memory: Size,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpstreamTimes {
    pub(crate) connect: Time,
    pub(crate) answer: Time,
    pub(crate) idle: Time,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    pub(crate) name: Option<String>,
    pub(crate) listen: String,
    pub(crate) mode: Option<String>,
    pub(crate) upstream: String,
    #[serde(default)]
    pub(crate) upstream_protocol: UpstreamProtocol,
    /// Root certificates in PEM for an `https://` upstream. Default: the operating system's.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) tls: Option<Tls>,
    pub(crate) expected_hosts: Vec<String>,
    #[serde(default = "native")]
    pub(crate) accept: Vec<Accept>,
    pub(crate) policy: Option<PathBuf>,
    #[serde(default)]
    pub(crate) allow_every_caller: bool,
    #[serde(default)]
    pub(crate) open: Vec<String>,
    #[serde(default)]
    pub(crate) upgrades: Vec<String>,
    #[serde(default)]
    pub(crate) identity: IdentitySettings,
    #[serde(default)]
    pub(crate) keep_signature: bool,
    #[serde(default)]
    pub(crate) trusted_hops: usize,
}

/// The certificate of a listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// The version of HTTP that an upstream speaks. `2` is for gRPC.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) enum UpstreamProtocol {
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    #[serde(rename = "2")]
    Http2,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    pub(crate) scheme: SchemeName,
    pub(crate) region: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) path: Option<PathForm>,
    pub(crate) caller: Option<String>,
    #[serde(default)]
    pub(crate) routes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum SchemeName {
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    #[serde(rename = "ED25519")]
    Ed25519,
    #[serde(rename = "sigv4")]
    SigV4,
    #[serde(rename = "message-signatures")]
    MessageSignatures,
    #[serde(rename = "cavage")]
    Cavage,
    #[serde(rename = "drf")]
    Drf,
    #[serde(rename = "standard-webhooks")]
    StandardWebhooks,
}

/// How a service of AWS writes paths.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathForm {
    /// Escaped once and not normalized. Keys with `//` and `..` are accepted.
    S3,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentitySettings {
    pub(crate) secret_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sign {
    pub(crate) name: Option<String>,
    pub(crate) listen: String,
    pub(crate) mode: Option<String>,
    #[serde(default)]
    pub(crate) public: bool,
    /// Further authorities by which clients call this proxy.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    pub(crate) target: Option<String>,
    pub(crate) aws: Option<Aws>,
    pub(crate) upstream: String,
    #[serde(default)]
    pub(crate) upstream_protocol: UpstreamProtocol,
    /// The authority that is signed. Default: the upstream's.
    pub(crate) authority: Option<String>,
    /// Root certificates in PEM. Default: those of the operating system.
    pub(crate) ca: Option<PathBuf>,
    /// Accepts a host name in an `http://` upstream.
    #[serde(default)]
    pub(crate) insecure_plain_names: bool,
    #[serde(default)]
    pub(crate) allow_browsers: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resign {
    pub(crate) name: Option<String>,
    pub(crate) listen: String,
    pub(crate) mode: Option<String>,
    #[serde(default)]
    pub(crate) public: bool,
    pub(crate) expected_hosts: Vec<String>,
    #[serde(default = "native")]
    pub(crate) accept: Vec<Accept>,
    /// The callers whose keys are placeholders.
    pub(crate) callers: Vec<String>,
    pub(crate) policy: PathBuf,
    pub(crate) target: Option<String>,
    pub(crate) aws: Option<Aws>,
    pub(crate) upstream: String,
    #[serde(default)]
    pub(crate) upstream_protocol: UpstreamProtocol,
    /// The authority that is signed. Default: the upstream's.
    pub(crate) authority: Option<String>,
    /// Root certificates in PEM. Default: those of the operating system.
    pub(crate) ca: Option<PathBuf>,
    /// Accepts a host name in an `http://` upstream.
    #[serde(default)]
    pub(crate) insecure_plain_names: bool,
    #[serde(default)]
    pub(crate) allow_browsers: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authz {
    pub(crate) name: Option<String>,
    pub(crate) listen: String,
    pub(crate) mode: Option<String>,
    pub(crate) gateway: GatewayKind,
    pub(crate) bodies: BodiesKind,
    pub(crate) secret_file: Option<PathBuf>,
    /// What Envoy's HTTP ext_authz puts in front of every path.
    #[serde(default)]
    pub(crate) path_prefix: String,
    pub(crate) expected_hosts: Vec<String>,
    #[serde(default = "native")]
    pub(crate) accept: Vec<Accept>,
    pub(crate) policy: Option<PathBuf>,
    #[serde(default)]
    pub(crate) allow_every_caller: bool,
    #[serde(default)]
    pub(crate) any_path: bool,
    #[serde(default)]
    pub(crate) upgrades: Vec<String>,
    #[serde(default)]
    pub(crate) identity: IdentitySettings,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GatewayKind {
    EnvoyGrpc,
    EnvoyHttp,
    Line,
    Forwarded,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BodiesKind {
    Forwarded,
    None,
}

/// Where signed requests go, and with which key. `[[sign]]` and `[[resign]]` have these settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedUpstream<'f> {
    pub(crate) target: Option<&'f str>,
    pub(crate) aws: Option<&'f Aws>,
    pub(crate) upstream: &'f str,
    pub(crate) protocol: UpstreamProtocol,
    pub(crate) authority: Option<&'f str>,
    pub(crate) ca: Option<&'f Path>,
    pub(crate) insecure_plain_names: bool,
}

impl Sign {
    pub(crate) fn to(&self) -> SignedUpstream<'_> {
        SignedUpstream {
            target: self.target.as_deref(),
            aws: self.aws.as_ref(),
            upstream: &self.upstream,
            protocol: self.upstream_protocol,
            authority: self.authority.as_deref(),
            ca: self.ca.as_deref(),
            insecure_plain_names: self.insecure_plain_names,
        }
    }
}

impl Resign {
    pub(crate) fn to(&self) -> SignedUpstream<'_> {
        SignedUpstream {
            target: self.target.as_deref(),
            aws: self.aws.as_ref(),
            upstream: &self.upstream,
            protocol: self.upstream_protocol,
            authority: self.authority.as_deref(),
            ca: self.ca.as_deref(),
            insecure_plain_names: self.insecure_plain_names,
        }
    }
}

/// Credentials of AWS, in place of a target of the keys' file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aws {
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) path: Option<PathForm>,
    /// A shared credentials file. Default: the variables `AWS_ACCESS_KEY_ID` and so on.
    pub(crate) credentials_file: Option<PathBuf>,
    pub(crate) profile: Option<String>,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            total: 1024,
            per_address: 128,
            idle: Time::seconds(60),
        }
    }
}

impl Default for Head {
    fn default() -> Self {
        Self {
            bytes: Size::kib(32),
            count: 100,
            timeout: Time::seconds(10),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self {
            bytes: Size::mib(2),
            timeout: Time::seconds(30),
            memory: Size::mib(64),
            caller_memory: Size::mib(32),
            stranger_memory: Size::mib(8),
        }
    }
}

impl Default for UpstreamTimes {
    fn default() -> Self {
        Self {
            connect: Time::seconds(2),
            answer: Time::seconds(60),
            // Node closes a connection that is unused for 5 seconds.
            idle: Time::seconds(4),
        }
    }
}

fn drain() -> Time {
    Time::seconds(30)
}

fn native() -> Vec<Accept> {
    vec![Accept {
        scheme: SchemeName::HmacSha256,
        region: None,
        service: None,
        path: None,
        caller: None,
        routes: Vec::new(),
    }]
}

impl File {
    pub(super) fn deserialize_table(table: toml::Table) -> Result<Self, toml::de::Error> {
        table.try_into()
    }

    pub(super) fn quick_verify(listen: &str, upstream: &str, expected_hosts: &[String]) -> Self {
        let verify = Verify {
            name: None,
            listen: listen.to_owned(),
            mode: None,
            upstream: upstream.to_owned(),
            upstream_protocol: UpstreamProtocol::default(),
            ca: None,
            tls: None,
            expected_hosts: expected_hosts.to_vec(),
            accept: native(),
            policy: None,
            allow_every_caller: true,
            open: Vec::new(),
            upgrades: Vec::new(),
            identity: IdentitySettings::default(),
            keep_signature: false,
            trusted_hops: 0,
        };
        Self {
            version: 1,
            log: Log::default(),
            admin: None,
            keys: Keys::default(),
            replay: Replay::default(),
            drain: drain(),
            limits: Limits::default(),
            verify: vec![verify],
            sign: Vec::new(),
            resign: Vec::new(),
            authz: Vec::new(),
        }
    }
}
