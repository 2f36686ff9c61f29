//! Reads a file that holds keys or a policy.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::error::{ConfigError, ConfigErrorKind};

/// The greatest length of a file in bytes: far more than all keys of a fleet, and small enough for
/// memory.
const MAX_LEN: u64 = 16 * 1024 * 1024;

/// Reads the text of a file. The text is wiped on drop.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let failed =
        |what: &str| ConfigError::new(ConfigErrorKind::File, format!("{}: {what}", path.display()));
    let unreadable = |error: io::Error| failed("cannot be read").with_source(error);
    // Checked before the file is opened, because opening a pipe would block, and with it every
    // later reload.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(failed("expected a file, found something else"));
    }
    let too_long = || failed("expected at most 16 MiB, found more");
    if metadata.len() > MAX_LEN {
        return Err(too_long());
    }
    // Allocated in full at the start, because a growing buffer leaves copies of the keys in memory.
    let mut text = Zeroizing::new(String::new());
    text.reserve_exact(
        usize::try_from(metadata.len())
            .unwrap_or_default()
            .saturating_add(64),
    );
    let file = File::open(path).map_err(unreadable)?;
    let length = file
        .take(MAX_LEN.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_LEN {
        return Err(too_long());
    }
    Ok(text)
}
