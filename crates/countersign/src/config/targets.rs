//! Keys in TOML: those of the targets.

use std::path::Path;

use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    derived::Verifying,
    file::{File, SecretTexts, State, parse_timestamp},
    toml_text::{line, shown},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, nearest},
    key::{Secret, SigningKey},
    key_id::ensure_no_key,
    read_text::read_text,
    scheme::Scheme,
    sign::{SharedSigner, Signer, SignerKey, TargetSigners},
};

impl SharedSigner {
    /// Reads the keys for one target from the `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::{SharedSigner, Timestamp};
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    ///
    /// [[targets.keys]]
    /// version = "2025-10"
    /// secret_hex = "<64 hexadecimal digits>"
    ///
    /// [[targets.keys]]
    /// version = "2026-01"
    /// not_before = 2026-01-01T00:00:00Z
    /// secret_hex = "<64 other digits>"
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let signer = SharedSigner::from_toml(text, "user-service")?;
    /// assert_eq!(signer.version_at(Timestamp::from_unix_seconds(1_767_323_045)).unwrap(), "2026-01");
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the keys that [`Signer::from_toml`] lists, with its one key beside its name, or in their place up to
    /// [`MAX_KEYS`](Self::MAX_KEYS) of these:
    ///
    /// | key of `targets.keys` | value | default |
    /// |---|---|---|
    /// | `version` | the label of the key | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_seed_hex` | the key; exactly one of the four | must be given |
    /// | `state` | `"active"`, or `"accept-only"` or `"revoked"`, which sign nothing | `"active"` |
    /// | `not_before`, `not_after` | a TOML date-time with an offset | no bound |
    ///
    /// # Errors
    ///
    /// As [`Signer::from_toml`] and [`new`](Self::new).
    pub fn from_toml(text: &str, target: &str) -> Result<Self, ConfigError> {
        let (target, verifying) = Target::find(text, target)?;
        let place = line(text, &target.span());
        let signer = target.into_inner().into_shared_signer(text);
        let signer = signer.map_err(|error| error.within(place))?;
        signer.try_for_each(|signer| verifying.ensure_distinct_from(signer))?;
        Ok(signer)
    }

    /// Reads the keys for one target from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>, target: &str) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, target).map_err(|error| error.within(path.display()))
    }
}

impl TargetSigners {
    /// Reads all `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::TargetSigners;
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    /// secret_hex = "<64 hexadecimal digits>"
    ///
    /// [[targets]]
    /// name = "audit"
    /// caller = "billing"
    /// authorities = ["audit.internal:8082"]
    /// secret_hex = "<64 other digits>"
    ///
    /// [[targets]]
    /// name = "metrics"
    /// authorities = ["metrics.internal:9090"]
    /// unsigned = true
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1)).replace("<64 other digits>", &digits(2));
    /// let signers = TargetSigners::from_toml(text)?;
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// A target has the settings that [`SharedSigner::from_toml`] lists. One with `unsigned = true`
    /// has its `name` and `authorities` and no other setting.
    ///
    /// # Errors
    ///
    /// As [`SharedSigner::from_toml`] for each target, and as
    /// [`TargetSignersBuilder::build`](crate::TargetSignersBuilder::build).
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file = File::parse(text)?;
        let verifying = Verifying::of(text, file.callers, file.derived)?;
        let mut builder = Self::builder();
        for target in file.targets {
            let place = line(text, &target.span());
            let target = target.into_inner();
            let (name, authorities) = (target.name.clone(), target.authorities.clone());
            let signer = target.into_optional_signer(text);
            builder = match signer.map_err(|error| error.within(&place))? {
                Some(signer) => {
                    signer
                        .try_for_each(|signer| verifying.ensure_distinct_from(signer))
                        .map_err(|error| error.within(format_args!("{place}: target {name}")))?;
                    builder.target(&name, signer)
                }
                None => builder.unsigned(&name, authorities),
            };
        }
        builder.build()
    }

    /// Reads all `targets` of a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as
    /// [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?).map_err(|error| error.within(path.display()))
    }
}

