use std::{
    fs::File,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::spilled_file::{SpilledFile, joined, read_piece, unavailable};
use crate::verify::{
    budget::Reservation,
    stream::{BodyError, BodyErrorKind},
};

/// Reads a verified body from its file, one piece ahead.
pub(in crate::verify) struct FileBody {
    /// `None` after the end or an error.
    next: Option<JoinHandle<io::Result<(File, Bytes)>>>,
    remaining: u64,
    _space: Reservation,
}

impl FileBody {
    pub(in crate::verify) fn new(spilled: SpilledFile) -> Self {
        let SpilledFile {
            file,
            length,
            space,
        } = spilled;
        Self {
            next: (length > 0).then(|| spawn_blocking(|| read_piece(file))),
            remaining: length,
            _space: space,
        }
    }

    pub(in crate::verify) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(in crate::verify) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let read = joined(ready!(Pin::new(next).poll(cx)));
        self.next = None;
        let (file, piece) = match read {
            Ok((_, piece)) if piece.is_empty() => {
                // Somebody has cut the file, or the disk has lost it.
                return Poll::Ready(Some(Err(failed(&io::ErrorKind::UnexpectedEof.into()))));
            }
            Ok(read) => read,
            Err(error) => return Poll::Ready(Some(Err(failed(&error)))),
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.remaining = self.remaining.saturating_sub(length);
        if self.remaining > 0 {
            self.next = Some(spawn_blocking(|| read_piece(file)));
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cold]
fn failed(error: &io::Error) -> BodyError {
    let refusal = unavailable(error);
    tracing::error!(target: "countersign", outcome = "unreadable", reason = %refusal);
    BodyError::new(BodyErrorKind::Storage, refusal)
}
