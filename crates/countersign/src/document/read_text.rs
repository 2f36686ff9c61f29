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

/// Reads the text of a file that holds keys or a policy. The text is wiped on drop.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    read_text_of(path, MAX_LEN, "16 MiB").map_err(|error| error.within(path.display()))
}

/// Reads a text of at most `max_len` bytes. `max` is that limit in words. Errors do not name the
/// path.
pub(crate) fn read_text_of(
    path: &Path,
    max_len: u64,
    max: &str,
) -> Result<Zeroizing<String>, ConfigError> {
    let wrong = |problem: &str| ConfigError::new(ConfigErrorKind::File, problem);
    let unreadable = |error: io::Error| wrong("cannot be read").with_source(error);
    let too_long = || wrong(&format!("expected at most {max}, found more"));
    // Checked before the file is opened, because opening a pipe would block, and with it every
    // later reload.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(wrong("expected a file, found something else"));
    }
    if metadata.len() > max_len {
        return Err(too_long());
    }
    // Allocated in full at the start, because a growing buffer leaves copies of the keys in memory.
    let mut bytes = Zeroizing::new(Vec::new());
    bytes.reserve_exact(
        usize::try_from(metadata.len())
            .unwrap_or_default()
            .saturating_add(64),
    );
    let file = File::open(path).map_err(unreadable)?;
    let length = file
        .take(max_len.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > max_len {
        return Err(too_long());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        wrong(if is_utf16 {
            "expected text in UTF-8, found UTF-16"
        } else {
            "expected text in UTF-8, found other bytes"
        })
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
