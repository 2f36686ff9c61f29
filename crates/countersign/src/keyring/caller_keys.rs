use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, Fingerprint, Secret, SigningKey, VerifyingKey},
    key_id::KeyId,
    scheme::{Algorithm, Scheme},
};

/// The greatest number of keys of one caller.
pub(super) const MAX_KEYS_PER_CALLER: usize = 4;

/// The result of a [`KeyStore`](crate::KeyStore) lookup: a caller and its keys, or an unknown
/// caller.
#[derive(Clone)]
pub struct CallerKeys(Arc<Inner>);

struct Inner {
    caller: Option<KeyId>,
    keys: Vec<CallerKey>,
    work: Arc<Work>,
}

impl CallerKeys {
    /// Makes a caller with 1 to
    /// [`Keyring::MAX_KEYS_PER_CALLER`](crate::Keyring::MAX_KEYS_PER_CALLER) keys.
    ///
    /// # Errors
    ///
    /// As [`KeyringBuilder::build`](crate::KeyringBuilder::build) for one caller.
    pub fn new(
        caller: &str,
        keys: impl IntoIterator<Item = CallerKey>,
    ) -> Result<Self, ConfigError> {
        let (caller, keys) = check_caller(caller, keys)?;
        Ok(Self(Arc::new(Inner {
            caller: Some(caller),
            keys,
            work: Arc::default(),
        })))
    }

    /// Returns the unknown caller. Every signature is refused.
    pub fn unknown() -> Self {
        static UNKNOWN: LazyLock<CallerKeys> =
            LazyLock::new(|| CallerKeys::padded(None, Vec::new(), Arc::default()));
        UNKNOWN.clone()
    }

    /// Returns whether the caller is unknown.
    pub fn is_unknown(&self) -> bool {
        self.0.caller.is_none()
    }

    /// Returns the caller's name. `None` if the caller is unknown.
    pub fn caller_id(&self) -> Option<&KeyId> {
        self.caller()
    }

    pub(crate) fn padded(caller: Option<KeyId>, keys: Vec<CallerKey>, work: Arc<Work>) -> Self {
        Self(Arc::new(Inner { caller, keys, work }))
    }

    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        let keys = self.0.keys.iter();
        keys.flat_map(|key| key.verifying_key().fingerprints())
    }

    /// Copies the keys with separate caches, so that a diagnosis does not change the caches in use.
    #[cfg(feature = "diagnose")]
    pub(crate) fn with_own_caches(&self) -> Self {
        let keys = self.0.keys.iter().map(CallerKey::with_own_cache).collect();
        Self::padded(self.0.caller.clone(), keys, Arc::clone(&self.0.work))
    }

    /// Returns every key, of any scheme and key id.
    #[cfg(feature = "diagnose")]
    pub(crate) fn all(&self) -> impl Iterator<Item = &CallerKey> {
        self.0.keys.iter()
    }

    pub(crate) fn caller(&self) -> Option<&KeyId> {
        self.0.caller.as_ref()
    }

    /// Returns the caller's keys of a scheme that have the request's key id.
    pub(crate) fn keys_for<'k>(
        &'k self,
        scheme: Scheme,
        asserted: &str,
    ) -> impl Iterator<Item = &'k CallerKey> {
        self.0.keys.iter().filter(move |key| {
            key.scheme() == scheme && key.key_id().is_none_or(|key_id| key_id == asserted)
        })
    }

    /// Returns the schemes of the caller's keys, each once.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = Scheme> {
        let has = |scheme| self.0.keys.iter().any(|key| key.scheme() == scheme);
        Scheme::ALL
            .iter()
            .copied()
            .filter(move |scheme| has(*scheme))
    }

    /// Yields the algorithms of the scheme's keys. Each has a substitute key for an unknown caller,
    /// and the number of keys to check for any key id. Results with the substitute are discarded.
    pub(crate) fn decoys(
        &self,
        scheme: Scheme,
    ) -> impl Iterator<Item = (Algorithm, &VerifyingKey, usize)> {
        let work = self.0.work.0.iter();
        work.filter(move |work| work.scheme == scheme)
            .filter_map(|work| {
                let decoy = match &work.longest {
                    Some(key) => key,
                    None => decoy(work.scheme, work.algorithm)?,
                };
                Some((work.algorithm, decoy, work.keys))
            })
    }
}

