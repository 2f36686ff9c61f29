use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// Replaces the text of a file in one step: a reader sees the old text or the new one. Keeps the
/// permissions. A symbolic link stays one, and its target is replaced.
///
/// # Errors
///
/// [`Exit::Unavailable`](crate::Exit::Unavailable) if the folder or the file cannot be written, and
/// if the file no longer holds the old text. The file is unchanged then.
pub(crate) fn replace(path: &Path, old: &str, new: &str) -> Result<(), Failure> {
    let name = path.display();
    replace_in(path, old, new)
        .map_err(|error| Failure::unavailable(format_args!("{name}: cannot be written: {error}")))
}

fn replace_in(path: &Path, old: &str, new: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let beside = beside(&path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Nobody else may read the keys before the permissions are copied.
        options.mode(0o600);
    }
    let file = options.open(&beside)?;
    write_and_rename(file, &beside, &path, old, new).inspect_err(|_| {
        // The error is the one to report.
        let _ = fs::remove_file(&beside);
    })
}

fn write_and_rename(
    mut file: File,
    beside: &Path,
    path: &Path,
    old: &str,
    new: &str,
) -> io::Result<()> {
    file.write_all(new.as_bytes())?;
    file.set_permissions(fs::metadata(path)?.permissions())?;
    file.sync_all()?;
    if fs::read(path)? != old.as_bytes() {
        return Err(io::Error::other("another program has changed it"));
    }
    fs::rename(beside, path)
}

/// Returns the name of a new file in the same folder.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| io::Error::other("its name is no text"))?;
    Ok(path.with_file_name(format!(".{name}.{}.new", std::process::id())))
}
