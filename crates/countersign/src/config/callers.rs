//! Reads the callers of a file into a keyring.

use std::collections::HashSet;

use toml::Spanned;

use super::{
    schema::{Caller, Key, Nonce},
    secret_texts::SecretTexts,
    toml_text::{line, unknown, validity},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, SigningKey, VerifyingKey, public_key_from_hex},
    key_id::{KeyId, ensure_no_key},
    keyring::KeyringBuilder,
    scheme::{Algorithm, NonceRule, Scheme},
};

pub(super) fn add(
    mut builder: KeyringBuilder,
    text: &str,
    callers: &[Spanned<Caller>],
) -> Result<KeyringBuilder, ConfigError> {
    let mut seen = HashSet::new();
    for caller in callers {
        let place = line(text, &caller.span());
        let caller = caller.get_ref();
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
        for key in &caller.keys {
            let place = line(text, &key.span());
            let key = key.get_ref();
            ensure_no_key(&key.version).map_err(|error| error.within(&place))?;
            let place = format!("{place}: caller {}: key {}", caller.name, key.version);
            let key = key.caller_key().map_err(|error| error.within(place))?;
            builder = builder.caller(caller.name.as_str(), key);
        }
    }
    Ok(builder)
}

impl Key {
    fn caller_key(&self) -> Result<CallerKey, ConfigError> {
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
        let validity = validity(self.state, self.not_before, self.not_after)?;
        Ok(key.with_validity(validity))
    }

    fn verifying_key(&self) -> Result<VerifyingKey, ConfigError> {
        let texts = self.texts();
        match (texts.is_given(), &self.ed25519_public_key_hex) {
            (true, None) => {
                let scheme = self.scheme_or(Scheme::HmacSha256)?;
                let secret = texts.secret(scheme)?;
                SigningKey::in_scheme(scheme, Algorithm::HmacSha256, &secret)
                    .map(|key| key.verifying_key().keeping(&secret))
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
