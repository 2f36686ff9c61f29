use std::collections::{HashMap, hash_map::Entry};

use super::{Keyring, caller_keys::Snapshot};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, Fingerprint, KeyId},
};

/// Builds a [`Keyring`].
#[derive(Debug, Default)]
#[must_use]
pub struct KeyringBuilder {
    callers: Vec<(String, Vec<CallerKey>)>,
}

impl KeyringBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Gives a caller one more key.
    pub fn caller(mut self, name: impl Into<String>, key: CallerKey) -> Self {
        let name = name.into();
        match self.callers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, keys)) => keys.push(key),
            None => self.callers.push((name, vec![key])),
        }
        self
    }

    /// The keyring.
    ///
    /// A key that is listed twice for one caller, with equal rules, is one key. Two secrets are one key where HMAC takes
    /// them for one: a secret and the same with zero bytes behind it, a secret past 64 bytes and its SHA-256.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] for a name that is no [`KeyId`]; [`ConfigErrorKind::WeakKey`] for a key that is too
    /// short, repetitive or published; [`ConfigErrorKind::SharedKey`] for one key of two callers, or of one caller with
    /// two sets of rules or in two schemes; [`ConfigErrorKind::Keyring`] for no callers at all, more than
    /// [`Keyring::MAX_KEYS_PER_CALLER`] keys of one caller, or two keys of one version.
    pub fn build(self) -> Result<Keyring, ConfigError> {
        if self.callers.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Keyring,
                "keyring: expected at least one caller, found none",
            ));
        }
        let mut callers = HashMap::new();
        let mut holders: HashMap<Fingerprint, KeyId> = HashMap::new();
        for (name, keys) in self.callers {
            let (caller, keys) = check_caller(&name, keys)?;
            for key in &keys {
                let fingerprint = key.verifying_key().fingerprint().clone();
                match holders.entry(fingerprint) {
                    Entry::Occupied(other) => {
                        return Err(ConfigError::new(
                            ConfigErrorKind::SharedKey,
                            format!(
                                "caller {caller}: its key {} is also one of caller {}: whoever holds it can be both",
                                key.version(),
                                other.get()
                            ),
                        ));
                    }
                    Entry::Vacant(entry) => {
                        entry.insert(caller.clone());
                    }
                }
            }
            callers.insert(caller, keys);
        }
        Ok(Keyring::from_snapshot(Snapshot::new(callers, holders)))
    }
}

/// What must hold for the keys of one caller: a name, strong keys, each of them once, not too many.
pub(super) fn check_caller(
    name: &str,
    keys: impl IntoIterator<Item = CallerKey>,
) -> Result<(KeyId, Vec<CallerKey>), ConfigError> {
    let caller = KeyId::new(name)?;
    let refused = |kind, problem: String| {
        Err(ConfigError::new(
            kind,
            format!("caller {caller}: {problem}"),
        ))
    };
    let mut checked: Vec<CallerKey> = Vec::new();
    for key in keys {
        key.verifying_key().ensure_strong().map_err(|error| {
            error.within(format_args!("caller {caller}: key {}", key.version()))
        })?;
        let same = |other: &&CallerKey| {
            other.verifying_key().fingerprint() == key.verifying_key().fingerprint()
        };
        if let Some(other) = checked.iter().find(same) {
            if other.scheme() == key.scheme() && other.rules() == key.rules() {
                continue;
            }
            return refused(
                ConfigErrorKind::SharedKey,
                format!(
                    "keys {} and {} are one key under different rules",
                    other.version(),
                    key.version()
                ),
            );
        }
        if checked.iter().any(|other| other.version() == key.version()) {
            let problem = format!("two keys of version {}", key.version());
            return refused(ConfigErrorKind::Keyring, problem);
        }
        checked.push(key);
    }
    match checked.len() {
        0 => refused(
            ConfigErrorKind::Keyring,
            "expected at least one key, found none".to_owned(),
        ),
        1..=Keyring::MAX_KEYS_PER_CALLER => Ok((caller, checked)),
        found => refused(
            ConfigErrorKind::Keyring,
            format!(
                "expected at most {} keys, found {found}",
                Keyring::MAX_KEYS_PER_CALLER
            ),
        ),
    }
}
