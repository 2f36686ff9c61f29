use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;

use crate::{
    error::{ConfigError, ConfigErrorKind, Unavailable},
    key::RootKey,
    key_id::KeyId,
    keyring::{CallerKeys, KeyStore, Keyring, Work},
    sign::Signer,
    verify::Verifier,
};

/// A key store of one callee that derives each caller's key from a root. New callers need no change
/// in the callee.
///
/// ```
/// use countersign::{DerivedCallers, DerivedKeyring, RootKey, Secret, Verifier};
///
/// let verifier = Verifier::builder().expected_hosts(["user-service:8081"]).build()?;
/// let root = RootKey::new("2026-01", &Secret::generate()?)?;
/// let callers = DerivedCallers::deny(["retired-service"]);
/// let keys = DerivedKeyring::builder("user-service", callers, &verifier)
///     .root(root)
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// [`from_toml`](Self::from_toml) reads all settings from a file.
///
/// # Lookup
///
/// 1. A name in the explicit keyring, as a caller or a key id, has exactly the keys listed there.
///    An entry always overrides derivation. If its only key is revoked, the name has no keys.
/// 2. A name that [`DerivedCallers`] does not admit is unknown.
/// 3. For any other name, one key is derived from each root (see [`RootKey`]). A derived key that
///    the explicit keyring lists for another caller, in any state, is not used.
///
/// Requests with derived keys must be for one of the verifier's expected hosts.
/// [`builder`](Self::builder) takes the verifier, so that a service without expected hosts fails at
/// startup. Every derived key carries this rule too, so another verifier or a cache cannot skip it.
/// Derived keys require a covered nonce, like any other key.
///
/// # Trade-offs
///
/// For N services that all call each other, N roots replace N × (N−1) secrets, and callees need no
/// list of callers. The price:
///
/// - **The root can act as every caller** towards its callee. Use one root per callee. Keep it only
///   in the callee and where the callers' keys are derived. With one root for all callees, every
///   callee could act as every caller everywhere.
/// - A leaked caller's key cannot be replaced alone. List the caller in the explicit keyring, with
///   a new or a revoked key, or change the root, which changes every caller's key.
/// - With [`DerivedCallers::deny`], everyone who gets a key from the holder of the root is a
///   caller. The list of callers is then kept where keys are issued.
/// - A derived key is a shared secret: the callee can sign as its callers. For proof to third
///   parties, use Ed25519.
/// - The keys of callers on an allow list are derived once. Under a deny list, the key is derived
///   for each request and not cached, because names are unlimited. Unknown and known names take
///   different times: callers' names are not secret here.
#[derive(Clone)]
pub struct DerivedKeyring {
    derivation: Arc<ArcSwap<Derivation>>,
}

/// The callers for which a [`DerivedKeyring`] derives keys.
#[derive(Clone, Debug)]
pub struct DerivedCallers {
    names: Vec<String>,
    listed: Listed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Admitted,
    Refused,
}

impl DerivedCallers {
    /// Derives keys for these callers only. At least one.
    pub fn allow<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::listed(names, Listed::Admitted)
    }

    /// Derives keys for all callers except these: the holder of the root decides. May be empty,
    /// `deny::<[&str; 0]>([])`.
    pub fn deny<I>(names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::listed(names, Listed::Refused)
    }

    #[cfg(feature = "config")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn listed<I>(names: I, listed: Listed) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self {
            names: names.into_iter().map(Into::into).collect(),
            listed,
        }
    }
}

/// Builds a [`DerivedKeyring`].
#[derive(Debug)]
#[must_use]
pub struct DerivedKeyringBuilder {
    callee: String,
    callers: DerivedCallers,
    hosts_are_expected: bool,
    roots: Vec<RootKey>,
    explicit: Option<Keyring>,
}

impl DerivedKeyringBuilder {
    /// Adds a root. Several roots verify at the same time, so that roots can be rotated like keys.
    pub fn root(mut self, root: RootKey) -> Self {
        self.roots.push(root);
        self
    }

    /// Adds callers with separate keys, and revoked keys. Changes by [`replace`](Keyring::replace)
    /// on this keyring apply at once.
    pub fn explicit(mut self, keyring: Keyring) -> Self {
        self.explicit = Some(keyring);
        self
    }

