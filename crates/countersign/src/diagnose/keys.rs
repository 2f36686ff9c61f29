use super::{Diagnosis, cause::Cause, secret_readings};
use crate::{
    key::{Secret, SigningKey},
    keyring::{CallerKeys, KeyStore, Keyring},
    verify::UnverifiedHead,
};

/// The greatest number of other callers in a keyring whose keys are tried.
const OTHER_NAMES: usize = 256;

/// The source of a diagnosis's keys.
#[derive(Clone, Debug)]
pub(super) enum KeySource<'d> {
    Nowhere,
    /// The keys of the caller that the request names.
    Caller(CallerKeys),
    Keyring(&'d Keyring),
}

impl KeySource<'_> {
    /// Returns the keys for a key id. `None` if there is no source.
    pub(super) fn of(&self, key_id: &str) -> Option<CallerKeys> {
        match self {
            Self::Nowhere => None,
            Self::Caller(keys) => Some(keys.clone()),
            Self::Keyring(keyring) => keyring.try_lookup(key_id)?.ok(),
        }
    }
}

/// A key other than those that the request should be signed with.
pub(super) struct OtherKey {
    pub(super) cause: Cause,
    pub(super) detail: String,
    pub(super) key: crate::VerifyingKey,
}

/// Returns every other key to try: the readings of the secrets, the caller's other keys, then other
/// callers' keys.
pub(super) fn others(
    diagnosis: &Diagnosis<'_>,
    unverified: &UnverifiedHead<'_>,
    keys: &CallerKeys,
) -> Vec<OtherKey> {
    let mut found = Vec::new();
    let scheme = unverified.scheme();
    let own = keys.keys_for(scheme, unverified.key_id());
    let own = own.filter_map(|key| key.verifying_key().secret());
    for secret in diagnosis.secrets.iter().copied().chain(own) {
        add_readings(secret, unverified, keys, &mut found);
    }
    for key in keys.all().filter(|key| key.scheme() != scheme) {
        found.push(OtherKey {
            cause: Cause::KeyOfAnotherScheme,
            detail: format!("key {}, bound to {}", key.version(), key.scheme()),
            key: key.verifying_key().with_own_cache(),
        });
    }
    for key in keys.all().filter(|key| {
        key.scheme() == scheme && key.key_id().is_some_and(|id| id != unverified.key_id())
    }) {
        found.push(OtherKey {
            cause: Cause::KeyOfAnotherId,
            detail: format!("key {}", key.version()),
            key: key.verifying_key().with_own_cache(),
        });
    }
    let KeySource::Keyring(keyring) = diagnosis.keys else {
        return found;
    };
    for other in keyring.some(OTHER_NAMES) {
        let is_the_caller = !keys.is_unknown() && other.caller() == keys.caller();
        for key in other.all() {
            let is_known = is_the_caller
                && keys
                    .all()
                    .any(|known| known.verifying_key().is_same_as(key.verifying_key()));
            if is_known {
                continue;
            }
            let cause = match (is_the_caller, key.scheme() == scheme) {
                (true, true) => Cause::KeyOfAnotherId,
                (true, false) => Cause::KeyOfAnotherScheme,
                (false, true) if keys.is_unknown() => Cause::CallerName,
                (false, _) => Cause::KeyOfAnotherCaller,
            };
            let caller = other.caller().map(ToString::to_string).unwrap_or_default();
            found.push(OtherKey {
                cause,
                detail: format!("caller {caller}, key {}, {}", key.version(), key.scheme()),
                key: key.verifying_key().with_own_cache(),
            });
        }
    }
    found
}

fn add_readings(
    secret: &Secret,
    unverified: &UnverifiedHead<'_>,
    keys: &CallerKeys,
    found: &mut Vec<OtherKey>,
) {
    let scheme = unverified.scheme();
    let is_in_use = |key: &SigningKey| {
        let key = key.verifying_key();
        let mut known = keys.keys_for(scheme, unverified.key_id());
        known.any(|known| known.verifying_key().is_same_as(&key))
    };
    for algorithm in scheme.definition().algorithms {
        let as_loaded = SigningKey::in_scheme(scheme, *algorithm, secret);
        if let Some(key) = as_loaded.filter(|key| !is_in_use(key)) {
            // A given secret that is none of the caller's keys.
            let cause = if keys.is_unknown() {
                Cause::CallerName
            } else {
                Cause::KeyNotInForce
            };
            found.push(OtherKey {
                cause,
                detail: "the given secret, which is no key of the caller here".to_owned(),
                key: key.verifying_key(),
            });
        }
        for (cause, detail, reading) in secret_readings::of(secret) {
            if let Some(key) = SigningKey::in_scheme(scheme, *algorithm, &reading) {
                found.push(OtherKey {
                    cause,
                    detail: detail.to_owned(),
                    key: key.verifying_key(),
                });
            }
        }
    }
}
