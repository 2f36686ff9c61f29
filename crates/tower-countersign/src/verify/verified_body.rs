use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::budget::Reservation;
use crate::chunks::Chunks;

/// The body that the inner service sees: whole, in memory, and the one that was signed.
///
/// Its memory counts towards the layer's budget until it has been read, or dropped unread. It has no trailers: they are
/// not covered by any signature and are left out. `Debug` shows its length only.
#[derive(Default)]
pub struct VerifiedBody {
    chunks: Chunks,
    _reservation: Option<Reservation>,
}

impl VerifiedBody {
    pub(super) fn new(chunks: Chunks, reservation: Reservation) -> Self {
        Self {
            chunks,
            _reservation: Some(reservation),
        }
    }
}

impl fmt::Debug for VerifiedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBody")
            .field("chunks", &self.chunks)
            .finish_non_exhaustive()
    }
}

impl Body for VerifiedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.get_mut().chunks).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.chunks.size_hint()
    }
}
