//! Random keys for one run.

use std::fmt;

use countersign::{CallerKey, ConfigError, Secret, SigningKey};
use tower_countersign::BoxError;

/// A key that two services share.
pub struct SharedKey {
    version: &'static str,
    hex: String,
}

impl SharedKey {
    /// Generates 32 random bytes, like `openssl rand`.
    ///
    /// # Errors
    ///
    /// If the operating system has no random bytes.
    pub fn generate(version: &'static str) -> Result<Self, BoxError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            version,
            hex: base16ct::lower::encode_string(&bytes),
        })
    }

    /// Returns the 64 hexadecimal digits, which the demo prints.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// Returns the caller's side of the key.
    ///
    /// # Errors
    ///
    /// None: 32 random bytes are a strong key.
    pub fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        Ok(SigningKey::hmac_sha256(&Secret::from_hex(&self.hex)?))
    }

    /// Returns the receiver's side.
    ///
    /// # Errors
    ///
    /// If the version is no version.
    pub fn caller_key(&self) -> Result<CallerKey, ConfigError> {
        CallerKey::new(self.version, self.signing_key()?.verifying_key())
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = &self.version;
        f.debug_struct("SharedKey")
            .field("version", version)
            .finish_non_exhaustive()
    }
}
