//! Keys from files.

use std::path::Path;

use countersign::{ConfigError, Keyring};

use super::{Reload, Reloading};

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
        let path = std::path::absolute(&path).unwrap_or_else(|_| path.as_ref().to_owned());
        let keyring = load(&path)?;
        let shared = keyring.clone();
        let reloading = self.watch(path, load, move |loaded| shared.replace(&loaded))?;
        Ok((keyring, reloading))
    }
}