impl fmt::Debug for CallerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerKeys")
            .field("caller", &self.0.caller)
            .field("keys", &self.0.keys)
            .finish_non_exhaustive()
    }
}

/// Checks the rules for one caller: a valid name, strong and distinct keys, and not too many.
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
        let same = |other: &&CallerKey| other.verifying_key().is_same_as(key.verifying_key());
        if let Some(other) = checked.iter().find(same) {
            if other.scheme() == key.scheme()
                && other.rules() == key.rules()
                && other.key_id() == key.key_id()
                && other.verifying_key().algorithm() == key.verifying_key().algorithm()
                && other.verifying_key().is_bound_like(key.verifying_key())
            {
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
        1..=MAX_KEYS_PER_CALLER => Ok((caller, checked)),
        found => refused(
            ConfigErrorKind::Keyring,
            format!("expected at most {MAX_KEYS_PER_CALLER} keys, found {found}"),
        ),
    }
}

/// For each scheme and algorithm, the greatest number of keys that any caller has.
#[derive(Debug, Default)]
pub(crate) struct Work(Vec<WorkOf>);

#[derive(Debug)]
struct WorkOf {
    scheme: Scheme,
    algorithm: Algorithm,
    keys: usize,
    /// The key of the longest modulus, if lengths differ: its checks take the longest.
    longest: Option<VerifyingKey>,
}

impl Work {
    pub(crate) fn of_hmac_sha256(keys: usize) -> Self {
        Self(vec![WorkOf {
            scheme: Scheme::HmacSha256,
            algorithm: Algorithm::HmacSha256,
            keys,
            longest: None,
        }])
    }

    fn largest(callers: &HashMap<KeyId, Vec<CallerKey>>) -> Self {
        let mut work = Vec::new();
        for scheme in Scheme::ALL {
            for algorithm in scheme.definition().algorithms {
                let counts = |key: &&CallerKey| {
                    key.scheme() == *scheme && key.verifying_key().algorithm() == *algorithm
                };
                let counted = |keys: &Vec<CallerKey>| keys.iter().filter(counts).count();
                let most = callers.values().map(counted).max().unwrap_or(0);
                if most > 0 {
                    let keys = callers.values().flatten().filter(counts);
                    let longest = keys
                        .map(CallerKey::verifying_key)
                        .filter(|key| key.modulus_len().is_some())
                        .max_by_key(|key| key.modulus_len());
                    work.push(WorkOf {
                        scheme: *scheme,
                        algorithm: *algorithm,
                        keys: most,
                        longest: longest.cloned(),
                    });
                }
            }
        }
        Self(work)
    }
}

fn decoy(scheme: Scheme, algorithm: Algorithm) -> Option<&'static VerifyingKey> {
    type Decoys = Vec<(Scheme, Algorithm, VerifyingKey)>;
    static DECOYS: LazyLock<Decoys> = LazyLock::new(|| {
        let mut decoys = Decoys::new();
        for scheme in Scheme::ALL {
            for algorithm in scheme.definition().algorithms {
                let secret = match algorithm {
                    Algorithm::EcdsaP384Sha384 => Secret::from_bytes(&[1; 48]),
                    _ => Secret::from_bytes(&[1; 32]),
                };
                let key = SigningKey::in_scheme(*scheme, *algorithm, &secret);
                decoys.extend(key.map(|key| (*scheme, *algorithm, key.verifying_key())));
            }
        }
        decoys
    });
    let mut decoys = DECOYS.iter();
    decoys
        .find(|decoy| (decoy.0, decoy.1) == (scheme, algorithm))
        .map(|decoy| &decoy.2)
}

/// All callers of a keyring at one moment.
pub(crate) struct Snapshot {
    /// By every key id that a request can assert: callers' names and their keys' ids.
    names: HashMap<KeyId, CallerKeys>,
    /// All callers. A caller whose keys all have separate key ids is not in `names`.
    callers: HashSet<KeyId>,
    unknown: CallerKeys,
    holders: HashMap<Fingerprint, KeyId>,
}

