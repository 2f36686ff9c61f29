use std::env;

use countersign::{HostForm, Keyring, Verifier};
use tower_countersign::{BoxError, VerifyLayer};

use crate::schemes;

/// What the environment says.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen, as a name or an address with a port.
    pub listen_addr: String,
    /// Who may call, and what is asked of every request.
    pub verify: VerifyLayer<Keyring>,
}

impl Config {
    /// Reads the variables that the [crate documentation](crate) lists.
    ///
    /// # Errors
    ///
    /// Says which variable is wrong and what was expected. No error holds a key.
    pub fn from_env() -> Result<Self, BoxError> {
        let listen_addr = variable("LISTEN_ADDR")?.unwrap_or_else(|| "127.0.0.1:8081".to_owned());
        let mut verifier = Verifier::builder();
        if let Some(hosts) = variable("EXPECTED_HOSTS")? {
            verifier = verifier.expected_hosts(hosts.split(',').map(str::trim));
        }
        if let Some(form) = variable("HOST_FORM")? {
            verifier = verifier.host_form(host_form(&form)?);
        }
        let keys = Keyring::builder().callers_from_env()?;
        let (keys, verifier) = schemes::add(keys, verifier)?;
        let verifier = verifier
            .build()
            .map_err(|error| format!("EXPECTED_HOSTS: {error}"))?;
        let verify = VerifyLayer::new(keys.build()?).with_verifier(verifier);
        Ok(Self {
            listen_addr,
            verify,
        })
    }
}

fn host_form(text: &str) -> Result<HostForm, BoxError> {
    match text {
        "as-sent" => Ok(HostForm::AsSent),
        "strip-port" => Ok(HostForm::StripPort),
        _ => Err(format!("HOST_FORM: expected as-sent or strip-port, found {text:?}").into()),
    }
}

/// The value of a variable, if it is set. An empty value is a value: it is not the same as none.
pub(crate) fn variable(name: &str) -> Result<Option<String>, BoxError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: not UTF-8").into()),
    }
}
