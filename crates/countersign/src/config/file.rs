//! Keys in TOML: those of the callers.

use std::{collections::HashSet, path::Path};

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    derived::Derived,
    targets::Target,
    toml_text::{line, parse, unknown},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, KeyState, Secret, SigningKey, VerifyingKey, public_key_from_hex},
    key_id::{KeyId, ensure_no_key},
    keyring::{Keyring, KeyringBuilder},
    read_text::read_text,
    scheme::{Algorithm, NonceRule, Scheme},
    sign::Signer,
    timestamp::Timestamp,
};

impl Keyring {
    /// Reads a keyring from the `callers` of a TOML text.
    ///
    /// ```
    /// # use countersign::Keyring;
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[callers]]
    /// name = "billing"
    ///
    /// [[callers.keys]]
    /// version = "2026-01"
    /// secret_hex = "<64 hexadecimal digits>"
    /// not_after = 2026-07-01T00:00:00Z
    ///
    /// [[callers.keys]]
    /// version = "2025-10"
    /// state = "accept-only"
    /// secret_hex = "<64 other digits>"
    ///
    /// [[callers]]
    /// name = "audit"
    ///
    /// [[callers.keys]]
    /// version = "1"
    /// ed25519_public_key_hex = "402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38"
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let keys = Keyring::from_toml(text)?;
    /// assert_eq!(keys.len(), 2);
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `callers.keys` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_public_key_hex` | the key, by [the rule for texts](Secret#the-text-of-a-key); exactly one of the four. Of Standard Webhooks, `secret_base64` may begin with `whsec_`, and `secret_text` is the secret itself | must be given |
    /// | `scheme` | the name of the [`Scheme`] that the key is for | `"ED25519"` for a public key, else `"HMAC-SHA256"` |
    /// | `key_id` | the name by which requests call for this key, such as an access key id | the caller's name |
    /// | `state` | `"active"`, `"accept-only"` or `"revoked"` | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no bound |
    /// | `nonce` | `"required"` or `"optional"` | `"required"`, but for schemes whose clients know no nonce |
    /// | `insecure_three_headers` | whether the caller signs three headers and no nonce | `false` |
    ///
    /// If the text also holds [`targets`](crate::SharedSigner::from_toml), no key of theirs may be a caller's. One with roots is
    /// read by [`DerivedKeyring::from_toml`](crate::DerivedKeyring::from_toml) and refused here.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, and for an unknown key or value; else as
    /// [`KeyringBuilder::build`](crate::KeyringBuilder::build) and
    /// [`ensure_distinct_from`](Self::ensure_distinct_from). Errors say the line, what is known, and the nearest known name.
    /// No error holds a key.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file = File::parse(text)?;
        if file.derived.is_some() {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                "derived: expected none beside keys that are all listed, found it: DerivedKeyring::from_toml reads both",
            ));
        }
        let keyring = add(Self::builder(), text, file.callers)?.build()?;
        ensure_distinct(text, file.targets, |signer| {
            keyring.ensure_distinct_from(&[signer])
        })?;
        Ok(keyring)
    }

    /// Reads a keyring from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read, is none or is longer than 16 MiB; else as
    /// [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?).map_err(|error| error.within(path.display()))
    }
}

impl KeyringBuilder {
    /// Adds the callers of a TOML file as [`Keyring::from_toml_file`] reads them, for a service that also has keys from
    /// elsewhere. Keys of the file's targets are compared with its own callers'.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_toml_file`], but for what only [`build`](Self::build) finds.
    pub fn callers_from_toml_file(self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let add_file = || {
            let text = read_text(path)?;
            // The whole file by itself first: what it says of its targets is held against its callers.
            Keyring::from_toml(&text)?;
            add(self, &text, File::parse(&text)?.callers)
        };
        add_file().map_err(|error| error.within(path.display()))
    }
}

