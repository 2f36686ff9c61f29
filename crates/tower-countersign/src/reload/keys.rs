//! Reloads keys and signers from files.

use std::path::Path;

use countersign::{ConfigError, DerivedKeyring, Keyring, SharedSigner, TargetSigners, Verifier};

use super::{Reload, Reloading};
use crate::metrics;

impl Reload {
    /// Reads callers from a TOML file with [`Keyring::from_toml_file`]. A reload replaces the keys
    /// of every clone of the keyring at once.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_toml_file`] and [`watch`](Self::watch).
    pub fn keyring(&self, path: impl AsRef<Path>) -> Result<(Keyring, Reloading), ConfigError> {
        self.keyring_with(path, |path| Keyring::from_toml_file(path))
    }

    /// Reads callers from a directory of secret files with [`Keyring::from_directory`].
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

    /// Reads a keyring with `load`, such as from several files.
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

    /// Reads roots and callers from a TOML file with [`DerivedKeyring::from_toml_file`] for this
    /// verifier. A reload replaces the keys of every clone at once.
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

    /// Reads the signer for one target from a TOML file with [`SharedSigner::from_toml_file`].
    /// After a reload, every layer with a clone signs with the new keys.
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

    /// Reads a signer with `load`.
    ///
    /// If callers and targets are in two files, use `load` to refuse a secret that is used in both
    /// directions. Check at the start and at every change of either file:
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
    /// let replace = move |loaded| callers.replace(&loaded);
    /// let reloading_keys = reload.watch("callers.toml", load, replace)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If both files change at once, each is compared with the old content of the other. To close
    /// this gap, use one file for both: [`Keyring::from_toml`] compares them in one load.
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

    /// Reads the signers of all targets from a TOML file with [`TargetSigners::from_toml_file`]. A
    /// reload replaces the signers of every clone at once.
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

    /// Reads `path` now, and returns a handle whose content each reload replaces.
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
