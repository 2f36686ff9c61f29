//! Keys that are made up for this run.

use countersign::{CallerKey, ConfigError, Keyring, Secret, SigningKey};
use tower_countersign::BoxError;

/// The name that billing signs as.
pub(crate) const CALLER: &str = "billing";

/// A caller that may read and nothing else.
pub(crate) const READER: &str = "reporting";

/// A key that the two services share.
pub(crate) struct SharedKey {
    version: &'static str,
    hex: String,
}

impl SharedKey {
    /// 32 random bytes, as `openssl rand -hex 32` makes them.
    pub(crate) fn generate(version: &'static str) -> Result<Self, BoxError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            version,
            hex: base16ct::lower::encode_string(&bytes),
        })
    }

    /// 64 hexadecimal digits, to be shown to whoever runs the demo.
    pub(crate) fn hex(&self) -> &str {
        &self.hex
    }

    /// The caller's side of the key.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        Ok(SigningKey::hmac_sha256(&Secret::from_hex(&self.hex)?))
    }

    fn caller_key(&self) -> Result<CallerKey, ConfigError> {
        CallerKey::new(self.version, self.signing_key()?.verifying_key())
    }
}

/// The receiver's side: billing with these keys, and reporting with its one.
pub(crate) fn keyring(billing: &[&SharedKey], reader: &SharedKey) -> Result<Keyring, ConfigError> {
    let mut builder = Keyring::builder().caller(READER, reader.caller_key()?);
    for key in billing {
        builder = builder.caller(CALLER, key.caller_key()?);
    }
    builder.build()
}
