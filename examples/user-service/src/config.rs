use std::{env, error::Error, ffi::OsStr, fmt, path::Path};

use countersign::{
    ArcReplayStore, ConfigError, ConfigErrorKind, HostForm, KeyStore as _, Keyring,
    MemoryReplayStore, Policy, Verifier,
};
use countersign_redis::RedisReplayStore;
use http::Method;
use tower_countersign::{
    AuthorizeLayer, BoxError, VerifyLayer,
    reload::{Reload, Reloading},
};

use crate::{policy_api, schemes};

/// The audience under which replicas share nonces.
const AUDIENCE: &str = "user-service";

/// The settings from the environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on: a name or an IP address, with a port.
    pub listen_addr: String,
    /// The layer that verifies every request.
    pub verify: VerifyLayer<Keyring, ArcReplayStore>,
    /// The layer that applies the policy, if there is one.
    pub authorize: Option<AuthorizeLayer>,
    /// The address of the metrics: a name or an IP address, with a port.
    pub metrics_addr: Option<String>,
    /// The replay store that replicas share.
    pub redis: Option<RedisReplayStore>,
    /// The watched files. Dropping these values ends the watch.
    pub reloading: Vec<Reloading>,
}

impl Config {
    /// Reads the variables that the [crate documentation](crate) lists.
    ///
    /// # Errors
    ///
    /// Names the wrong variable and the expected value. No error holds a key.
    pub fn from_env() -> Result<Self, BoxError> {
        let listen_addr = variable("LISTEN_ADDR")?.unwrap_or_else(|| "127.0.0.1:8081".to_owned());
        let mut verifier = Verifier::builder();
        if let Some(hosts) = variable("EXPECTED_HOSTS")? {
            verifier = verifier.expected_hosts(hosts.split(',').map(str::trim));
        }
        if let Some(form) = variable("HOST_FORM")? {
            verifier = verifier.host_form(host_form(&form)?);
        }
        let verifier = schemes::accept(verifier)?
            .build()
            .map_err(|error| format!("EXPECTED_HOSTS: {error}"))?;

        let mut reloading = Vec::new();
        let keys = match variable("KEYS_FILE")? {
            None => schemes::keys(Keyring::builder().callers_from_env()?)?.build()?,
            Some(path) => {
                let (keys, watched) = Reload::new()
                    .keyring_with(path, keys_with_file)
                    .map_err(|error| in_variable("KEYS_FILE", error))?;
                reloading.push(watched);
                keys
            }
        };
        let redis = redis()?;
        let nonces = match &redis {
            Some(redis) => ArcReplayStore::new(redis.clone()),
            None => ArcReplayStore::new(MemoryReplayStore::for_callers(keys.callers())),
        };
        let mut verify = VerifyLayer::new(keys)
            .with_verifier(verifier)
            .with_replay_store(nonces);
        if redis.is_some() {
            verify = verify.with_audience(AUDIENCE);
        }
        let mut authorize = match variable("POLICY_FILE")? {
            None => {
                policy_api::ensure_unset("POLICY_FILE is not set")?;
                None
            }
            Some(path) if is_json(Path::new(&path)) => {
                let api = policy_api::from_env()?;
                let (policy, watched) = Reload::new()
                    .policy_with(path, move |path| Policy::from_json_file(path, &api))
                    .map_err(|error| in_variable("POLICY_FILE", error))?;
                reloading.push(watched);
                Some(AuthorizeLayer::new(policy))
            }
            Some(path) => {
                policy_api::ensure_unset("POLICY_FILE does not end in .json")?;
                let (policy, watched) = Reload::new()
                    .policy(path)
                    .map_err(|error| in_variable("POLICY_FILE", error))?;
                reloading.push(watched);
                Some(AuthorizeLayer::new(policy))
            }
        };
        match report_only()? {
            ReportOnly::Nowhere => {}
            ReportOnly::Everywhere => {
                verify = verify.insecure_report_only();
                authorize = authorize.map(AuthorizeLayer::insecure_report_only);
            }
            ReportOnly::For(_) if authorize.is_some() => {
                return Err(
                    "INSECURE_REPORT_ONLY: expected true or false with POLICY_FILE, found routes"
                        .into(),
                );
            }
            ReportOnly::For(routes) => {
                verify = verify
                    .insecure_report_only_for(routes)
                    .map_err(|error| in_variable("INSECURE_REPORT_ONLY", error))?;
            }
        }
        Ok(Self {
            listen_addr,
            verify,
            authorize,
            metrics_addr: variable("METRICS_ADDR")?,
            redis,
            reloading,
        })
    }
}