impl Signer {
    /// Reads the signer for one target from the `targets` of a TOML text.
    ///
    /// ```
    /// # use countersign::Signer;
    /// # let digits = |seed: u8| (0..32).map(|n: u8| format!("{:02x}", n.wrapping_mul(167) ^ seed)).collect::<String>();
    /// let text = r#"
    /// [[targets]]
    /// name = "user-service"
    /// caller = "billing"
    /// authorities = ["user-service.internal:8081"]
    /// secret_hex = "<64 hexadecimal digits>"
    /// "#;
    /// # let text = &text.replace("<64 hexadecimal digits>", &digits(1));
    /// let signer = Signer::from_toml(text, "user-service")?;
    /// assert_eq!(signer.caller().unwrap(), &"billing");
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `targets` | value | default |
    /// |---|---|---|
    /// | `name` | what this service calls the target | must be given |
    /// | `caller` | the name that the target knows this service by | must be given |
    /// | `authorities` | the hosts, with their ports, to sign for | must be given |
    /// | `secret_hex`, `secret_base64`, `secret_text` or `ed25519_seed_hex` | the key; exactly one of the four | must be given |
    /// | `covering` | further headers to cover | none |
    /// | `signed_host` | the host that is signed and sent in place of the URL's: see [`with_signed_host`](Self::with_signed_host) | the URL's |
    /// | `insecure_three_headers` | whether the target knows three headers and no nonce | `false` |
    /// | `unsigned` | whether the target is called without a signature: see [`TargetSigners::from_toml`] | `false` |
    ///
    /// A target with several keys is read by [`SharedSigner::from_toml`]. If the text also holds
    /// [`callers`](crate::Keyring::from_toml) or [roots](crate::DerivedKeyring::from_toml), the key may be none of theirs.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, with its line, or has not exactly one such target
    /// with one key; else as [`new`](Self::new), [`covering`](Self::covering) and [`Keyring::ensure_distinct_from`](crate::Keyring::ensure_distinct_from). No error holds a
    /// key.
    pub fn from_toml(text: &str, target: &str) -> Result<Self, ConfigError> {
        let (target, verifying) = Target::find(text, target)?;
        let place = line(text, &target.span());
        let signer = target.into_inner().into_signer();
        let signer = signer.map_err(|error| error.within(place))?;
        verifying.ensure_distinct_from(&signer)?;
        Ok(signer)
    }

