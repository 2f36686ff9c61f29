//! Reads the targets of a TOML file.

use http::HeaderName;
use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    schema::{Target, TargetKey},
    secret_texts::SecretTexts,
    toml_text::{line, shown, validity},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, nearest},
    key::{Secret, SigningKey},
    key_id::ensure_no_key,
    scheme::Scheme,
    sign::{SharedSigner, Signer, SignerKey},
};

impl Target {
    pub(super) fn to_signer(&self) -> Result<Signer, ConfigError> {
        ensure_no_key(&self.name)?;
        if !self.keys.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!(
                    "target {}: expected one key beside its name, found targets.keys: \
                    SharedSigner::from_toml reads both",
                    self.name
                ),
            ));
        }
        self.signer(&self.own_key())
            .map_err(|error| error.within(format_args!("target {}", self.name)))
    }

    /// Returns the signer of the target, or `None` if the target is called without a signature.
    pub(super) fn to_optional_signer(
        &self,
        text: &str,
    ) -> Result<Option<SharedSigner>, ConfigError> {
        if !self.unsigned {
            return self.to_shared_signer(text).map(Some);
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

    pub(super) fn to_shared_signer(&self, text: &str) -> Result<SharedSigner, ConfigError> {
        if self.keys.is_empty() {
            return self.to_signer().map(SharedSigner::from);
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
        let key = SignerKey::new(&from.version, signer)?;
        let validity = validity(from.state, from.not_before, from.not_after)?;
        Ok(key.with_validity(validity))
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
            signer = signer.with_covered_header(name)?;
        }
        if let Some(host) = &self.signed_host {
            for authority in &self.authorities {
                signer = signer.with_signed_host(authority, host)?;
            }
        }
        Ok(signer)
    }
}

/// A key text in one of its encodings.
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

/// Lists the known targets for the error about an unknown one.
pub(super) fn known_targets(name: &str, targets: &[Spanned<Target>]) -> String {
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
