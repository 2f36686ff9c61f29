use super::{Profile, Scheme};
use crate::error::ConfigError;

/// A scheme that a verifier is to accept, with its settings. Made from a [`Scheme`] that needs none, or from the settings
/// of one that has some.
#[derive(Debug)]
pub struct AcceptedScheme(Result<Profile, ConfigError>);

impl AcceptedScheme {
    pub(crate) fn new(profile: Result<Profile, ConfigError>) -> Self {
        Self(profile)
    }

    pub(crate) fn into_profile(self) -> Result<Profile, ConfigError> {
        self.0
    }
}

impl From<Scheme> for AcceptedScheme {
    fn from(scheme: Scheme) -> Self {
        Self(scheme.plain_profile())
    }
}
