use std::env;

use countersign::{CredentialsProvider, Secret, SigV4Credentials, SigningKey, Unavailable};
use tower_countersign::BoxError;

use crate::variable;

/// What the three variables of AWS hold, which are those that Lambda itself sets.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EnvironmentCredentials;

impl EnvironmentCredentials {
    pub(crate) fn read() -> Result<SigV4Credentials, BoxError> {
        let access_key_id = variable("AWS_ACCESS_KEY_ID")?;
        let secret = Secret::from_text(&variable("AWS_SECRET_ACCESS_KEY")?)?;
        // The two may be in each other's place, so neither is shown.
        let credentials = SigV4Credentials::new(&access_key_id, SigningKey::sigv4(&secret))
            .map_err(|_| "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: no access key id with a strong secret")?;
        if env::var_os("AWS_SESSION_TOKEN").is_none() {
            return Ok(credentials);
        }
        let token = Secret::from_text(&variable("AWS_SESSION_TOKEN")?)?;
        Ok(credentials.with_session_token(&token)?)
    }
}

impl CredentialsProvider for EnvironmentCredentials {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        Self::read().map_err(|error| Unavailable::new("environment").with_source(error))
    }
}