    /// Reads the signer for one target from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read; else as [`from_toml`](Self::from_toml), naming the file.
    pub fn from_toml_file(path: impl AsRef<Path>, target: &str) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?, target).map_err(|error| error.within(path.display()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) name: String,
    caller: Option<String>,
    authorities: Vec<String>,
    secret_hex: Option<Zeroizing<String>>,
    secret_base64: Option<Zeroizing<String>>,
    secret_text: Option<Zeroizing<String>>,
    ed25519_seed_hex: Option<Zeroizing<String>>,
    #[serde(default)]
    keys: Vec<Spanned<TargetKey>>,
    #[serde(default)]
    covering: Vec<String>,
    signed_host: Option<String>,
    #[serde(default)]
    insecure_three_headers: bool,
    #[serde(default)]
    unsigned: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetKey {
    version: String,
    secret_hex: Option<Zeroizing<String>>,
    secret_base64: Option<Zeroizing<String>>,
    secret_text: Option<Zeroizing<String>>,
    ed25519_seed_hex: Option<Zeroizing<String>>,
    #[serde(default)]
    state: State,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
}

impl Target {
    /// The one of this name, and what the same text verifies with.
    fn find(text: &str, name: &str) -> Result<(Spanned<Self>, Verifying), ConfigError> {
        let file = File::parse(text)?;
        let is_named = |target: &Spanned<Self>| target.get_ref().name == name;
        let (mut of_name, others): (Vec<_>, Vec<_>) = file.targets.into_iter().partition(is_named);
        let found = of_name.pop();
        let wrong = |found: String| {
            ConfigError::new(
                ConfigErrorKind::File,
                format!("target {name:?}: expected once in the file, found {found}"),
            )
        };
        let Some(found) = found else {
            return Err(wrong(format!("none{}", known_targets(name, &others))));
        };
        if let Some(other) = of_name.pop() {
            let [first, second] = [&other, &found].map(|target| line(text, &target.span()));
            return Err(wrong(format!("it at {first} and at {second}")));
        }
        let verifying = Verifying::of(text, file.callers, file.derived)?;
        Ok((found, verifying))
    }

    fn into_signer(self) -> Result<Signer, ConfigError> {
        ensure_no_key(&self.name)?;
        if !self.keys.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!(
                    "target {}: expected one key beside its name, found targets.keys: SharedSigner::from_toml reads both",
                    self.name
                ),
            ));
        }
        self.signer(&self.own_key())
            .map_err(|error| error.within(format_args!("target {}", self.name)))
    }

    /// Returns the signer of the target, or `None` if the target is called without a signature.
    pub(super) fn into_optional_signer(
        self,
        text: &str,
    ) -> Result<Option<SharedSigner>, ConfigError> {
        if !self.unsigned {
            return self.into_shared_signer(text).map(Some);
        }
        ensure_no_key(&self.name)?;
        let signing = [
            ("caller", self.caller.is_some()),
            ("a key", self.own_key().is_given()),
            ("keys", !self.keys.is_empty()),
            ("covering", !self.covering.is_empty()),
            ("signed_host", self.signed_host.is_some()),
            ("insecure_three_headers", self.insecure_three_headers),
        ];
        match signing.into_iter().find(|(_, is_set)| *is_set) {
            None => Ok(None),
            Some((setting, _)) => Err(ConfigError::new(
                ConfigErrorKind::File,
                format!(
                    "target {}: expected unsigned without {setting}, found both",
                    self.name
                ),
            )),
        }
    }

    fn into_shared_signer(self, text: &str) -> Result<SharedSigner, ConfigError> {
        if self.keys.is_empty() {
            return self.into_signer().map(SharedSigner::from);
        }
        ensure_no_key(&self.name)?;
        self.shared_signer(text)
            .map_err(|error| error.within(format_args!("target {}", self.name)))
    }

    fn shared_signer(&self, text: &str) -> Result<SharedSigner, ConfigError> {
        if self.own_key().is_given() {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                "expected a key beside the name or targets.keys, found both",
            ));
        }
        let mut keys = Vec::new();
        for key in &self.keys {
            let place = line(text, &key.span());
            let key = key.get_ref();
            ensure_no_key(&key.version).map_err(|error| error.within(&place))?;
            let place = format!("key {} ({place})", key.version);
            let key = self.signer_key(key).map_err(|error| error.within(place))?;
            keys.push(key);
        }
        SharedSigner::new(keys)
    }

    fn signer_key(&self, from: &TargetKey) -> Result<SignerKey, ConfigError> {
        let signer = self.signer(&Material {
            secrets: SecretTexts {
                hex: &from.secret_hex,
                base64: &from.secret_base64,
                text: &from.secret_text,
            },
            ed25519_seed_hex: &from.ed25519_seed_hex,
        })?;
        let mut key = SignerKey::new(&from.version, signer)?.with_state(from.state.into());
        if let Some(not_before) = from.not_before {
            key = key.with_not_before(parse_timestamp("not_before", not_before)?);
        }
        if let Some(not_after) = from.not_after {
            key = key.with_not_after(parse_timestamp("not_after", not_after)?);
        }
        Ok(key)
    }

    fn own_key(&self) -> Material<'_> {
        Material {
            secrets: SecretTexts {
                hex: &self.secret_hex,
                base64: &self.secret_base64,
                text: &self.secret_text,
            },
            ed25519_seed_hex: &self.ed25519_seed_hex,
        }
    }

    fn signer(&self, material: &Material<'_>) -> Result<Signer, ConfigError> {
        if self.unsigned {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                "expected a target with a key, found unsigned = true",
            ));
        }
        let caller = self.caller.as_deref().ok_or_else(|| {
            ConfigError::new(
                ConfigErrorKind::File,
                "caller: expected the name that the target knows this service by, found none",
            )
        })?;
        let mut signer = Signer::new(caller, material.signing_key()?, &self.authorities)?;
        if self.insecure_three_headers {
            signer = signer.insecure_three_headers();
        }
        for name in &self.covering {
            let name = HeaderName::try_from(name).map_err(|_| {
                let message = format!("covering: expected a header name, found {name:?}");
                ConfigError::new(ConfigErrorKind::Coverage, message)
            })?;
            signer = signer.covering(name)?;
        }
        if let Some(host) = &self.signed_host {
            for authority in &self.authorities {
                signer = signer.with_signed_host(authority, host)?;
            }
        }
        Ok(signer)
    }
}

/// A key in whichever of its encodings.
struct Material<'t> {
    secrets: SecretTexts<'t>,
    ed25519_seed_hex: &'t Option<Zeroizing<String>>,
}

impl Material<'_> {
    const SEED: &'static str = "ed25519_seed_hex";

    fn is_given(&self) -> bool {
        self.secrets.is_given() || self.ed25519_seed_hex.is_some()
    }

    fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        match (self.secrets.is_given(), self.ed25519_seed_hex) {
            (true, None) => {
                let secret = self.secrets.secret(Scheme::HmacSha256)?;
                Ok(SigningKey::hmac_sha256(&secret))
            }
            (false, Some(hex)) => Secret::from_hex(hex)
                .and_then(|seed| SigningKey::ed25519(&seed))
                .map_err(|error| error.within(Self::SEED)),
            _ => Err(self
                .secrets
                .not_one(&[(Self::SEED, self.ed25519_seed_hex.is_some())])),
        }
    }
}

/// The targets that there are, for an error about one that there is not.
fn known_targets(name: &str, targets: &[Spanned<Target>]) -> String {
    let names: Vec<&str> = targets
        .iter()
        .map(|target| target.get_ref().name.as_str())
        .filter(|name| !shown(name).is_empty())
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let near = match nearest(name, names.iter().copied()) {
        Some(near) => format!(" (did you mean {near}?)"),
        None => String::new(),
    };
    format!(" but {}{near}", names.join(", "))
}
