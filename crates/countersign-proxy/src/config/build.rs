//! Builds the services that a configuration describes.

use std::{fs, path::Path, sync::Arc, time::Duration};

use countersign::{
    ArcKeyStore, ArcReplayStore, ConfigError, ConfigErrorKind, KeyStore, Keyring, MemoryReplayStore,
};
use countersign_redis::RedisReplayStore;
use http::{HeaderName, HeaderValue, uri::Authority};
use tokio_rustls::TlsAcceptor;
use tower_countersign::{
    AllowCallers, AuthorizeLayer, BodyLimits, SignLayer, VerifyLayer,
    reload::{Reload, Reloading},
};
use zeroize::Zeroizing;

use super::{
    Config, Sections,
    check::{self, setting},
    file::{
        Accept, Authz, BodiesKind, GatewayKind, IdentitySettings, Keys, Limits, Resign, Sign,
        UpstreamProtocol, Verify,
    },
    schemes::verifier,
    signers,
};
use crate::{
    authz::{
        self, Bodies, Decider, DescriptionRules, Gateway, GatewaySecret, GrpcService, HttpService,
    },
    forward::{
        Forward, ForwardSettings, ForwardSigned, Protocol, Scheme, Target, Upstream, UpstreamLimits,
    },
    identity::Identity,
    listen::{ConnectionLimits, ListenAddress},
    message::look_alike::LookAlikes,
    resign::{self, ResignProxy},
    routes::{OpenRoute, Route},
    sign::{self, SignProxy},
    tls,
    verify::{self, VerifyProxy},
};

/// The shortest secret that an upstream or a gateway may share with a proxy, in bytes.
const SHORTEST_SECRET: usize = 16;

/// What a configuration describes, ready to be served.
pub(crate) struct Built {
    pub(crate) services: Vec<Service>,
    pub(crate) connections: ConnectionLimits,
    /// Watches the files. Dropping it ends that.
    pub(crate) reloading: Vec<Reloading>,
}

/// One section.
pub(crate) struct Service {
    pub(crate) name: Arc<str>,
    pub(crate) listen: ListenAddress,
    /// The permissions of a Unix socket.
    pub(crate) mode: u32,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Verify(Box<VerifyProxy>),
    Sign(SignProxy),
    Resign(ResignProxy),
    AuthzHttp(HttpService),
    AuthzGrpc(GrpcService),
}

/// Builds the services of these sections. The whole file is checked in any case.
pub(crate) fn build(config: &Config, sections: Sections) -> Result<Built, ConfigError> {
    let file = &config.file;
    check::distinct(file)?;
    let mut built = Built {
        services: Vec::new(),
        connections: connection_limits(&file.limits),
        reloading: Vec::new(),
    };
    // A process that verifies nobody needs no callers.
    let verifies = !(file.verify.is_empty() && file.resign.is_empty() && file.authz.is_empty());
    let keys = if verifies {
        Some(keyring(config, &file.keys, &mut built.reloading)?)
    } else {
        None
    };
    for section in &file.verify {
        let Some(keys) = &keys else { break };
        let name = named(section.name.as_deref(), "verify");
        let service = verify(config, section, &name, keys, &mut built.reloading);
        built.add(
            sections,
            Sections::Verify,
            service.map_err(of("verify", &name)),
        )?;
    }
    for section in &file.sign {
        let name = section.name.as_deref().or(section.target.as_deref());
        let name = named(name, "sign");
        let service = sign(config, section, &name, keys.as_ref(), &mut built.reloading);
        built.add(sections, Sections::Sign, service.map_err(of("sign", &name)))?;
    }
    for section in &file.resign {
        let Some(keys) = &keys else { break };
        let name = named(section.name.as_deref(), "resign");
        let service = resign(config, section, &name, keys, &mut built.reloading);
        built.add(
            sections,
            Sections::Resign,
            service.map_err(of("resign", &name)),
        )?;
    }
    for section in &file.authz {
        let Some(keys) = &keys else { break };
        let name = named(section.name.as_deref(), "authz");
        let service = authz(config, section, &name, keys, &mut built.reloading);
        built.add(
            sections,
            Sections::Authz,
            service.map_err(of("authz", &name)),
        )?;
    }
    if built.services.is_empty() {
        return Err(setting(
            "expected at least one section to start, found none",
        ));
    }
    Ok(built)
}

impl Built {
    /// Keeps the service of a section, if sections of this kind are started.
    fn add(
        &mut self,
        started: Sections,
        kind: Sections,
        service: Result<Service, ConfigError>,
    ) -> Result<(), ConfigError> {
        let service = service?;
        if started == Sections::All || started == kind {
            self.services.push(service);
        }
        Ok(())
    }
}