impl Snapshot {
    pub(super) fn new(
        callers: HashMap<KeyId, Vec<CallerKey>>,
        holders: HashMap<Fingerprint, KeyId>,
    ) -> Self {
        let work = Arc::new(Work::largest(&callers));
        let all = callers.keys().cloned().collect();
        let mut names = HashMap::new();
        for (caller, keys) in callers {
            let mut by_name: HashMap<KeyId, Vec<CallerKey>> = HashMap::new();
            for key in keys {
                let name = key.key_id().unwrap_or(&caller).clone();
                by_name.entry(name).or_default().push(key);
            }
            names.extend(by_name.into_iter().map(|(name, keys)| {
                let keys = CallerKeys::padded(Some(caller.clone()), keys, Arc::clone(&work));
                (name, keys)
            }));
        }
        Self {
            unknown: CallerKeys::padded(None, Vec::new(), work),
            names,
            callers: all,
            holders,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    pub(crate) fn lookup(&self, key_id: &str) -> CallerKeys {
        self.names.get(key_id).unwrap_or(&self.unknown).clone()
    }

    /// Returns the keys of at most `names` names.
    #[cfg(feature = "diagnose")]
    pub(super) fn some(&self, names: usize) -> impl Iterator<Item = &CallerKeys> {
        self.names.values().take(names)
    }

    /// Returns whether the name is a caller's name or a key's id.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.callers.contains(name)
    }

    pub(crate) fn holder_of(&self, key: &Fingerprint) -> Option<&KeyId> {
        self.holders.get(key)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers: HashSet<_> = self.names.values().filter_map(CallerKeys::caller).collect();
        f.debug_struct("Keyring")
            .field("callers", &callers)
            .field("names", &self.names.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm) -> VerifyingKey {
        let secret = match algorithm {
            Algorithm::EcdsaP384Sha384 => Secret::from_bytes(&(100..148).collect::<Vec<u8>>()),
            _ => Secret::generate().unwrap(),
        };
        SigningKey::in_scheme(Scheme::MessageSignatures, algorithm, &secret)
            .unwrap()
            .verifying_key()
    }

    fn decoys(keys: &[VerifyingKey]) -> Vec<(Algorithm, VerifyingKey, usize)> {
        let callers = keys.iter().enumerate().map(|(number, key)| {
            let name = KeyId::new(&format!("caller-{number}")).unwrap();
            (name, vec![CallerKey::new("1", key.clone()).unwrap()])
        });
        let snapshot = Snapshot::new(callers.collect(), HashMap::new());
        let unknown = snapshot.lookup("nobody");
        let decoys = unknown.decoys(Scheme::MessageSignatures);
        decoys
            .map(|(algorithm, key, work)| (algorithm, key.clone(), work))
            .collect()
    }

    #[test]
    fn every_algorithm_has_its_decoy() {
        for algorithm in [
            Algorithm::HmacSha256,
            Algorithm::Ed25519,
            Algorithm::EcdsaP256Sha256,
            Algorithm::EcdsaP384Sha384,
        ] {
            let decoys = decoys(&[key(algorithm)]);
            let [(found, decoy, 1)] = &decoys[..] else {
                panic!("{algorithm}: {} decoys", decoys.len());
            };
            assert_eq!(*found, algorithm);
            assert_eq!(decoy.algorithm(), algorithm);
        }
    }

    /// The checks of a short modulus are faster, which would tell a stranger that nobody is known.
    #[cfg(feature = "rsa")]
    #[test]
    fn the_decoy_of_rsa_is_the_longest_key() {
        let of = |bytes: usize| {
            let mut modulus: Vec<u8> = (0..=255).cycle().take(bytes).collect();
            modulus[0] = 0xff;
            VerifyingKey::message_rsa_pss_sha512(&modulus, &[1, 0, 1]).unwrap()
        };
        let decoys = decoys(&[of(256), of(512), of(384)]);
        let [(Algorithm::RsaPssSha512, decoy, 1)] = &decoys[..] else {
            panic!("{} decoys", decoys.len());
        };
        assert_eq!(decoy.modulus_len(), Some(512));
    }
}
