use super::Signer;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    keyring::Keyring,
};

impl Keyring {
    /// Refuses to verify with a secret that this process also signs with.
    ///
    /// A secret for both directions lets a request that this service sent be turned around and sent back to it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::SharedKey`] if a caller here holds the key of one of the signers.
    pub fn ensure_distinct_from(&self, signers: &[&Signer]) -> Result<(), ConfigError> {
        let snapshot = self.snapshot();
        for signer in signers {
            let fingerprints = signer.fingerprints();
            let holder = fingerprints.iter().find_map(|key| snapshot.holder_of(key));
            if let Some(caller) = holder {
                return Err(ConfigError::new(
                    ConfigErrorKind::SharedKey,
                    format!("caller {caller}: its key is one that this service signs with"),
                ));
            }
        }
        Ok(())
    }
}