/// Holds every key of the targets against what the same text verifies with.
pub(super) fn ensure_distinct(
    text: &str,
    targets: Vec<Spanned<Target>>,
    check: impl Fn(&Signer) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for target in targets {
        let place = line(text, &target.span());
        let target = target.into_inner();
        let name = target.name.clone();
        ensure_no_key(&name).map_err(|error| error.within(&place))?;
        if !seen.insert(name.clone()) {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!("{place}: target {name}: expected once in the file, found twice"),
            ));
        }
        let signer = target.into_optional_signer(text);
        if let Some(signer) = signer.map_err(|error| error.within(&place))? {
            signer
                .try_for_each(&check)
                .map_err(|error| error.within(format_args!("{place}: target {name}")))?;
        }
    }
    Ok(())
}

pub(super) fn add(
    mut builder: KeyringBuilder,
    text: &str,
    callers: Vec<Spanned<Caller>>,
) -> Result<KeyringBuilder, ConfigError> {
    let mut seen = HashSet::new();
    for caller in callers {
        let place = line(text, &caller.span());
        let caller = caller.into_inner();
        ensure_no_key(&caller.name)
            .and_then(|()| KeyId::new(&caller.name))
            .map_err(|error| error.within(&place))?;
        let wrong = |kind, problem: &str| {
            let message = format!("{place}: caller {}: {problem}", caller.name);
            ConfigError::new(kind, message)
        };
        if !seen.insert(caller.name.clone()) {
            let problem = "expected once in the file, found twice";
            return Err(wrong(ConfigErrorKind::File, problem));
        }
        if caller.keys.is_empty() {
            let problem = "expected at least one key, found none";
            return Err(wrong(ConfigErrorKind::Keyring, problem));
        }
        for key in caller.keys {
            let place = line(text, &key.span());
            let key = key.into_inner();
            ensure_no_key(&key.version).map_err(|error| error.within(&place))?;
            let place = format!("{place}: caller {}: key {}", caller.name, key.version);
            let key = key.into_caller_key().map_err(|error| error.within(place))?;
            builder = builder.caller(caller.name.as_str(), key);
        }
    }
    Ok(builder)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) callers: Vec<Spanned<Caller>>,
    #[serde(default)]
    pub(super) targets: Vec<Spanned<Target>>,
    pub(super) derived: Option<Derived>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    name: String,
    #[serde(default)]
    keys: Vec<Spanned<Key>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    version: String,
    scheme: Option<String>,
    #[serde(rename = "key_id")]
    id: Option<Zeroizing<String>>,
    secret_hex: Option<Zeroizing<String>>,
    secret_base64: Option<Zeroizing<String>>,
    secret_text: Option<Zeroizing<String>>,
    ed25519_public_key_hex: Option<String>,
    #[serde(default)]
    state: State,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
    nonce: Option<Nonce>,
    #[serde(default)]
    insecure_three_headers: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    #[default]
    Active,
    AcceptOnly,
    Revoked,
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::AcceptOnly => Self::AcceptOnly,
            State::Revoked => Self::Revoked,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Nonce {
    Required,
    Optional,
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        parse(text)
    }
}

impl Key {
    fn into_caller_key(self) -> Result<CallerKey, ConfigError> {
        let key = self.verifying_key()?;
        key.ensure_strong()?;
        let mut key = CallerKey::new(&self.version, key)?;
        if self.insecure_three_headers {
            key = key.insecure_three_headers();
        }
        if let Some(key_id) = &self.id {
            ensure_no_key(key_id)?;
            key = key.with_key_id(key_id)?;
        }
        if let Some(nonce) = self.nonce {
            key = key.with_nonce(match nonce {
                Nonce::Required => NonceRule::Required,
                Nonce::Optional => NonceRule::Optional,
            });
        }
        if let Some(not_before) = self.not_before {
            key = key.with_not_before(parse_timestamp("not_before", not_before)?);
        }
        if let Some(not_after) = self.not_after {
            key = key.with_not_after(parse_timestamp("not_after", not_after)?);
        }
        Ok(key.with_state(self.state.into()))
    }

