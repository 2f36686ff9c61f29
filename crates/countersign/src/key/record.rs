use super::{fingerprint::Fingerprints, strength::Weakness};
use crate::{error::ConfigError, scheme::Scheme};

/// The properties that a signing key shares with the key that verifies its signatures.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) scheme: Scheme,
    /// Of the verifying key.
    pub(super) fingerprints: Fingerprints,
    pub(super) weakness: Option<Weakness>,
}

impl Record {
    /// Refuses a weak key, unless its weakness was allowed.
    pub(super) fn ensure_strong(&self) -> Result<(), ConfigError> {
        self.weakness
            .map_or(Ok(()), |weakness| Err(weakness.into_error()))
    }
}