/// Names the section of an error.
fn of(kind: &'static str, name: &Arc<str>) -> impl FnOnce(ConfigError) -> ConfigError {
    let name = Arc::clone(name);
    move |error| error.within(format_args!("{kind} {name}"))
}

fn named(name: Option<&str>, otherwise: &str) -> Arc<str> {
    Arc::from(name.unwrap_or(otherwise))
}

fn keyring(
    config: &Config,
    keys: &Keys,
    reloading: &mut Vec<Reloading>,
) -> Result<Keyring, ConfigError> {
    let (keyring, watch) = match (&keys.file, &keys.directory) {
        (Some(_), Some(_)) => return Err(setting("keys: expected file or directory, found both")),
        (Some(file), None) => Reload::new().keyring(config.path(file))?,
        (None, Some(directory)) => Reload::new().keyring_directory(config.path(directory))?,
        (None, None) => return Keyring::from_env(),
    };
    reloading.push(watch);
    Ok(keyring)
}

fn verify(
    config: &Config,
    section: &Verify,
    name: &Arc<str>,
    keys: &Keyring,
    reloading: &mut Vec<Reloading>,
) -> Result<Service, ConfigError> {
    let limits = &config.file.limits;
    let upstream: Upstream = section.upstream.parse()?;
    check::verify(section, &upstream)?;
    let identity = identity(config, &section.identity)?;
    let target = target(
        config,
        upstream,
        section.upstream_protocol,
        section.ca.as_deref(),
    )?;
    let forward = Forward::new(
        name,
        target,
        upstream_limits(limits),
        identity.clone(),
        ForwardSettings {
            keep_signature: section.keep_signature,
            trusted_hops: section.trusted_hops,
        },
    );
    let layer = verify_layer(config, &section.accept, &section.expected_hosts, name, keys)?
        .with_body_limits(body_limits(limits))
        .with_trusted_hops(section.trusted_hops);
    let policy = policy(config, section.policy.as_deref(), reloading)?;
    let policy = policy.map(|policy| policy.with_trusted_hops(section.trusted_hops));
    let first = section.expected_hosts.first().map_or("", String::as_str);
    let authority: Authority = first
        .parse()
        .map_err(|_| setting("expected_hosts: expected a host, or a host and a port"))?;
    let open = section.open.iter();
    let upgrades = section.upgrades.iter();
    let acceptor = section
        .tls
        .as_ref()
        .map(|files| tls::acceptor(&config.path(&files.cert), &config.path(&files.key)));
    Ok(Service {
        name: Arc::clone(name),
        listen: section.listen.parse()?,
        mode: mode(section.mode.as_deref())?,
        tls: acceptor.transpose()?,
        kind: Kind::Verify(Box::new(VerifyProxy {
            section: Arc::clone(name),
            look_alikes: Arc::clone(identity.look_alikes()),
            open: open
                .map(|route| OpenRoute::parse(route, &authority))
                .collect::<Result<_, _>>()?,
            upgrades: upgrades
                .map(|route| Route::parse(route))
                .collect::<Result<_, _>>()?,
            stack: verify::stack(&layer, policy.as_ref(), forward.clone()),
            forward,
        })),
    })
}

/// Returns the layer that all sections have which verify.
fn verify_layer(
    config: &Config,
    accept: &[Accept],
    hosts: &[String],
    name: &Arc<str>,
    keys: &Keyring,
) -> Result<VerifyLayer<ArcKeyStore, ArcReplayStore>, ConfigError> {
    // Two sections may see one request, the gateway's question first. Each claims it for itself.
    let audience = match &config.file.replay.audience {
        Some(audience) => format!("{audience}/{name}"),
        None => name.to_string(),
    };
    Ok(VerifyLayer::new(ArcKeyStore::new(keys.clone()))
        .with_verifier(verifier(accept, hosts)?)
        .with_replay_store(replay_store(config, keys)?)
        .with_audience(&audience)
        .with_realm(name)
        .with_refused_body_drain(64 * 1024, Duration::from_secs(1)))
}

/// Returns the store of the nonces. On Redis, every replica needs the same audience.
fn replay_store(config: &Config, keys: &Keyring) -> Result<ArcReplayStore, ConfigError> {
    let Some(path) = &config.file.replay.redis_url_file else {
        let store = MemoryReplayStore::for_callers(keys.callers());
        return Ok(ArcReplayStore::new(store));
    };
    if config.file.replay.audience.is_none() {
        return Err(setting(
            "replay.audience: expected a name that all replicas share, found none",
        ));
    }
    let url = secret(&config.path(path))?;
    Ok(ArcReplayStore::new(RedisReplayStore::from_url(&url)?))
}

