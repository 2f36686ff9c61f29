use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, Fingerprint, KeyId, Secret, SigningKey, VerifyingKey},
    scheme::Scheme,
};

/// The greatest number of keys that one caller may have at a time.
pub(super) const MAX_KEYS_PER_CALLER: usize = 4;

/// What a [`KeyStore`](crate::KeyStore) knows of one claimed name: a caller and its keys, or nothing.
#[derive(Clone)]
pub struct CallerKeys(Arc<Inner>);

struct Inner {
    caller: Option<KeyId>,
    keys: Vec<CallerKey>,
    work: Work,
}

impl CallerKeys {
    /// A caller and its keys, at most [`Keyring::MAX_KEYS_PER_CALLER`](crate::Keyring::MAX_KEYS_PER_CALLER) of them.
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
            work: Work::default(),
        })))
    }

    /// Nobody: the name is not known. Every signature is refused.
    pub fn unknown() -> Self {
        static UNKNOWN: LazyLock<CallerKeys> =
            LazyLock::new(|| CallerKeys::padded(None, Vec::new(), Work::default()));
        UNKNOWN.clone()
    }

    fn padded(caller: Option<KeyId>, keys: Vec<CallerKey>, work: Work) -> Self {
        Self(Arc::new(Inner { caller, keys, work }))
    }

    pub(crate) fn caller(&self) -> Option<&KeyId> {
        self.0.caller.as_ref()
    }

    pub(crate) fn keys(&self) -> &[CallerKey] {
        &self.0.keys
    }

    /// How many signatures of a scheme are to be checked for any name, known or not.
    pub(crate) fn work(&self, scheme: Scheme) -> usize {
        self.0.work.of(scheme)
    }

    /// A key to check signatures with where there is none. What it answers counts for nothing.
    pub(crate) fn decoy(&self, scheme: Scheme) -> Option<&'static VerifyingKey> {
        (self.work(scheme) > 0).then(|| decoy(scheme))?
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
        1..=MAX_KEYS_PER_CALLER => Ok((caller, checked)),
        found => refused(
            ConfigErrorKind::Keyring,
            format!("expected at most {MAX_KEYS_PER_CALLER} keys, found {found}"),
        ),
    }
}

/// For each scheme, the number of keys of the caller that has most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    hmac_sha256: usize,
    ed25519: usize,
}

impl Work {
    fn of(self, scheme: Scheme) -> usize {
        match scheme {
            Scheme::HmacSha256 => self.hmac_sha256,
            Scheme::Ed25519 => self.ed25519,
        }
    }

    fn largest(callers: &HashMap<KeyId, Vec<CallerKey>>) -> Self {
        let most = |scheme| {
            let of_scheme =
                |keys: &Vec<CallerKey>| keys.iter().filter(|key| key.scheme() == scheme).count();
            callers.values().map(of_scheme).max().unwrap_or(0)
        };
        Self {
            hmac_sha256: most(Scheme::HmacSha256),
            ed25519: most(Scheme::Ed25519),
        }
    }
}

fn decoy(scheme: Scheme) -> Option<&'static VerifyingKey> {
    static HMAC_SHA256: LazyLock<VerifyingKey> =
        LazyLock::new(|| VerifyingKey::hmac_sha256(&Secret::from_bytes(&[0; 32])));
    static ED25519: LazyLock<Option<VerifyingKey>> = LazyLock::new(|| {
        let key = SigningKey::ed25519(&Secret::from_bytes(&[0; 32])).ok()?;
        Some(key.verifying_key())
    });
    match scheme {
        Scheme::HmacSha256 => Some(&HMAC_SHA256),
        Scheme::Ed25519 => ED25519.as_ref(),
    }
}

/// All callers of a keyring at one moment.
pub(super) struct Snapshot {
    callers: HashMap<KeyId, CallerKeys>,
    unknown: CallerKeys,
    holders: HashMap<Fingerprint, KeyId>,
}

impl Snapshot {
    pub(super) fn new(
        callers: HashMap<KeyId, Vec<CallerKey>>,
        holders: HashMap<Fingerprint, KeyId>,
    ) -> Self {
        let work = Work::largest(&callers);
        Self {
            unknown: CallerKeys::padded(None, Vec::new(), work),
            callers: callers
                .into_iter()
                .map(|(caller, keys)| {
                    let keys = CallerKeys::padded(Some(caller.clone()), keys, work);
                    (caller, keys)
                })
                .collect(),
            holders,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.callers.len()
    }

    pub(super) fn lookup(&self, claimed: &str) -> CallerKeys {
        self.callers.get(claimed).unwrap_or(&self.unknown).clone()
    }

    pub(super) fn holder_of(&self, key: &Fingerprint) -> Option<&KeyId> {
        self.holders.get(key)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("callers", &self.callers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
