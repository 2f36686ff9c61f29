//! Keys from files.

use std::path::Path;

use countersign::{ConfigError, DerivedKeyring, Keyring, SharedSigner, TargetSigners, Verifier};

use super::{Reload, Reloading};
use crate::metrics;

impl Reload {
    /// The callers of a TOML file, as [`Keyring::from_toml_file`] reads them. Every handle of the keyring has the new keys
    /// at once.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_toml_file`] and [`watch`](Self::watch).
    pub fn keyring(&self, path: impl AsRef<Path>) -> Result<(Keyring, Reloading), ConfigError> {
        self.keyring_with(path, |path| Keyring::from_toml_file(path))
    }

    /// The callers of a directory of secret files, as [`Keyring::from_directory`] reads them.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_directory`] and [`watch`](Self::watch).
    pub fn keyring_directory(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<(Keyring, Reloading), ConfigError> {
        self.keyring_with(path, |path| Keyring::from_directory(path))
    }

    /// A keyring that is read in a way of its own, such as out of several files.
    ///
    /// # Errors
    ///
    /// As `load` the first time and [`watch`](Self::watch).
    pub fn keyring_with(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<Keyring, ConfigError> + Send + 'static,
    ) -> Result<(Keyring, Reloading), ConfigError> {
        self.keys(path, load, Keyring::replace)
    }

    /// The roots and callers of a TOML file, as [`DerivedKeyring::from_toml_file`] reads them for this verifier. Every handle
    /// of the key store has the new ones at once.
    ///
    /// # Errors
    ///
    /// As [`DerivedKeyring::from_toml_file`] and [`watch`](Self::watch).
    pub fn derived_keyring(
        &self,
        path: impl AsRef<Path>,
        verifier: &Verifier,
    ) -> Result<(DerivedKeyring, Reloading), ConfigError> {
        let verifier = verifier.clone();
        let load = move |path: &Path| DerivedKeyring::from_toml_file(path, &verifier);
        self.keys(path, load, DerivedKeyring::replace)
    }

    /// The signer for one target of a TOML file, as [`SharedSigner::from_toml_file`] reads it. Every layer with a handle of
    /// it signs with the new keys at once.
    ///
    /// # Errors
    ///
    /// As [`SharedSigner::from_toml_file`] and [`watch`](Self::watch).
    pub fn signer(
        &self,
        path: impl AsRef<Path>,
        target: &str,
    ) -> Result<(SharedSigner, Reloading), ConfigError> {
        let target = target.to_owned();
        self.signer_with(path, move |path| {
            SharedSigner::from_toml_file(path, &target)
        })
    }

    /// A signer that is read in a way of its own.
    ///
    /// Where callers and targets are in two files, refuse one secret for both directions at the start and at every change of
    /// either:
    ///
    /// ```no_run
    /// use countersign::{ConfigError, Keyring, SharedSigner};
    /// use tower_countersign::reload::Reload;
    ///
    /// # fn main() -> Result<(), ConfigError> {
    /// let reload = Reload::new();
    /// let keys = Keyring::from_toml_file("callers.toml")?;
    ///
    /// let callers = keys.clone();
    /// let (signer, reloading_signer) = reload.signer_with("targets.toml", move |path| {
    ///     let signer = SharedSigner::from_toml_file(path, "audit")?;
    ///     signer.ensure_distinct_from(&callers)?;
    ///     Ok(signer)
    /// })?;
    ///
    /// let (signs, callers) = (signer.clone(), keys.clone());
    /// let load = move |path: &std::path::Path| {
    ///     let loaded = Keyring::from_toml_file(path)?;
    ///     signs.ensure_distinct_from(&loaded)?;
    ///     Ok(loaded)
    /// };
    /// let reloading_keys = reload.watch("callers.toml", load, move |loaded| callers.replace(&loaded))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Two files that change in the same moment are each held against what the other held before. One file for both has
    /// no such moment: [`Keyring::from_toml`] holds them against each other.
    ///
    /// # Errors
    ///
    /// As `load` the first time and [`watch`](Self::watch).
    pub fn signer_with(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<SharedSigner, ConfigError> + Send + 'static,
    ) -> Result<(SharedSigner, Reloading), ConfigError> {
        self.keys(path, load, SharedSigner::replace)
    }

    /// Reads the signers of all targets of a TOML file, as [`TargetSigners::from_toml_file`] does.
    /// Every layer with a clone of the set takes over its new content at once.
    ///
    /// # Errors
    ///
    /// As [`TargetSigners::from_toml_file`] and [`watch`](Self::watch).
    pub fn target_signers(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<(TargetSigners, Reloading), ConfigError> {
        self.target_signers_with(path, |path| TargetSigners::from_toml_file(path))
    }

    /// Reads the signers of several targets with `load`, such as one that also calls
    /// [`TargetSigners::ensure_distinct_from`].
    ///
    /// # Errors
    ///
    /// As `load` the first time and [`watch`](Self::watch).
    pub fn target_signers_with(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<TargetSigners, ConfigError> + Send + 'static,
    ) -> Result<(TargetSigners, Reloading), ConfigError> {
        self.keys(path, load, TargetSigners::replace)
    }

    /// What is read at the start, as a handle that takes over what is read later.
    fn keys<K: Clone + Send + 'static>(
        &self,
        path: impl AsRef<Path>,
        load: impl Fn(&Path) -> Result<K, ConfigError> + Send + 'static,
        replace: fn(&K, &K),
    ) -> Result<(K, Reloading), ConfigError> {
        let path = std::path::absolute(&path).unwrap_or_else(|_| path.as_ref().to_owned());
        let keys = load(&path)?;
        let shared = keys.clone();
        let reloading = self
            .counted(metrics::Source::Keys)
            .watch(path, load, move |loaded| replace(&shared, &loaded))?;
        Ok((keys, reloading))
    }
}
