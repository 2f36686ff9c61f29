use std::path::Path;

use super::{Policy, execute_api::ExecuteApi};
use crate::{document::read_text, error::ConfigError};

impl Policy {
    /// Reads a policy from a TOML file, once. See [`from_toml`](Self::from_toml).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`](crate::ConfigErrorKind::File) if the file cannot be read.
    /// Otherwise as [`from_toml`](Self::from_toml), with the name of the file.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_toml(&read_text(path)?).map_err(|error| error.within(path.display()))
    }

    /// Reads a policy from a JSON file, once. See [`from_json`](Self::from_json).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`](crate::ConfigErrorKind::File) if the file cannot be read.
    /// Otherwise as [`from_json`](Self::from_json), with the name of the file.
    pub fn from_json_file(path: impl AsRef<Path>, api: &ExecuteApi) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::from_json(&read_text(path)?, api).map_err(|error| error.within(path.display()))
    }
}
