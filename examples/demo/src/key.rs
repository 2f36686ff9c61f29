//! Random keys for one run.

use countersign::{CallerKey, ConfigError, Keyring, Secret, SigningKey};
use tower_countersign::BoxError;

/// The name with which billing signs.
pub(crate) const CALLER: &str = "billing";

/// A caller that may only read.
pub(crate) const READER: &str = "reporting";

/// A key that two services share.
pub(crate) struct SharedKey {
    version: &'static str,
    hex: String,
}

impl SharedKey {
    /// Generates 32 random bytes, like `openssl rand`.
    pub(crate) fn generate(version: &'static str) -> Result<Self, BoxError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            version,
            hex: base16ct::lower::encode_string(&bytes),
        })
    }

    /// Returns the 64 hexadecimal digits, which the demo prints.
    pub(crate) fn hex(&self) -> &str {
        &self.hex
    }

    /// Returns the caller's side of the key.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        Ok(SigningKey::hmac_sha256(&Secret::from_hex(&self.hex)?))
    }

    fn caller_key(&self) -> Result<CallerKey, ConfigError> {
        CallerKey::new(self.version, self.signing_key()?.verifying_key())
    }
}

/// Returns the receiver's side: billing with these keys, and reporting with its key.
pub(crate) fn keyring(billing: &[&SharedKey], reader: &SharedKey) -> Result<Keyring, ConfigError> {
    let mut builder = Keyring::builder().caller(READER, reader.caller_key()?);
    for key in billing {
        builder = builder.caller(CALLER, key.caller_key()?);
    }
    builder.build()
}