    /// Builds the key store.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Authority`] if the verifier has no expected hosts.
    /// - [`ConfigErrorKind::Name`] for a callee or a caller that is no [`KeyId`].
    /// - [`ConfigErrorKind::Keyring`] for no roots, more than [`Keyring::MAX_KEYS_PER_CALLER`]
    ///   roots, two roots of one version, or an empty allow list.
    /// - [`ConfigErrorKind::SharedKey`] if one root is listed twice or is also a caller's key.
    pub fn build(self) -> Result<DerivedKeyring, ConfigError> {
        let refused = |kind, problem: &str| {
            let message = format!("derived keys: {problem}");
            Err(ConfigError::new(kind, message))
        };
        if !self.hosts_are_expected {
            return refused(
                ConfigErrorKind::Authority,
                "expected hosts must be configured, or a signature could serve another service",
            );
        }
        if !(1..=Keyring::MAX_KEYS_PER_CALLER).contains(&self.roots.len()) {
            return refused(ConfigErrorKind::Keyring, "expected 1 to 4 root keys");
        }
        let mut seen: Vec<&RootKey> = Vec::new();
        for root in &self.roots {
            if seen.iter().any(|other| other.version() == root.version()) {
                return refused(ConfigErrorKind::Keyring, "two root keys of one version");
            }
            if seen
                .iter()
                .any(|other| other.fingerprint() == root.fingerprint())
            {
                return refused(ConfigErrorKind::SharedKey, "one root key of two versions");
            }
            if let Some(explicit) = &self.explicit
                && explicit.snapshot().holder_of(root.fingerprint()).is_some()
            {
                return refused(
                    ConfigErrorKind::SharedKey,
                    "a root key is also a caller's key",
                );
            }
            seen.push(root);
        }
        let mut names = HashSet::new();
        for name in &self.callers.names {
            names.insert(KeyId::new(name)?);
        }
        let work = Arc::new(Work::of_hmac_sha256(self.roots.len()));
        let mut derivation = Derivation {
            callee: KeyId::new(&self.callee)?,
            roots: self.roots,
            explicit: self.explicit,
            admission: Admission::AllBut(HashSet::new()),
            unknown: CallerKeys::padded(None, Vec::new(), Arc::clone(&work)),
            work,
        };
        derivation.admission = match self.callers.listed {
            Listed::Refused => Admission::AllBut(names),
            Listed::Admitted if names.is_empty() => {
                return refused(
                    ConfigErrorKind::Keyring,
                    "expected at least one caller, found none",
                );
            }
            Listed::Admitted => {
                let mut keys = HashMap::new();
                for name in names {
                    let derived = derivation.derive(&name)?;
                    keys.insert(name, derived);
                }
                Admission::Only(keys)
            }
        };
        Ok(DerivedKeyring {
            derivation: Arc::new(ArcSwap::from_pointee(derivation)),
        })
    }
}

struct Derivation {
    callee: KeyId,
    roots: Vec<RootKey>,
    explicit: Option<Keyring>,
    admission: Admission,
    unknown: CallerKeys,
    work: Arc<Work>,
}

enum Admission {
    /// The listed callers and their keys.
    Only(HashMap<KeyId, CallerKeys>),
    AllBut(HashSet<KeyId>),
}

impl Admission {
    /// Returns the keys that exist without a request.
    fn keys(&self) -> impl Iterator<Item = &CallerKeys> {
        let listed = match self {
            Self::Only(keys) => Some(keys.values()),
            Self::AllBut(_) => None,
        };
        listed.into_iter().flatten()
    }
}

impl Derivation {
    fn lookup(&self, key_id: &str) -> CallerKeys {
        // Takes one snapshot of the explicit keyring, which may be replaced meanwhile.
        let explicit = self.explicit.as_ref().map(Keyring::snapshot);
        if let Some(explicit) = &explicit
            && explicit.knows(key_id)
        {
            return explicit.lookup(key_id);
        }
        let derived = match &self.admission {
            Admission::Only(keys) => keys.get(key_id).cloned(),
            Admission::AllBut(refused) if refused.contains(key_id) => None,
            Admission::AllBut(_) => KeyId::new(key_id)
                .and_then(|caller| self.derive(&caller))
                .ok(),
        };
        let Some(derived) = derived else {
            return self.unknown.clone();
        };
        let is_listed = explicit.is_some_and(|explicit| {
            let mut fingerprints = derived.fingerprints();
            fingerprints.any(|key| explicit.holder_of(key).is_some())
        });
        if is_listed {
            return self.unknown.clone();
        }
        derived
    }

