//! The keys of a file, and which callers and schemes it has.

use countersign::{DerivedKeyring, Keyring, Scheme, Verifier};

use crate::{
    failure::Failure,
    key_file::{self, Side},
};

/// The keys of a file.
pub(super) enum Keys {
    Listed(Keyring),
    Derived(DerivedKeyring),
}

/// The callers of a file, by name.
pub(super) struct Callers {
    /// A caller and the scheme of one of its keys, in the order of the file.
    named: Vec<(String, &'static str)>,
    has_roots: bool,
}

impl Callers {
    /// Lists the callers.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`](crate::Exit::Usage) if the file has none, with the error of the service.
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        let mut callers = Self {
            named: Vec::new(),
            has_roots: false,
        };
        for key in key_file::list(text) {
            match key.side {
                Side::Caller => callers.named.push((key.name, key.scheme)),
                Side::Root => callers.has_roots = true,
                Side::Target => {}
            }
        }
        if callers.named.is_empty() && !callers.has_roots {
            Keyring::from_toml(text)?;
            return Err(Failure::usage("expected the keys of callers, found none"));
        }
        Ok(callers)
    }

    /// Returns each scheme that a key is for, once.
    pub(super) fn schemes(&self) -> Vec<Scheme> {
        let has = |scheme: Scheme| {
            self.named.iter().any(|(_, known)| *known == scheme.name())
                || self.has_roots && scheme == Scheme::HmacSha256
        };
        let schemes = Scheme::ALL.iter().copied();
        schemes.filter(|scheme| has(*scheme)).collect()
    }

    /// Returns the callers with a key of this scheme, each once.
    pub(super) fn with_keys_in(&self, scheme: Scheme) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, known) in &self.named {
            if *known == scheme.name() && names.last() != Some(&name.as_str()) {
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