fn sign(
    config: &Config,
    section: &Sign,
    name: &Arc<str>,
    keys: Option<&Keyring>,
    reloading: &mut Vec<Reloading>,
) -> Result<Service, ConfigError> {
    let limits = &config.file.limits;
    let listen: ListenAddress = section.listen.parse()?;
    check::sign(section, &listen)?;
    let to = section.to();
    let upstream: Upstream = to.upstream.parse()?;
    check::signed_upstream(&to, &upstream)?;
    let authority = signers::authority(&to, &upstream)?;
    let signers = signers::signers(config, &to, &authority, &upstream, keys, reloading)?;
    let scheme = upstream.scheme();
    let target = target(config, upstream, to.protocol, to.ca)?;
    let layer = SignLayer::new(signers)
        .with_buffer_bytes(limits.body.bytes.0)
        .with_body_deadline(limits.body.timeout.0)
        .with_total_buffer_bytes(limits.body.memory.0);
    let forward = ForwardSigned::new(name, target, upstream_limits(limits));
    Ok(Service {
        name: Arc::clone(name),
        listen,
        mode: mode(section.mode.as_deref())?,
        tls: None,
        kind: Kind::Sign(SignProxy {
            section: Arc::clone(name),
            authority,
            scheme,
            own: section
                .hosts
                .iter()
                .map(|it| it.to_ascii_lowercase())
                .collect(),
            allow_browsers: section.allow_browsers,
            max_bytes: limits.body.bytes.0,
            stack: sign::stack(&layer, forward),
        }),
    })
}

fn resign(
    config: &Config,
    section: &Resign,
    name: &Arc<str>,
    keys: &Keyring,
    reloading: &mut Vec<Reloading>,
) -> Result<Service, ConfigError> {
    let limits = &config.file.limits;
    let listen: ListenAddress = section.listen.parse()?;
    check::resign(section, &listen)?;
    let to = section.to();
    let upstream: Upstream = to.upstream.parse()?;
    check::signed_upstream(&to, &upstream)?;
    let authority = signers::authority(&to, &upstream)?;
    let signers = signers::signers(config, &to, &authority, &upstream, Some(keys), reloading)?;
    let scheme = upstream.scheme();
    let target = target(config, upstream, to.protocol, to.ca)?;
    // SDKs send no hash of the body to most services, so its peer is a stranger until its end.
    let bodies = body_limits(limits).with_unauthenticated_max_bytes(limits.body.bytes.0);
    let layers = resign::Layers {
        verify: verify_layer(config, &section.accept, &section.expected_hosts, name, keys)?
            .with_body_limits(bodies),
        callers: AllowCallers::new(&section.callers),
        authorize: policy(config, Some(&section.policy), reloading)?
            .ok_or_else(|| setting("policy: expected a file, found none"))?,
        sign: SignLayer::new(signers)
            .with_buffer_bytes(limits.body.bytes.0)
            .with_total_buffer_bytes(limits.body.memory.0),
    };
    let destination = resign::Destination {
        section: Arc::clone(name),
        scheme,
        authority,
    };
    let forward = ForwardSigned::new(name, target, upstream_limits(limits));
    Ok(Service {
        name: Arc::clone(name),
        listen,
        mode: mode(section.mode.as_deref())?,
        tls: None,
        kind: Kind::Resign(ResignProxy {
            section: Arc::clone(name),
            allow_browsers: section.allow_browsers,
            stack: resign::stack(&layers, destination, forward),
        }),
    })
}

fn authz(
    config: &Config,
    section: &Authz,
    name: &Arc<str>,
    keys: &Keyring,
    reloading: &mut Vec<Reloading>,
) -> Result<Service, ConfigError> {
    check::authz(section)?;
    let limits = &config.file.limits;
    let identity = identity(config, &section.identity)?;
    let gateway_secret = match &section.secret_file {
        Some(path) => Some(GatewaySecret::new(secret(&config.path(path))?)),
        None => None,
    };
    let bodies = match section.bodies {
        BodiesKind::Forwarded => Bodies::Forwarded,
        BodiesKind::None => Bodies::None,
    };
    let layer = verify_layer(config, &section.accept, &section.expected_hosts, name, keys)?
        .with_body_limits(body_limits(limits));
    let policy = policy(config, section.policy.as_deref(), reloading)?;
    let upgrades = section.upgrades.iter().map(|route| Route::parse(route));
    let decider = Arc::new(Decider {
        section: Arc::clone(name),
        rules: DescriptionRules {
            alike: LookAlikes::clone(identity.look_alikes()),
            any_path: section.any_path,
            upgrades: upgrades.collect::<Result<_, _>>()?,
        },
        stack: authz::stack(&layer, policy.as_ref(), identity, bodies),
    });
    let kind = match (section.gateway, gateway_secret) {
        (GatewayKind::EnvoyGrpc, secret) => Kind::AuthzGrpc(GrpcService {
            decider,
            bodies,
            secret,
            // The head is in the message as well.
            message_bytes: limits
                .body
                .bytes
                .as_usize()
                .saturating_add(limits.head.bytes.as_usize().saturating_mul(4)),
        }),
        (_, None) => return Err(setting("secret_file: expected the gateway's secret")),
        (of_http, Some(secret)) => {
            let gateway = match of_http {
                GatewayKind::Line => Gateway::Line(secret),
                GatewayKind::Forwarded => Gateway::Forwarded(secret),
                GatewayKind::EnvoyHttp | GatewayKind::EnvoyGrpc => Gateway::EnvoyHttp {
                    secret,
                    path_prefix: section.path_prefix.clone(),
                },
            };
            Kind::AuthzHttp(HttpService {
                decider,
                gateway,
                bodies,
            })
        }
    };
    Ok(Service {
        name: Arc::clone(name),
        listen: section.listen.parse()?,
        mode: mode(section.mode.as_deref())?,
        tls: None,
        kind,
    })
}

