//! A provider for the shared credentials file of AWS's tools.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    profile_file,
    provider::{CredentialsProvider, SigV4Credentials},
    reading::Reading,
};
use crate::{
    document::read_text,
    error::{ConfigError, ConfigErrorKind, Unavailable},
};

/// Provides the credentials of one profile of AWS's shared credentials file.
///
/// ```no_run
/// use countersign::{SharedCredentialsFile, SigV4SignSettings, Signer};
///
/// let credentials = SharedCredentialsFile::open("/var/run/aws/credentials", "billing")?;
/// let settings = SigV4SignSettings::new("eu-central-1", "execute-api", credentials)?;
/// let signer = Signer::sigv4(settings, ["abc123.execute-api.eu-central-1.amazonaws.com"])?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// ```text
/// [default]
/// aws_access_key_id = AKIDBILLING
/// aws_secret_access_key = <secret>
///
/// [temporary]                          ; a comment
/// aws_access_key_id = ASIABILLING
/// aws_secret_access_key = <secret>
/// aws_session_token = <token>
/// ```
///
/// Setting names are not case-sensitive. A comment begins with `#` or `;`, at the start of a line
/// or after white space. Unknown settings of a profile are ignored.
/// A profile that gets its credentials in another way is refused, because AWS's tools would sign
/// with other credentials. These settings select another way: `credential_process`, `role_arn`,
/// `source_profile`, `credential_source`, `web_identity_token_file`, `login_session`, and all names
/// that begin with `sso_`.
///
/// The file holds no expiry. A signer reads it again [every 15
/// minutes](crate::SigV4SignSettings::with_max_credentials_age), and sooner only if it has no
/// credentials. A separate thread reads the file, so no request with valid credentials waits for a
/// disk.
///
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files" and "Static
/// credentials".
pub struct SharedCredentialsFile {
    source: Source,
    /// The credentials read at the start, until a signer takes them.
    first: Mutex<Option<SigV4Credentials>>,
    reading: Reading,
}

#[derive(Clone)]
struct Source {
    path: Arc<Path>,
    profile: Arc<str>,
}

impl SharedCredentialsFile {
    /// Reads the profile now, and again each time a signer asks.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the file cannot be read, is malformed, or has no such profile;
    /// [`ConfigErrorKind::Key`] if a setting is missing or breaks [the rule for
    /// texts](crate::Secret#the-text-of-a-key). Otherwise as [`SigV4Credentials::new`]. Errors name
    /// file, line, profile and setting, and never hold a secret.
    pub fn open(path: impl Into<PathBuf>, profile: &str) -> Result<Self, ConfigError> {
        let source = Source {
            path: path.into().into(),
            profile: profile.into(),
        };
        let first = source.read()?;
        Ok(Self {
            source,
            first: Mutex::new(Some(first)),
            reading: Reading::default(),
        })
    }

    /// Reads the same file and profile as AWS's tools.
    /// The file is `AWS_SHARED_CREDENTIALS_FILE`, or `.aws/credentials` in the home directory
    /// (`HOME` or `USERPROFILE`). The profile is `AWS_PROFILE` or `default`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Variable`] if a variable is empty or not UTF-8, or the home directory is
    /// unknown. Otherwise as [`open`](Self::open).
    pub fn from_env() -> Result<Self, ConfigError> {
        const FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
        const PROFILE: &str = "AWS_PROFILE";
        let path = match set(FILE)? {
            Some(path) => PathBuf::from(path),
            None => match (set("HOME")?, set("USERPROFILE")?) {
                (Some(home), _) | (None, Some(home)) => {
                    PathBuf::from(home).join(".aws").join("credentials")
                }
                (None, None) => {
                    return Err(variable(FILE, "expected a path or HOME, found neither"));
                }
            },
        };
        let profile = match set(PROFILE)? {
            Some(profile) => profile
                .into_string()
                .map_err(|_| variable(PROFILE, "not UTF-8"))?,
            None => "default".to_owned(),
        };
        Self::open(path, &profile)
    }
}

/// Refuses an empty value: the default file or profile would silently replace it.
fn set(name: &str) -> Result<Option<OsString>, ConfigError> {
    match env::var_os(name) {
        Some(value) if value.is_empty() => {
            Err(variable(name, "expected a value, found an empty one"))
        }
        value => Ok(value),
    }
}

fn variable(name: &str, problem: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Variable, format!("{name}: {problem}"))
}

impl Source {
    fn read(&self) -> Result<SigV4Credentials, ConfigError> {
        let text = read_text(&self.path)?;
        profile_file::credentials(&text, &self.profile)
            .map_err(|error| error.within(self.path.display()))
    }
}

impl CredentialsProvider for SharedCredentialsFile {
    async fn credentials(&self) -> Result<SigV4Credentials, Unavailable> {
        let source = self.source.clone();
        let failed = |error| Unavailable::new("shared credentials file").with_source(error);
        let read = self.reading.start(move || source.read());
        match read {
            Ok(reading) => reading.await.map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    fn try_credentials(&self) -> Option<Result<SigV4Credentials, Unavailable>> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take().map(Ok)
    }
}

impl fmt::Debug for SharedCredentialsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCredentialsFile")
            .field("path", &self.source.path)
            .field("profile", &self.source.profile)
            .finish_non_exhaustive()
    }
}
