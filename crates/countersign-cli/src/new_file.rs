use std::{fs::OpenOptions, io::Write, path::Path};

use crate::failure::Failure;

/// Writes a new file that no other user can read.
///
/// # Errors
///
/// [`Exit::Unavailable`](crate::Exit::Unavailable) if the file is already there or cannot be
/// written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.display();
    let unwritable =
        |error| Failure::unavailable(format_args!("{name}: cannot be written: {error}"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)
}
