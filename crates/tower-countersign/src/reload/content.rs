//! Detects whether the content of a file or a directory changed.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The maximum depth of nested directories that are read.
const MAX_DEPTH: u32 = 4;

/// Longer files are compared by length and modification time, not by their bytes.
const MAX_FILE_LEN: u64 = 64 * 1024 * 1024;

/// The content at a path. Two values are equal if every name and every byte is equal.
///
/// For key files this is a hash of keys, so it is only compared and never shown.
#[derive(PartialEq, Eq)]
pub(super) enum Content {
    Read([u8; 32]),
    /// The content cannot be read. The kind is compared too, so a different error counts as a
    /// change.
    Unreadable(io::ErrorKind),
}

impl Content {
    /// Reads the content at a path. Follows links. Skips names that begin with a dot: mounted
    /// volumes use such names to swap their content, and their other names link to the same files.
    pub(super) fn of(path: &Path) -> Self {
        let mut hash = Sha256::new();
        match add(&mut hash, path, MAX_DEPTH) {
            Ok(()) => Self::Read(hash.finalize().into()),
            Err(error) => Self::Unreadable(error.kind()),
        }
    }
}

fn add(hash: &mut Sha256, path: &Path, depth: u32) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        hash.update(b"d");
        let Some(depth) = depth.checked_sub(1) else {
            return Ok(());
        };
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            if !name.as_encoded_bytes().starts_with(b".") {
                names.push(name);
            }
        }
        names.sort();
        for name in names {
            add_part(hash, name.as_encoded_bytes());
            add(hash, &path.join(name), depth)?;
        }
        hash.update(b"e");
    } else if metadata.is_file() && metadata.len() > MAX_FILE_LEN {
        hash.update(b"l");
        hash.update(metadata.len().to_be_bytes());
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
        hash.update(changed.unwrap_or_default().as_nanos().to_be_bytes());
    } else if metadata.is_file() {
        hash.update(b"f");
        let mut file_hash = Sha256::new();
        // A file that grows during the read is read again after the next change.
        let mut file = File::open(path)?.take(MAX_FILE_LEN);
        let mut buffer = Zeroizing::new([0; 8 * 1024]);
        loop {
            let read = file.read(&mut *buffer)?;
            match buffer.get(..read) {
                None | Some([]) => break,
                Some(bytes) => file_hash.update(bytes),
            }
        }
        hash.update(file_hash.finalize());
    } else {
        // Reading a pipe or a socket may never end.
        hash.update(b"o");
    }
    Ok(())
}

/// Adds a name after its length, so that two names cannot be taken for one.
fn add_part(hash: &mut Sha256, part: &[u8]) {
    // Invariant: a length in memory fits in 64 bits.
    hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(part);
}
