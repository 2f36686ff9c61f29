use super::Signer;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    keyring::Keyring,
};

impl Keyring {
    /// Refuses to verify with a secret that this process also signs with.
    ///
    /// With one secret for both directions, a request that this service sent could be sent back to
    /// it.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::SharedKey`] if a caller of this keyring has the key of one of the
    /// signers.
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
