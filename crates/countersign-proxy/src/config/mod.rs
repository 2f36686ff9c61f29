//! Reads the configuration, checks it, and builds the services from it.

mod build;
mod check;
mod environment;
mod file;
mod schemes;
mod signers;
mod sizes;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use countersign::{ConfigError, ConfigErrorKind};

pub(crate) use self::build::{Built, Kind, build};
use self::file::File;
pub use self::file::LogFormat;

/// The configuration of all proxies of a process.
///
/// One TOML file describes it. The page `crates/DEFAULTS.md` lists the settings that have defaults.
/// Paths in the file are relative to its directory. Unknown settings are errors with line and
/// column. No secret is in the file: it names the files that hold them.
#[derive(Clone, Debug)]
pub struct Config {
    file: File,
    /// The directory that relative paths start from.
    directory: PathBuf,
}

/// The kinds of sections that are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sections {
    /// Every section of the file.
    All,
    /// `[[verify]]`.
    Verify,
    /// `[[sign]]`.
    Sign,
    /// `[[resign]]`.
    Resign,
    /// `[[authz]]`.
    Authz,
}

impl Config {
    /// Reads a file. Variables of the environment that begin with `COUNTERSIGN__` replace its
    /// settings: `COUNTERSIGN__LIMITS__BODY__TIMEOUT=10s` sets `limits.body.timeout`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read or is no such configuration.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let failed = |error: std::io::Error| {
            let message = format!("{}: expected a file that can be read", path.display());
            ConfigError::new(ConfigErrorKind::File, message).with_source(error)
        };
        let path = std::path::absolute(path).map_err(failed)?;
        let text = fs::read_to_string(&path).map_err(failed)?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        Self::from_toml(
            &text,
            directory,
            &environment::overrides(std::env::vars_os()),
        )
        .map_err(|error| error.within(path.display()))
    }

    /// Reads a text. `overrides` maps the path of a setting to its text, as
    /// `limits.body.timeout` to `10s`.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_toml(
        text: &str,
        directory: &Path,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let file: File = if overrides.is_empty() {
            text::parse(text)?
        } else {
            environment::parse_with(text, overrides)?
        };
        if file.version != 1 {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!("version: expected 1, found {}", file.version),
            ));
        }
        Ok(Self {
            file,
            directory: directory.to_owned(),
        })
    }

    /// Describes one verifying proxy without a file, for a first try. The callers' keys are read
    /// from `SERVICE_SECRETS`, and every caller may call everything.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Setting`] if an argument is not what its name says.
    pub fn quick_verify(
        listen: &str,
        upstream: &str,
        expected_hosts: &[String],
    ) -> Result<Self, ConfigError> {
        let file = File::quick_verify(listen, upstream, expected_hosts);
        let config = Self {
            file,
            directory: PathBuf::from("."),
        };
        config.check()?;
        Ok(config)
    }

    /// Returns how events are printed. `None` leaves it to the program.
    pub fn log_format(&self) -> Option<LogFormat> {
        self.file.log.format
    }

    /// Returns where the admin listener is, if there is one.
    pub(crate) fn admin(&self) -> Result<Option<crate::listen::ListenAddress>, ConfigError> {
        let admin = self.file.admin.as_ref();
        admin.map(|admin| admin.listen.parse()).transpose()
    }

    /// Returns the time for draining.
    pub(crate) fn drain(&self) -> std::time::Duration {
        self.file.drain.0
    }

    /// Returns the path that a setting names.
    fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}
