use super::FamilyVerifier;
use crate::{error::ConfigError, scheme::Scheme};

/// A scheme for a verifier to accept, with its settings. Created from a [`Scheme`] without
/// settings, or from the settings of a scheme.
#[derive(Debug)]
pub struct AcceptedScheme(Accepted);

#[derive(Debug)]
enum Accepted {
    /// Without settings.
    Plain(Scheme),
    /// With settings.
    Set(FamilyVerifier),
}

impl AcceptedScheme {
    pub(crate) fn new(verifier: FamilyVerifier) -> Self {
        Self(Accepted::Set(verifier))
    }

    /// Returns the scheme if it has no settings.
    pub(crate) fn plain(&self) -> Option<Scheme> {
        match self.0 {
            Accepted::Plain(scheme) => Some(scheme),
            Accepted::Set(_) => None,
        }
    }

    pub(crate) fn into_verifier(self) -> Result<FamilyVerifier, ConfigError> {
        match self.0 {
            Accepted::Plain(scheme) => FamilyVerifier::plain(scheme),
            Accepted::Set(verifier) => Ok(verifier),
        }
    }
}

impl From<Scheme> for AcceptedScheme {
    fn from(scheme: Scheme) -> Self {
        Self(Accepted::Plain(scheme))
    }
}
