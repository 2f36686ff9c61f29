use bytes::Bytes;
use http_body::Frame;

use super::{
    budget::{Full, Reservation, Size},
    request_body::RequestBody,
};
use crate::{BoxError, chunks::Chunks};

/// What has been taken in of a body. Where nothing is refused, all of it is handed on, whatever became of the rest.
#[derive(Default)]
pub(super) struct Buffered {
    chunks: Chunks,
    reservation: Option<Reservation>,
    /// What came last and is none of the chunks: trailers, an error, or data that was one too many.
    last: Option<Box<Result<Frame<Bytes>, BoxError>>>,
    progress: Progress,
    passing: bool,
    undecided: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Untouched,
    Begun,
    Ended,
}

impl Buffered {
    /// Of a body that passes by: none of it is kept.
    pub(super) fn passing() -> Self {
        Self {
            passing: true,
            ..Self::default()
        }
    }

    /// Whether the body only passes by.
    pub(super) fn is_passing(&self) -> bool {
        self.passing
    }

    pub(super) fn has_begun(&self) -> bool {
        self.progress != Progress::Untouched
    }

    /// Whether there is no more to read: all was read, or it broke off.
    pub(super) fn has_ended(&self) -> bool {
        self.progress == Progress::Ended
    }

    pub(super) fn begin(&mut self) {
        self.progress = Progress::Begun;
    }

    pub(super) fn end(&mut self) {
        self.progress = Progress::Ended;
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        if !self.passing {
            self.chunks.push(chunk);
        }
    }

    pub(super) fn push_last(&mut self, last: Result<Frame<Bytes>, BoxError>) {
        if !self.passing {
            self.last = Some(Box::new(last));
        }
    }

    /// The memory that the chunks count towards from now on.
    pub(super) fn is_held_by(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// Takes so many bytes more of that memory. Takes nothing if there is no room.
    pub(super) fn reserve(&mut self, bytes: u64, size: Size) -> Result<(), Full> {
        match &mut self.reservation {
            Some(reservation) => reservation.grow(bytes, size),
            None => Err(Full::nothing_reserved()),
        }
    }

    /// The whole body, if all of it was read and is no larger than this.
    pub(super) fn small_body(&mut self, at_most: u64) -> Option<Bytes> {
        let is_whole = self.has_ended() && !self.passing && self.last.is_none();
        (is_whole && self.held() <= at_most).then(|| self.chunks.in_one_piece())
    }

    /// How many bytes are held.
    pub(super) fn held(&self) -> u64 {
        self.chunks.len()
    }

    /// Nothing can be decided without keeping the body, and it is not kept.
    pub(super) fn leave_undecided(&mut self) {
        self.undecided = true;
    }

    pub(super) fn is_undecided(&self) -> bool {
        self.undecided
    }

    /// The body of a request that was let through: what was read of it, and no trailers.
    pub(super) fn into_verified(self) -> RequestBody {
        RequestBody::new(self.chunks, self.reservation)
    }

    /// The body as it came: what was read of it, then the rest.
    pub(super) fn into_unverified(
        self,
        rest: http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>,
    ) -> RequestBody {
        if self.progress == Progress::Untouched {
            return RequestBody::unverified(Chunks::default(), None, None, Some(rest));
        }
        let rest = (!self.has_ended()).then_some(rest);
        RequestBody::unverified(self.chunks, self.reservation, self.last, rest)
    }
}