fn target(
    config: &Config,
    upstream: Upstream,
    version: UpstreamProtocol,
    ca: Option<&Path>,
) -> Result<Target, ConfigError> {
    let protocol = match version {
        UpstreamProtocol::Http1 => Protocol::Http1,
        UpstreamProtocol::Http2 => Protocol::Http2,
    };
    let ca = ca.map(|ca| config.path(ca));
    let tls = match upstream.scheme() {
        Scheme::Http => None,
        Scheme::Https => Some(tls::connector(ca.as_deref(), protocol)?),
    };
    Ok(Target {
        upstream,
        protocol,
        tls,
    })
}

fn policy(
    config: &Config,
    path: Option<&Path>,
    reloading: &mut Vec<Reloading>,
) -> Result<Option<AuthorizeLayer>, ConfigError> {
    let Some(path) = path else { return Ok(None) };
    let (policy, watch) = Reload::new().policy(config.path(path))?;
    reloading.push(watch);
    Ok(Some(AuthorizeLayer::new(policy)))
}

fn identity(config: &Config, settings: &IdentitySettings) -> Result<Identity, ConfigError> {
    let also = settings.also.iter().map(|name| {
        let name = HeaderName::from_bytes(name.as_bytes());
        name.map_err(|_| setting("identity.also: expected names of headers, found another text"))
    });
    let also = also.collect::<Result<Vec<_>, _>>()?;
    let secret = match &settings.secret_file {
        None => None,
        Some(path) => Some(secret(&config.path(path))?),
    };
    let secret = secret.map(|secret| HeaderValue::from_str(&secret));
    let secret = secret.transpose().map_err(|_| {
        setting("identity.secret_file: expected visible ASCII characters, found others")
    })?;
    Ok(Identity::new(also, secret))
}

/// Reads a secret. A line end at the end of the file is no part of it.
fn secret(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| {
        let message = format!("{}: expected a file that can be read", path.display());
        ConfigError::new(ConfigErrorKind::File, message).with_source(error)
    })?;
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let is_plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
    if secret.len() < SHORTEST_SECRET || !is_plain {
        return Err(setting(format!(
            "{}: expected a secret of at least {SHORTEST_SECRET} visible ASCII characters",
            path.display()
        )));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

/// Reads the permissions of a Unix socket. Nobody but the owner and the group may connect.
fn mode(text: Option<&str>) -> Result<u32, ConfigError> {
    let Some(text) = text else { return Ok(0o600) };
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode & !0o770 == 0 => Ok(mode),
        _ => Err(setting(
            "mode: expected the permissions of owner and group, such as \"0660\", found others",
        )),
    }
}

fn upstream_limits(limits: &Limits) -> UpstreamLimits {
    UpstreamLimits {
        connect: limits.upstream.connect.0,
        answer: limits.upstream.answer.0,
        idle: limits.upstream.idle.0,
        tunnel_idle: limits.connections.idle.0,
    }
}

fn connection_limits(limits: &Limits) -> ConnectionLimits {
    ConnectionLimits {
        total: limits.connections.total,
        per_address: limits.connections.per_address,
        idle: limits.connections.idle.0,
        head_bytes: limits.head.bytes.as_usize().max(8 * 1024),
        head_count: limits.head.count,
        head_timeout: limits.head.timeout.0,
    }
}

fn body_limits(limits: &Limits) -> BodyLimits {
    let body = &limits.body;
    BodyLimits::default()
        .with_max_bytes(body.bytes.0)
        .with_deadline(body.timeout.0)
        .with_total_bytes(body.memory.0)
        .with_caller_bytes(body.caller_memory.0)
        .with_unauthenticated_total_bytes(body.stranger_memory.0)
        .with_unauthenticated_peer_bytes(body.stranger_memory.0)
}
