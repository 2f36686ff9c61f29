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
    key::{CallerKey, Jwk, JwkSet, Secret, SigningKey, VerifyingKey, public_key_from_hex},
    key_id::{KeyId, ensure_no_key},
    key_version::KeyVersion,
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
        if caller.keys.is_empty() && caller.public_key_jwks.is_none() {
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
        if let Some(set) = &caller.public_key_jwks {
            let place = format!("{}: caller {}", line(text, &set.span()), caller.name);
            let keys = keys_of_set(set.get_ref()).map_err(|error| error.within(place))?;
            for key in keys {
                builder = builder.caller(caller.name.as_str(), key);
            }
        }
    }
    Ok(builder)
}

/// Makes the keys of a set: each is known by its `kid`, or by its thumbprint.
fn keys_of_set(text: &str) -> Result<Vec<CallerKey>, ConfigError> {
    let set = JwkSet::parse(text)?;
    // In a file that the operator wrote, a key that cannot be used is a mistake.
    if let Some((place, problem)) = set.unusable().next() {
        let message = format!("public_key_jwks: key {place}: {problem}");
        return Err(ConfigError::new(problem.kind(), message));
    }
    let keys = set.keys().map(|jwk| {
        let name = jwk.kid().unwrap_or(jwk.thumbprint());
        let version = if KeyVersion::new(name).is_ok() {
            name
        } else {
            jwk.thumbprint()
        };
        let key = jwk.verifying_key(None)?;
        key.ensure_strong()?;
        CallerKey::new(version, key)?.with_key_id(name)
    });
    keys.map(|key| key.map_err(|error| error.within("public_key_jwks")))
        .collect()
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
        let others = [
            ("secret_jwk", self.secret_jwk.is_some()),
            (
                "ed25519_public_key_hex",
                self.ed25519_public_key_hex.is_some(),
            ),
            ("public_key_jwk", self.public_key_jwk.is_some()),
            ("public_key_pem", self.public_key_pem.is_some()),
        ];
        let given = others.iter().filter(|(_, is_given)| *is_given).count();
        if given.saturating_add(usize::from(texts.is_given())) != 1 {
            return Err(texts.not_one(&others));
        }
        let key = if let Some(hex) = &self.ed25519_public_key_hex {
            let scheme = self.scheme_or(Scheme::Ed25519)?;
            if !scheme.definition().algorithms.contains(&Algorithm::Ed25519) {
                return Err(no_such_keys(scheme, "a public key"));
            }
            public_key_from_hex(hex)
                .and_then(|point| VerifyingKey::ed25519_in(scheme, &point))
                .map_err(|error| error.within("ed25519_public_key_hex"))?
        } else if let Some(jwk) = &self.secret_jwk {
            let key = Secret::from_bytes(jwk.as_bytes());
            let key = VerifyingKey::message_from_secret_jwk(&key);
            self.in_own_scheme(key.map_err(|error| error.within("secret_jwk"))?)?
        } else if let Some(jwk) = &self.public_key_jwk {
            let key = Jwk::parse(jwk).and_then(|jwk| jwk.verifying_key(self.algorithm()?));
            self.in_own_scheme(key.map_err(|error| error.within("public_key_jwk"))?)?
        } else if let Some(pem) = &self.public_key_pem {
            let key = self
                .algorithm()
                .and_then(|algorithm| VerifyingKey::message_from_pem(pem.trim_start(), algorithm));
            self.in_own_scheme(key.map_err(|error| error.within("public_key_pem"))?)?
        } else {
            let scheme = self.scheme_or(Scheme::HmacSha256)?;
            let secret = texts.secret(scheme)?;
            SigningKey::in_scheme(scheme, Algorithm::HmacSha256, &secret)
                .map(|key| key.verifying_key().keeping(&secret))
                .ok_or_else(|| no_such_keys(scheme, "a secret"))?
        };
        match self.algorithm()? {
            Some(expected) if expected != key.algorithm() => Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!("algorithm: expected {}, found {expected}", key.algorithm()),
            )),
            _ => Ok(key),
        }
    }

    /// Refuses keys of JSON and PEM in another scheme, except public keys of its algorithms.
    fn in_own_scheme(&self, key: VerifyingKey) -> Result<VerifyingKey, ConfigError> {
        let scheme = self.scheme_or(Scheme::MessageSignatures)?;
        if scheme == key.scheme() {
            return Ok(key);
        }
        let algorithm = key.algorithm();
        key.public_in(scheme)
            .ok_or_else(|| no_such_keys(scheme, algorithm.name()))
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, ConfigError> {
        let Some(name) = &self.algorithm else {
            return Ok(None);
        };
        let mut known = Algorithm::ALL.iter().copied();
        let found = known.find(|algorithm| algorithm.name() == name);
        found.map(Some).ok_or_else(|| {
            let names: Vec<_> = Algorithm::ALL.iter().map(|known| known.name()).collect();
            ConfigError::new(ConfigErrorKind::File, unknown("algorithm", name, &names))
        })
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
