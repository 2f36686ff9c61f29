use std::collections::{HashMap, hash_map::Entry};

use super::{
    Keyring,
    caller_keys::{Snapshot, check_caller},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, Fingerprint},
    key_id::KeyId,
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

    /// Adds one key to a caller.
    pub fn caller(mut self, name: impl Into<String>, key: CallerKey) -> Self {
        let name = name.into();
        match self.callers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, keys)) => keys.push(key),
            None => self.callers.push((name, vec![key])),
        }
        self
    }

    /// Builds the keyring.
    ///
    /// A key that is listed twice for one caller, with equal rules, counts once. Secrets that HMAC
    /// treats as equal are one key: a secret and its copy with zero bytes appended, or a secret
    /// longer than 64 bytes and its SHA-256.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`] for a name that is no [`KeyId`].
    /// - [`ConfigErrorKind::WeakKey`] for a key that is too short, repetitive or published.
    /// - [`ConfigErrorKind::SharedKey`] for one key of two callers, or of one caller with two sets
    ///   of rules or in two schemes.
    /// - [`ConfigErrorKind::Keyring`] for no callers, more than [`Keyring::MAX_KEYS_PER_CALLER`]
    ///   keys of one caller, two keys of one version, or one key id for two callers.
    pub fn build(self) -> Result<Keyring, ConfigError> {
        if self.callers.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Keyring,
                "keyring: expected at least one caller, found none",
            ));
        }
        let mut callers = HashMap::new();
        let mut names: HashMap<KeyId, KeyId> = HashMap::new();
        let mut holders: HashMap<Fingerprint, KeyId> = HashMap::new();
        for (name, keys) in self.callers {
            let (caller, keys) = check_caller(&name, keys)?;
            let key_ids = keys.iter().filter_map(CallerKey::key_id);
            for name in key_ids.chain([&caller]) {
                if let Some(other) = names.insert(name.clone(), caller.clone())
                    && other != caller
                {
                    let name = name.shown();
                    return Err(ConfigError::new(
                        ConfigErrorKind::Keyring,
                        format!("key id {name}: of both caller {other} and caller {caller}"),
                    ));
                }
            }
            let prints = |key: &CallerKey| key.verifying_key().fingerprints().to_vec();
            for (key, fingerprint) in keys
                .iter()
                .flat_map(|key| prints(key).into_iter().map(move |print| (key, print)))
            {
                match holders.entry(fingerprint) {
                    Entry::Occupied(other) => {
                        return Err(ConfigError::new(
                            ConfigErrorKind::SharedKey,
                            format!(
                                "caller {caller}: its key {} is also one of caller {}: its holder \
                                can act as both",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Secret, VerifyingKey};

    /// A key id is often an access key id, and a secret is easily pasted there by mistake.
    #[test]
    fn a_secret_in_the_place_of_a_key_id_is_not_shown() {
        let key = || {
            let key = VerifyingKey::sigv4(&Secret::generate().unwrap());
            let key = CallerKey::new("1", key).unwrap();
            key.with_key_id("correct/Horse+battery/Staple").unwrap()
        };
        let one = || Keyring::builder().caller("billing", key());
        let error = one().caller("audit", key()).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            "key id corr… (28 characters): of both caller billing and caller audit"
        );
        for text in [
            format!("{error:?}"),
            format!("{:?}", one()),
            format!("{:?}", one().build().unwrap()),
        ] {
            assert!(!text.contains("corre"), "{text}");
            assert!(text.contains("billing"), "{text}");
        }
    }
}
