use bytes::Bytes;
use http_body::{Body, Frame};

use super::{
    body_mode::BodyMode,
    budget::{Full, Reservation, Size},
    request_body::RequestBody,
    spill::{FileBody, SpilledFile},
};
use crate::{BoxError, chunks::Chunks, verified_caller::VerifiedCaller};

/// The part of a body that was read. In report-only mode, all of it goes to the inner service.
#[derive(Default)]
pub(super) struct Buffered {
    chunks: Chunks,
    reservation: Option<Reservation>,
    rest: Option<Box<Rest>>,
    progress: Progress,
    discarding: bool,
    undecided: bool,
    mode: BodyMode,
}

/// What comes after the chunks. Rare, so it is boxed.
enum Rest {
    /// The last frame, if it is not a chunk: trailers, an error, or data over a limit.
    Frame(Box<Result<Frame<Bytes>, BoxError>>),
    /// The whole body. There are no chunks.
    File(SpilledFile),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Untouched,
    Begun,
    Ended,
}

impl Buffered {
    pub(super) fn in_mode(mode: BodyMode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// Returns whether the handler reads the body while it is verified. An empty body is verified
    /// at once in every mode.
    pub(super) fn is_streamed<B: Body>(&self, body: &B) -> bool {
        self.mode == BodyMode::Stream && !body.is_end_stream()
    }

    /// Returns whether the body is held in a file if it is long.
    pub(super) fn is_spilled<B: Body>(&self, body: &B) -> bool {
        self.mode == BodyMode::Spill && !body.is_end_stream()
    }

    pub(super) fn mode(&self) -> BodyMode {
        self.mode
    }

    /// Returns a buffer that keeps no bytes, because the handler reads the body itself.
    pub(super) fn discarding() -> Self {
        Self {
            discarding: true,
            ..Self::default()
        }
    }

    /// Returns whether no bytes are kept.
    pub(super) fn is_discarding(&self) -> bool {
        self.discarding
    }

    pub(super) fn has_begun(&self) -> bool {
        self.progress != Progress::Untouched
    }

    /// Returns whether the body was read to its end or to an error.
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
        if !self.discarding {
            self.chunks.push(chunk);
        }
    }

    pub(super) fn push_last(&mut self, last: Result<Frame<Bytes>, BoxError>) {
        if !self.discarding {
            self.rest = Some(Box::new(Rest::Frame(Box::new(last))));
        }
    }

    pub(super) fn hold_file(&mut self, file: SpilledFile) {
        self.rest = Some(Box::new(Rest::File(file)));
    }

    /// Counts the chunks towards this reservation.
    pub(super) fn count_towards(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// Reserves more bytes, or none if the limit is reached.
    pub(super) fn reserve(&mut self, bytes: u64, size: Size) -> Result<(), Full> {
        match &mut self.reservation {
            Some(reservation) => reservation.grow(bytes, size),
            None => Err(Full::nothing_reserved()),
        }
    }

    /// Returns the whole body if all of it was read and its length is at most `at_most`.
    #[cfg(feature = "diagnose")]
    pub(super) fn small_body(&mut self, at_most: u64) -> Option<Bytes> {
        let is_whole = self.has_ended() && !self.discarding && self.rest.is_none();
        (is_whole && self.held() <= at_most).then(|| self.chunks.in_one_piece())
    }

    /// Returns the number of bytes that are held, in memory or in a file.
    pub(super) fn held(&self) -> u64 {
        match self.rest.as_deref() {
            Some(Rest::File(file)) => file.length,
            Some(Rest::Frame(_)) | None => self.chunks.len(),
        }
    }

    /// Records that no decision is possible, because it needs a copy of the body.
    pub(super) fn leave_undecided(&mut self) {
        self.undecided = true;
    }

    pub(super) fn is_undecided(&self) -> bool {
        self.undecided
    }

    /// Returns the body of this caller's accepted request: the bytes that were read, without
    /// trailers.
    pub(super) fn into_verified(self, caller: Option<VerifiedCaller>) -> RequestBody {
        match (self.rest.map(|rest| *rest), caller) {
            (Some(Rest::File(file)), Some(caller)) => {
                RequestBody::in_file(FileBody::new(file), caller)
            }
            (_, caller) => RequestBody::new(self.chunks, self.reservation, caller),
        }
    }

    /// Returns the unchanged body: the bytes that were read, and then the rest.
    pub(super) fn into_unverified(
        self,
        rest: http_body_util::combinators::UnsyncBoxBody<Bytes, BoxError>,
    ) -> RequestBody {
        if self.progress == Progress::Untouched {
            return RequestBody::unverified(Chunks::default(), None, None, Some(rest));
        }
        let rest = (!self.has_ended()).then_some(rest);
        let last = match self.rest.map(|rest| *rest) {
            Some(Rest::Frame(last)) => Some(last),
            Some(Rest::File(_)) | None => None,
        };
        RequestBody::unverified(self.chunks, self.reservation, last, rest)
    }
}
