use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use tokio::task::spawn_blocking;

use crate::{
    chunks::Chunks,
    metrics::{self, Store, StoreError},
    refusal::Refusal,
    verify::budget::Reservation,
};

/// The number of bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// A body in a file without a name. Dropping it frees its space.
pub(in crate::verify) struct SpilledFile {
    pub(super) file: File,
    pub(in crate::verify) length: u64,
    pub(super) space: Reservation,
}

/// Creates a file without a name.
pub(super) async fn create(directory: &Arc<Path>) -> io::Result<File> {
    let directory = Arc::clone(directory);
    joined(spawn_blocking(move || tempfile::tempfile_in(directory)).await)
}

/// Appends the pieces.
pub(super) async fn append(mut file: File, mut pieces: Chunks) -> io::Result<File> {
    let write = move || {
        while let Some(piece) = pieces.pop() {
            file.write_all(&piece)?;
        }
        Ok(file)
    };
    joined(spawn_blocking(write).await)
}

/// Goes back to the start.
pub(super) async fn rewind(mut file: File) -> io::Result<File> {
    joined(spawn_blocking(move || file.rewind().map(|()| file)).await)
}

/// Reads the next piece. It is empty at the end.
pub(super) fn read_piece(mut file: File) -> io::Result<(File, Bytes)> {
    let mut piece = BytesMut::zeroed(PIECE);
    let mut read = 0;
    while let Some(rest) = piece.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => read = read.saturating_add(more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    piece.truncate(read);
    Ok((file, piece.freeze()))
}

/// Returns the refusal for a fault of the disk: never the fault of the peer.
#[cold]
pub(super) fn unavailable(error: &io::Error) -> Refusal {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Unavailable,
    };
    metrics::store_error(Store::BodyStorage, kind);
    Refusal::Unavailable {
        what: Store::BodyStorage.name(),
        reason: error.to_string(),
    }
}

/// A job that panicked, or that the end of the runtime cancelled, has failed.
pub(super) fn joined<T>(job: Result<io::Result<T>, tokio::task::JoinError>) -> io::Result<T> {
    job.unwrap_or_else(|error| Err(io::Error::other(error)))
}