    fn derive(&self, caller: &KeyId) -> Result<CallerKeys, ConfigError> {
        let roots = self.roots.iter();
        let keys: Result<Vec<_>, ConfigError> = roots
            .map(|root| root.caller_key(caller, &self.callee))
            .collect();
        Ok(CallerKeys::padded(
            Some(caller.clone()),
            keys?,
            Arc::clone(&self.work),
        ))
    }
}

impl DerivedKeyring {
    /// Starts a key store for this callee. The verifier must have expected hosts.
    ///
    /// `callee` is the name that the keys were derived for. It must be unique to this service.
    pub fn builder(
        callee: &str,
        callers: DerivedCallers,
        verifier: &Verifier,
    ) -> DerivedKeyringBuilder {
        Self::builder_for(callee, callers, !verifier.expected_hosts().is_empty())
    }

    pub(crate) fn builder_for(
        callee: &str,
        callers: DerivedCallers,
        hosts_are_expected: bool,
    ) -> DerivedKeyringBuilder {
        DerivedKeyringBuilder {
            callee: callee.to_owned(),
            callers,
            hosts_are_expected,
            roots: Vec::new(),
            explicit: None,
        }
    }

    /// Replaces roots, lists and the explicit keyring of every handle with those of another one.
    pub fn replace(&self, with: &Self) {
        self.derivation.store(with.derivation.load_full());
    }

    /// Refuses to verify with a secret that this process also signs with, like
    /// [`Keyring::ensure_distinct_from`].
    ///
    /// Compares the signers' keys with the explicit keyring, the roots and the keys of callers on
    /// an allow list. Under a deny list, compares the key derived for the name that the signer
    /// signs as. Keys for all other names cannot be listed.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::SharedKey`] if one of the signers has such a key.
    pub fn ensure_distinct_from(&self, signers: &[&Signer]) -> Result<(), ConfigError> {
        let derivation = self.derivation.load();
        if let Some(explicit) = &derivation.explicit {
            explicit.ensure_distinct_from(signers)?;
        }
        for signer in signers {
            let signs_with = signer.fingerprints();
            let root = derivation
                .roots
                .iter()
                .find(|root| signs_with.contains(root.fingerprint()));
            if let Some(root) = root {
                return Err(ConfigError::new(
                    ConfigErrorKind::SharedKey,
                    format!("root {}: this service also signs with it", root.version()),
                ));
            }
            let own = match signer.caller() {
                Some(caller) => Some(derivation.derive(caller)?),
                None => None,
            };
            let mut derived = derivation.admission.keys().chain(&own);
            let holds = |keys: &CallerKeys| keys.fingerprints().any(|key| signs_with.contains(key));
            if let Some(caller) = derived
                .find(|keys| holds(keys))
                .and_then(CallerKeys::caller)
            {
                return Err(ConfigError::new(
                    ConfigErrorKind::SharedKey,
                    format!("caller {caller}: its derived key is one that this service signs with"),
                ));
            }
        }
        Ok(())
    }
}

impl KeyStore for DerivedKeyring {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        Ok(self.derivation.load().lookup(key_id))
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        Some(Ok(self.derivation.load().lookup(key_id)))
    }

    fn callers(&self) -> Option<usize> {
        let derivation = self.derivation.load();
        let explicit = derivation.explicit.as_ref().map_or(0, Keyring::len);
        match &derivation.admission {
            Admission::Only(keys) => Some(keys.len().saturating_add(explicit)),
            Admission::AllBut(_) => None,
        }
    }
}

impl fmt::Debug for DerivedKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let derivation = self.derivation.load();
        f.debug_struct("DerivedKeyring")
            .field("callee", &derivation.callee)
            .field("roots", &derivation.roots)
            .field("explicit", &derivation.explicit)
            .finish_non_exhaustive()
    }
}
