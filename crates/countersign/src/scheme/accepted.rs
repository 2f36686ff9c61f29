use super::{Profile, Scheme};
use crate::error::ConfigError;

/// A scheme that a verifier is to accept, with its settings. Made from a [`Scheme`] that needs none, or from the settings
/// of one that has some.
#[derive(Debug)]
pub struct AcceptedScheme(Accepted);

#[derive(Debug)]
enum Accepted {
    /// As it is.
    Plain(Scheme),
    /// With settings.
    Set(Profile),
}

impl AcceptedScheme {
    pub(crate) fn new(profile: impl Into<Profile>) -> Self {
        Self(Accepted::Set(profile.into()))
    }

    /// The scheme, if nothing is said of its settings.
    pub(crate) fn plain(&self) -> Option<Scheme> {
        match self.0 {
            Accepted::Plain(scheme) => Some(scheme),
            Accepted::Set(_) => None,
        }
    }

    pub(crate) fn into_profile(self) -> Result<Profile, ConfigError> {
        match self.0 {
            Accepted::Plain(scheme) => scheme.plain_profile(),
            Accepted::Set(profile) => Ok(profile),
        }
    }
}

impl From<Scheme> for AcceptedScheme {
    fn from(scheme: Scheme) -> Self {
        Self(Accepted::Plain(scheme))
    }
}
