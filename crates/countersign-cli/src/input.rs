//! Reads files and standard input, within a limit.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{Terminal, failure::Failure};

/// The most bytes of a configuration file: as many as the core reads.
pub(crate) const MAX_CONFIG_LEN: u64 = 16 * 1024 * 1024;

/// Reads a file, or standard input if the path is `-`. The bytes are wiped on drop.
///
/// # Errors
///
/// [`Exit::Unavailable`](crate::Exit::Unavailable) if it cannot be read,
/// [`Exit::Usage`](crate::Exit::Usage) if it is longer than the limit.
pub(crate) fn read_bytes(
    terminal: &mut Terminal<'_>,
    path: &Path,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = shown(path);
    let unreadable =
        |error: io::Error| Failure::unavailable(format_args!("{name}: cannot be read: {error}"));
    let mut bytes = Zeroizing::new(Vec::new());
    if path == Path::new("-") {
        read_within(terminal.stdin(), limit, &mut bytes)
    } else {
        let file = File::open(path).map_err(unreadable)?;
        // A growing buffer leaves copies of keys in memory.
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let length = usize::try_from(length.min(limit)).unwrap_or_default();
        bytes.reserve_exact(length.saturating_add(64));
        read_within(file, limit, &mut bytes)
    }
    .map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(Failure::usage(format_args!(
            "{name}: expected at most {limit} bytes, found more"
        )));
    }
    Ok(bytes)
}

/// Reads a text in UTF-8 as [`read_bytes`] does.
///
/// # Errors
///
/// As [`read_bytes`], and [`Exit::Usage`](crate::Exit::Usage) for bytes that are no UTF-8.
pub(crate) fn read_text(
    terminal: &mut Terminal<'_>,
    path: &Path,
    limit: u64,
) -> Result<Zeroizing<String>, Failure> {
    let bytes = read_bytes(terminal, path, limit)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Failure::usage(format_args!(
            "{}: expected text in UTF-8, found other bytes",
            shown(path)
        ))
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Returns the name of a file for a message.
pub(crate) fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn read_within(from: impl Read, limit: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    from.take(limit.saturating_add(1)).read_to_end(bytes)?;
    Ok(())
}
