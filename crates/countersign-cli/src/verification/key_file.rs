//! Reads the file of keys, and which callers and schemes it has.

use countersign::{DerivedKeyring, Keyring, Scheme, Verifier};
use serde::{Deserialize, de::IgnoredAny};

use crate::failure::Failure;

/// The keys of a file.
pub(super) enum Keys {
    Listed(Keyring),
    Derived(DerivedKeyring),
}

/// The names in a file of keys. The core reads the keys.
pub(super) struct KeyFile {
    /// A caller and the scheme of one of its keys, in the order of the file.
    callers: Vec<(String, Scheme)>,
    has_roots: bool,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    callers: Vec<Caller>,
    derived: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Caller {
    name: String,
    #[serde(default)]
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    scheme: Option<String>,
    ed25519_public_key_hex: Option<IgnoredAny>,
}

impl KeyFile {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        // The message of the parser quotes the line, which may hold a key. The core's does not.
        let Ok(file) = toml::from_str::<File>(text) else {
            Keyring::from_toml(text)?;
            return Err(Failure::usage("expected the keys of callers in TOML"));
        };
        let scheme_of = |key: &Key| match (&key.scheme, &key.ed25519_public_key_hex) {
            (Some(name), _) => Scheme::ALL.iter().copied().find(|it| it.name() == name),
            (None, Some(_)) => Some(Scheme::Ed25519),
            (None, None) => Some(Scheme::HmacSha256),
        };
        let mut callers = Vec::new();
        for caller in &file.callers {
            for scheme in caller.keys.iter().filter_map(scheme_of) {
                callers.push((caller.name.clone(), scheme));
            }
        }
        Ok(Self {
            callers,
            has_roots: file.derived.is_some(),
        })
    }

    /// Returns each scheme that a key is for, once.
    pub(super) fn schemes(&self) -> Vec<Scheme> {
        let has = |scheme: Scheme| {
            self.callers.iter().any(|(_, known)| *known == scheme)
                || self.has_roots && scheme == Scheme::HmacSha256
        };
        let schemes = Scheme::ALL.iter().copied();
        schemes.filter(|scheme| has(*scheme)).collect()
    }

    /// Returns the callers with a key of this scheme, each once.
    pub(super) fn callers_in(&self, scheme: Scheme) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, known) in &self.callers {
            if *known == scheme && names.last() != Some(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Reads the keys. Keys that are derived need the settings of the verifier.
    pub(super) fn keys(&self, text: &str, verifier: &Verifier) -> Result<Keys, Failure> {
        if self.has_roots {
            Ok(Keys::Derived(DerivedKeyring::from_toml(text, verifier)?))
        } else {
            Ok(Keys::Listed(Keyring::from_toml(text)?))
        }
    }
}