    fn verifying_key(&self) -> Result<VerifyingKey, ConfigError> {
        let texts = self.texts();
        match (texts.is_given(), &self.ed25519_public_key_hex) {
            (true, None) => {
                let scheme = self.scheme_or(Scheme::HmacSha256)?;
                let secret = texts.secret(scheme)?;
                SigningKey::in_scheme(scheme, Algorithm::HmacSha256, &secret)
                    .map(|key| key.verifying_key())
                    .ok_or_else(|| no_such_keys(scheme, "a secret"))
            }
            (false, Some(hex)) => {
                let scheme = self.scheme_or(Scheme::Ed25519)?;
                if !scheme.definition().algorithms.contains(&Algorithm::Ed25519) {
                    return Err(no_such_keys(scheme, "a public key"));
                }
                public_key_from_hex(hex)
                    .and_then(|point| VerifyingKey::ed25519_in(scheme, &point))
                    .map_err(|error| error.within("ed25519_public_key_hex"))
            }
            _ => Err(texts.not_one(&[(
                "ed25519_public_key_hex",
                self.ed25519_public_key_hex.is_some(),
            )])),
        }
    }

    fn texts(&self) -> SecretTexts<'_> {
        SecretTexts {
            hex: &self.secret_hex,
            base64: &self.secret_base64,
            text: &self.secret_text,
        }
    }

    fn scheme_or(&self, default: Scheme) -> Result<Scheme, ConfigError> {
        let Some(name) = &self.scheme else {
            return Ok(default);
        };
        let mut schemes = Scheme::ALL.iter().copied();
        schemes.find(|scheme| scheme.name() == name).ok_or_else(|| {
            let names: Vec<_> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
            ConfigError::new(ConfigErrorKind::File, unknown("scheme", name, &names))
        })
    }
}

fn no_such_keys(scheme: Scheme, found: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Key,
        format!("scheme {scheme}: expected a key of another kind, found {found}"),
    )
}

/// The members of a table that can hold a secret.
pub(super) struct SecretTexts<'t> {
    pub(super) hex: &'t Option<Zeroizing<String>>,
    pub(super) base64: &'t Option<Zeroizing<String>>,
    pub(super) text: &'t Option<Zeroizing<String>>,
}

impl SecretTexts<'_> {
    const NAMES: [&'static str; 3] = ["secret_hex", "secret_base64", "secret_text"];

    /// Whether the table holds one of them, or more.
    pub(super) fn is_given(&self) -> bool {
        self.given().next().is_some()
    }

    fn given(&self) -> impl Iterator<Item = &'static str> {
        let is_given = [self.hex, self.base64, self.text].map(Option::is_some);
        Self::NAMES
            .into_iter()
            .zip(is_given)
            .filter_map(|(name, is_given)| is_given.then_some(name))
    }

    /// The one secret, in the encoding that its name says and as keys of this scheme are written.
    pub(super) fn secret(&self, scheme: Scheme) -> Result<Secret, ConfigError> {
        let [hex, base64, text] = Self::NAMES;
        let is_webhook = scheme == Scheme::StandardWebhooks;
        match (self.hex, self.base64, self.text) {
            (Some(given), None, None) => Secret::from_hex(given).map_err(|error| error.within(hex)),
            (None, Some(given), None) => {
                let read = if is_webhook {
                    Secret::from_webhook_secret
                } else {
                    Secret::from_base64
                };
                read(given).map_err(|error| error.within(base64))
            }
            (None, None, Some(given)) => {
                let read = if is_webhook {
                    Secret::from_webhook_text
                } else {
                    Secret::from_text
                };
                read(given).map_err(|error| error.within(text))
            }
            _ => Err(self.not_one(&[])),
        }
    }

    /// Says that a table holds no key or several. `others` are its members for keys of another kind, and whether each is
    /// given.
    pub(super) fn not_one(&self, others: &[(&'static str, bool)]) -> ConfigError {
        let known = Self::NAMES.into_iter();
        let known: Vec<_> = known.chain(others.iter().map(|(name, _)| *name)).collect();
        let given = others.iter().filter(|(_, is_given)| *is_given);
        let found: Vec<_> = self.given().chain(given.map(|(name, _)| *name)).collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(" and ")
        };
        ConfigError::new(
            ConfigErrorKind::Key,
            format!(
                "expected exactly one of {}, found {found}",
                known.join(", ")
            ),
        )
    }
}

pub(super) fn parse_timestamp(
    name: &str,
    datetime: toml::value::Datetime,
) -> Result<Timestamp, ConfigError> {
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
