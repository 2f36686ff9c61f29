use std::env;

use countersign::Signer;
use tower_countersign::BoxError;

use crate::user_service::{BaseUrl, UserService};

/// The name of the user service's target.
const USER_SERVICE: &str = "user-service";

/// The settings from the environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Config {
    /// The address to listen on: a name or an IP address, with a port.
    pub listen_addr: String,
    /// The client of the user service.
    pub users: UserService,
}

impl Config {
    /// Reads the variables that the [crate documentation](crate) lists.
    ///
    /// # Errors
    ///
    /// Names the wrong variable and the expected value. No error holds a key.
    pub fn from_env() -> Result<Self, BoxError> {
        let listen_addr = variable("LISTEN_ADDR", "127.0.0.1:8080")?;
        let base: BaseUrl = variable("USER_SERVICE_URL", "http://127.0.0.1:8081")?
            .parse()
            .map_err(|error| format!("USER_SERVICE_URL: {error}"))?;
        let signer = Signer::from_env(USER_SERVICE, base.authority())?;
        Ok(Self {
            listen_addr,
            users: UserService::new(base, signer),
        })
    }
}

/// Returns the value of a variable, or the default.
fn variable(name: &str, default: &str) -> Result<String, BoxError> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: not UTF-8").into()),
    }
}
