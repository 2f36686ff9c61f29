//! Keyrings in TOML.

use std::{fs, path::Path};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::Keyring;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, KeyState, NonceRule, Secret, VerifyingKey},
    timestamp::Timestamp,
};

impl Keyring {
    /// Reads a keyring from TOML.
    ///
    /// ```
    /// # use countersign::{Keyring, Secret};
    /// let text = r#"
    /// [[callers]]
    /// name = "billing"
    ///
    /// [[callers.keys]]
    /// version = "2026-01"
    /// secret_hex = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a"
    /// not_after = 2026-07-01T00:00:00Z
    ///
    /// [[callers.keys]]
    /// version = "2025-10"
    /// state = "accept-only"
    /// secret_hex = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3"
    ///
    /// [[callers]]
    /// name = "audit"
    ///
    /// [[callers.keys]]
    /// version = "1"
    /// ed25519_public_key_hex = "402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38"
    /// "#;
    /// let keys = Keyring::from_toml(text)?;
    /// assert_eq!(keys.len(), 2);
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_public_key_hex` | the key; exactly one of the four | must be given |
    /// | `state` | `"active"`, `"accept-only"` or `"revoked"` | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no bound |
    /// | `nonce` | `"required"` or `"optional"` | `"required"` |
    /// | `seed_compatible` | whether the caller signs three headers and no nonce | `false` |
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, and for an unknown key; else as
    /// [`KeyringBuilder::build`](crate::KeyringBuilder::build). No error holds a key.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| wrong_toml(text, &error))?;
        let mut builder = Self::builder();
        for caller in file.callers {
            if caller.keys.is_empty() {
                return Err(ConfigError::new(
                    ConfigErrorKind::Keyring,
                    format!(
                        "caller {}: expected at least one key, found none",
                        caller.name
                    ),
                ));
            }
            for key in caller.keys {
                let place = format!("caller {}: key {}", caller.name, key.version);
                let key = key.into_caller_key().map_err(|error| error.within(place))?;
                builder = builder.caller(caller.name.as_str(), key);
            }
        }
        builder.build()
    }

    /// Reads a keyring from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| {
                ConfigError::new(
                    ConfigErrorKind::File,
                    format!("{}: cannot be read", path.display()),
                )
                .with_source(error)
            })?;
        Self::from_toml(&text).map_err(|error| error.within(path.display()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    callers: Vec<Caller>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    name: String,
    #[serde(default)]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    secret_hex: Option<Zeroizing<String>>,
    secret_base64: Option<Zeroizing<String>>,
    secret_text: Option<Zeroizing<String>>,
    ed25519_public_key_hex: Option<String>,
    #[serde(default)]
    state: State,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
    #[serde(default)]
    nonce: Nonce,
    #[serde(default)]
    seed_compatible: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    #[default]
    Active,
    AcceptOnly,
    Revoked,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Nonce {
    #[default]
    Required,
    Optional,
}

impl Key {
    fn into_caller_key(self) -> Result<CallerKey, ConfigError> {
        let key = self.verifying_key()?;
        let mut key = CallerKey::new(&self.version, key)?;
        if self.seed_compatible {
            key = key.seed_compatible();
        }
        if let Nonce::Optional = self.nonce {
            key = key.with_nonce(NonceRule::Optional);
        }
        if let Some(not_before) = self.not_before {
            key = key.with_not_before(moment("not_before", not_before)?);
        }
        if let Some(not_after) = self.not_after {
            key = key.with_not_after(moment("not_after", not_after)?);
        }
        Ok(key.with_state(match self.state {
            State::Active => KeyState::Active,
            State::AcceptOnly => KeyState::AcceptOnly,
            State::Revoked => KeyState::Revoked,
        }))
    }

    fn verifying_key(&self) -> Result<VerifyingKey, ConfigError> {
        match (
            &self.secret_hex,
            &self.secret_base64,
            &self.secret_text,
            &self.ed25519_public_key_hex,
        ) {
            (Some(hex), None, None, None) => {
                Secret::from_hex(hex).map(|secret| VerifyingKey::hmac_sha256(&secret))
            }
            (None, Some(base64), None, None) => {
                Secret::from_base64(base64).map(|secret| VerifyingKey::hmac_sha256(&secret))
            }
            (None, None, Some(text), None) => {
                Ok(VerifyingKey::hmac_sha256(&Secret::from_text(text)))
            }
            (None, None, None, Some(hex)) => VerifyingKey::ed25519_from_hex(hex),
            _ => Err(ConfigError::new(
                ConfigErrorKind::Key,
                "expected exactly one of secret_hex, secret_base64, secret_text, ed25519_public_key_hex",
            )),
        }
    }
}

fn moment(name: &str, datetime: toml::value::Datetime) -> Result<Timestamp, ConfigError> {
    let text = datetime.to_string();
    text.parse::<jiff::Timestamp>()
        .map(|moment| Timestamp::from_unix_micros(moment.as_microsecond()))
        .map_err(|_| {
            ConfigError::new(
                ConfigErrorKind::File,
                format!("{name}: expected a date-time with an offset, found {text}"),
            )
        })
}

/// The parser's own text shows the line it stopped at, which may hold a key: only its number is told.
fn wrong_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let line = error.span().map_or(1, |span| {
        let before = text.as_bytes().iter().take(span.start);
        before
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_add(1)
    });
    ConfigError::new(
        ConfigErrorKind::File,
        format!("line {line}: expected TOML with [[callers]] and their [[callers.keys]]"),
    )
}
