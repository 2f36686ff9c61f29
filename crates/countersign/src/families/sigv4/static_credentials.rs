//! The texts that form AWS credentials, from any source.

use zeroize::Zeroizing;

use super::provider::SigV4Credentials;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{Secret, SessionToken, SigningKey, ensure_key_alone},
    key_id::KeyId,
    timestamp::Timestamp,
};

/// The texts as read.
pub(super) struct StaticCredentials {
    pub(super) access_key_id: Zeroizing<String>,
    pub(super) secret_access_key: Zeroizing<String>,
    pub(super) session_token: Option<Zeroizing<String>>,
    pub(super) expiration: Option<Zeroizing<String>>,
}

/// Identifies the wrong text. Each source names the texts differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    AccessKeyId,
    SecretAccessKey,
    SessionToken,
    Expiration,
}

impl StaticCredentials {
    pub(super) fn read(&self) -> Result<SigV4Credentials, (Part, ConfigError)> {
        let id = &*self.access_key_id;
        ensure_key_alone(id)
            .and_then(|()| ensure_id(id))
            .map_err(|error| (Part::AccessKeyId, error))?;
        let key = Secret::from_text(&self.secret_access_key)
            .map(|secret| SigningKey::sigv4(&secret))
            .and_then(|key| key.ensure_strong().map(|()| key))
            .map_err(|error| (Part::SecretAccessKey, error))?;
        let mut credentials =
            SigV4Credentials::new(id, key).map_err(|error| (Part::AccessKeyId, error))?;
        if let Some(token) = &self.session_token {
            let token = SessionToken::new(&Secret::from_bytes(token.as_bytes()));
            credentials.session_token = Some(token.map_err(|error| (Part::SessionToken, error))?);
        }
        if let Some(text) = &self.expiration {
            let end = parse_timestamp(text).map_err(|error| (Part::Expiration, error))?;
            credentials = credentials.with_expires_at(end);
        }
        Ok(credentials)
    }
}

/// Never shows the text: it may be a secret in the place of the id.
fn ensure_id(id: &str) -> Result<(), ConfigError> {
    if KeyId::is_valid(id) {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::Name,
        "expected an access key id of 1 to 128 visible ASCII characters without = , ; \" \\, found \
         another text",
    ))
}

fn parse_timestamp(text: &str) -> Result<Timestamp, ConfigError> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        ConfigError::new(
            ConfigErrorKind::Key,
            "expected a date-time of RFC 3339 with an offset, found another text",
        )
    })
}
