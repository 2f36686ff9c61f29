//! Reads keys from a directory with one file per key, as Kubernetes mounts secrets and agents write
//! them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::toml_text::unknown;
use crate::{
    document::read_text_of,
    error::{ConfigError, ConfigErrorKind},
    key::{CallerKey, Secret, VerifyingKey},
    key_id::ensure_no_key,
    keyring::{Keyring, KeyringBuilder},
};

/// The greatest length of a key file in bytes.
const MAX_FILE_LEN: u64 = 4096;

/// The possible endings of a file name.
const ENCODINGS: [&str; 4] = [
    "secret_hex",
    "secret_base64",
    "secret_text",
    "ed25519_public_key_hex",
];

impl Keyring {
    /// Reads a keyring from a directory with one file per key, once.
    ///
    /// A file is named `<caller>.<version>.<encoding>`, such as `billing.2026-01.secret_hex`. The
    /// encodings have their names from [TOML](Self::from_toml): `secret_hex`, `secret_base64` and
    /// `secret_text` for `HMAC-SHA256`, `ed25519_public_key_hex` for `ED25519`. The version must
    /// not contain a dot; the caller's name may.
    ///
    /// The file holds the key in that encoding and nothing else. One line end (LF or CRLF) at its
    /// end is removed, because editors and `echo` add it. Any other addition is refused, by [the
    /// rule for texts](Secret#the-text-of-a-key).
    ///
    /// Every key is active, without a time limit, and under the strictest rules. To remove a key,
    /// remove its file. For other settings, use TOML.
    ///
    /// Names that begin with a dot are skipped. Mounted volumes are replaced through `..data`: if
    /// it exists, names are read from its current target, so that old and new files are not mixed.
    /// Any other name in the directory is an error, like an unknown key in TOML. File permissions
    /// are not checked.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::File`] if the directory or a file cannot be read, a file is longer than
    ///   4096 bytes or not a regular file, or a name has another form.
    /// - [`ConfigErrorKind::Keyring`] for a directory without keys.
    /// - Otherwise as [`KeyringBuilder::build`], with the name of the file. No error holds a key.
    pub fn from_directory(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::builder()
            .callers_from_directory(path)?
            .build()
            .map_err(|error| error.within(path.display()))
    }
}

impl KeyringBuilder {
    /// Adds the callers that [`Keyring::from_directory`] reads, for a service that also has keys
    /// from elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_directory`], except for errors that only [`build`](Self::build) finds.
    pub fn callers_from_directory(mut self, path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        for file in files(path).map_err(|error| unreadable(path, error))? {
            let (caller, key) = read_key(&file).map_err(|error| error.within(path.display()))?;
            self = self.caller(caller, key);
        }
        Ok(self)
    }
}

/// Returns the files in order, so that the first error is always the same.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mounted = directory.join("..data");
    let directory = match mounted.canonicalize() {
        Ok(current) => current,
        Err(error) if error.kind() == io::ErrorKind::NotFound => directory.to_owned(),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn read_key(path: &Path) -> Result<(String, CallerKey), ConfigError> {
    let wrong = |problem: &str| ConfigError::new(ConfigErrorKind::File, problem);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| wrong("expected a file name in UTF-8"))?;
    // A name may be a misplaced key, in full or between its dots.
    name.split('.').try_for_each(ensure_no_key)?;
    let parts = name.rsplit_once('.').and_then(|(label, encoding)| {
        let (caller, version) = label.rsplit_once('.')?;
        Some((caller, version, encoding))
    });
    let (caller, version, encoding) = parts.ok_or_else(|| {
        wrong("expected files named <caller>.<version>.<encoding>, found another name")
            .within(format_args!("{:?}", shown(name)))
    })?;
    let key = || {
        let text = read_text_of(path, MAX_FILE_LEN, "4096 bytes")?;
        let text = match text.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => &text,
        };
        let key = match encoding {
            "secret_hex" => VerifyingKey::hmac_sha256(&Secret::from_hex(text)?),
            "secret_base64" => VerifyingKey::hmac_sha256(&Secret::from_base64(text)?),
            "secret_text" => VerifyingKey::hmac_sha256(&Secret::from_text(text)?),
            "ed25519_public_key_hex" => VerifyingKey::ed25519_from_hex(text)?,
            _ => {
                return Err(ConfigError::new(
                    ConfigErrorKind::File,
                    unknown("encoding after the last dot", encoding, &ENCODINGS),
                ));
            }
        };
        key.ensure_strong()?;
        CallerKey::new(version, key)
    };
    let key = key().map_err(|error| error.within(format_args!("{:?}", shown(name))))?;
    Ok((caller.to_owned(), key))
}

fn unreadable(path: &Path, error: io::Error) -> ConfigError {
    let message = format!("{}: cannot be read", path.display());
    ConfigError::new(ConfigErrorKind::File, message).with_source(error)
}

/// Shows enough of a name to find the file.
fn shown(name: &str) -> String {
    name.chars().take(128).collect()
}