/// Returns the store of `REDIS_URL`.
fn redis() -> Result<Option<RedisReplayStore>, BoxError> {
    const ASSUME: &str = "REDIS_INSECURE_ASSUME_NOEVICTION";
    let assumes_noeviction = match variable(ASSUME)?.as_deref() {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(format!("{ASSUME}: expected true or false, found another").into()),
    };
    let Some(url) = variable("REDIS_URL")? else {
        if assumes_noeviction {
            return Err(format!("REDIS_URL: not set, and {ASSUME} is").into());
        }
        return Ok(None);
    };
    let store = RedisReplayStore::builder(&url).and_then(|builder| {
        if assumes_noeviction {
            builder.insecure_assume_noeviction().build()
        } else {
            builder.build()
        }
    });
    store
        .map(Some)
        .map_err(|error| in_variable("REDIS_URL", error))
}

/// Returns the callers of `KEYS_FILE` and of the other variables.
fn keys_with_file(path: &Path) -> Result<Keyring, ConfigError> {
    let set = |name| env::var_os(name).is_some();
    // Second keys without first ones are a mistake, which the reader of both variables reports.
    let keys = if set("SERVICE_SECRETS") || set("ROTATING_SERVICE_SECRETS") {
        Keyring::builder().callers_from_env()?
    } else {
        Keyring::builder()
    };
    schemes::keys(keys)
        .map_err(|error| ConfigError::new(ConfigErrorKind::Variable, error.to_string()))?
        .callers_from_toml_file(path)?
        .build()
}

/// Returns whether a policy file is JSON, by its name. Otherwise it is TOML.
fn is_json(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("json"))
}

enum ReportOnly {
    Nowhere,
    Everywhere,
    For(Vec<(Method, String)>),
}

fn report_only() -> Result<ReportOnly, BoxError> {
    let Some(text) = variable("INSECURE_REPORT_ONLY")? else {
        return Ok(ReportOnly::Nowhere);
    };
    let routes = match &*text {
        "true" | "1" => return Ok(ReportOnly::Everywhere),
        "false" | "0" => return Ok(ReportOnly::Nowhere),
        routes => routes.split(',').map(str::trim),
    };
    let routes = routes.map(|route| {
        let (method, path) = route.split_once(' ')?;
        let method = method.parse().ok()?;
        path.starts_with('/').then(|| (method, path.to_owned()))
    });
    match routes.collect() {
        Some(routes) => Ok(ReportOnly::For(routes)),
        None => Err(
            "INSECURE_REPORT_ONLY: expected true, false, or routes such as \
             \"POST /api/echo, GET /api/account/{id}\""
                .into(),
        ),
    }
}

fn in_variable(name: &str, error: ConfigError) -> BoxError {
    Box::new(InVariable {
        name: name.to_owned(),
        error,
    })
}

/// A wrong value of a variable, with its source.
#[derive(Debug)]
struct InVariable {
    name: String,
    error: ConfigError,
}

impl fmt::Display for InVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.error)
    }
}

impl Error for InVariable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

fn host_form(text: &str) -> Result<HostForm, BoxError> {
    match text {
        "as-sent" => Ok(HostForm::AsSent),
        "strip-port" => Ok(HostForm::StripPort),
        _ => Err(format!("HOST_FORM: expected as-sent or strip-port, found {text:?}").into()),
    }
}

/// Returns the value of a variable, if it is set. An empty value counts as set.
pub(crate) fn variable(name: &str) -> Result<Option<String>, BoxError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: not UTF-8").into()),
    }
}
