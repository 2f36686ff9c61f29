//! Whether a file or a directory holds what it held before.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Directories in directories are looked into so far down.
const MAX_DEPTH: u32 = 4;

/// Of a longer file, its length and the time of its last change stand for its bytes.
const MAX_FILE_LEN: u64 = 64 * 1024 * 1024;

/// What stands at a path: two are equal if every name and every byte is.
///
/// Of keys it is a hash as well. It serves equality alone and is never shown.
#[derive(PartialEq, Eq)]
pub(super) enum Content {
    Read([u8; 32]),
    /// Not to be read, for this reason. It is compared as well, so that another reason is something new.
    Unreadable(io::ErrorKind),
}

impl Content {
    /// What is there now. Links are followed. Names that begin with a dot are passed over: it is by them that mounted
    /// volumes are swapped, and the names beside them lead to the same files.
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
        // One that grows while it is read is read again.
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
        // A pipe or a socket may never answer.
        hash.update(b"o");
    }
    Ok(())
}

/// With its length in front, so that two names cannot be taken for one.
fn add_part(hash: &mut Sha256, part: &[u8]) {
    // Invariant: a length in memory fits 64 bits.
    hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(part);
}
