//! A streamed body before its end: limits, hash, and the frame that is held back.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use countersign::{BodyBound, BodyCheck, Rejection, Verified};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;

use super::{
    error::{BodyError, BodyErrorKind},
    limits::StreamLimits,
};
use crate::{
    BoxError,
    body_timer::{BodyTimer, Late},
    cooperative_hash::CooperativeHash,
    verify::{
        body,
        budget::{Reservation, Size},
    },
};

/// A body whose end has not been reached.
pub(super) struct Open {
    body: UnsyncBoxBody<Bytes, BoxError>,
    check: BodyCheck,
    limits: StreamLimits,
    reservation: Reservation,
    slices: CooperativeHash,
    timer: Option<Pin<Box<BodyTimer>>>,
    /// The declared bytes that have not arrived. `None` if no length is declared.
    remaining: Option<u64>,
    /// The last piece, if it could be the end of the body.
    held: Bytes,
    received: u64,
    pub(super) waits_for_peer: bool,
    /// The body has ended or failed, and must not be polled again.
    has_ended: bool,
}

/// The next event of an open body.
pub(super) enum Step {
    /// A piece that is not the last.
    Data(Bytes),
    /// All bytes have arrived and are hashed.
    End,
    Failed(BodyError),
}

impl Open {
    pub(super) fn new(
        body: UnsyncBoxBody<Bytes, BoxError>,
        check: BodyCheck,
        limits: StreamLimits,
        reservation: Reservation,
    ) -> Self {
        Self {
            remaining: body.size_hint().exact(),
            body,
            check,
            limits,
            reservation,
            slices: CooperativeHash::default(),
            timer: None,
            held: Bytes::new(),
            received: 0,
            waits_for_peer: false,
            has_ended: false,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Returns what was not read. `None` if the body has ended.
    pub(super) fn into_rest(self) -> Option<UnsyncBoxBody<Bytes, BoxError>> {
        (!self.has_ended).then_some(self.body)
    }

    /// Compares the digest. Returns the last piece, and the bytes that are reserved for it.
    pub(super) fn finish(self) -> Result<(Verified, Bytes, Reservation), BodyError> {
        match self.check.finish() {
            Ok(verified) => Ok((verified, self.held, self.reservation)),
            Err(rejection) => Err(BodyError::of(rejection.into())),
        }
    }

    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            // The piece is hashed before the body is polled again. That time does not count towards
            // the peer's limits.
            let check = &mut self.check;
            if let Some(piece) = ready!(self.slices.poll(cx, |slice| check.update(slice)))
                && let Some(step) = self.hashed(piece)
            {
                return Poll::Ready(step);
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                self.waits_for_peer = true;
                let late = ready!(self.poll_late(cx));
                return Poll::Ready(Step::Failed(self.late(late)));
            };
            self.waits_for_peer = false;
            if let Some(timer) = &mut self.timer {
                timer.as_mut().arrived();
            }
            let data = match frame {
                None => {
                    self.has_ended = true;
                    return Poll::Ready(Step::End);
                }
                Some(Ok(frame)) => frame.into_data(),
                Some(Err(error)) => return Poll::Ready(Step::Failed(self.broken_off(error))),
            };
            // The signature does not cover trailers, so they are dropped.
            let Ok(piece) = data else { continue };
            if piece.is_empty() {
                continue;
            }
            match self.take(piece) {
                Ok(None) => {}
                Ok(Some(step)) => return Poll::Ready(step),
                Err(error) => return Poll::Ready(Step::Failed(error)),
            }
        }
    }

    fn take(&mut self, piece: Bytes) -> Result<Option<Step>, BodyError> {
        self.received = self.received.saturating_add(length(&piece));
        if self.received > self.limits.max_bytes {
            return Err(BodyError::of(too_large(&self.limits, self.received).into()));
        }
        let held = length(&self.held).saturating_add(length(&piece));
        let reserved = self.reservation.resize(held, Size::Large);
        reserved.map_err(|full| BodyError::of(body::buffer_full(&full)))?;
        let check = &mut self.check;
        let piece = self.slices.take(piece, |slice| check.update(slice));
        Ok(piece.and_then(|piece| self.hashed(piece)))
    }

    /// Returns what can be released now that this piece is hashed.
    fn hashed(&mut self, piece: Bytes) -> Option<Step> {
        let Some(remaining) = &mut self.remaining else {
            // Each piece could be the last. It waits for the next.
            let before = std::mem::replace(&mut self.held, piece);
            self.release();
            return (!before.is_empty()).then_some(Step::Data(before));
        };
        *remaining = remaining.saturating_sub(length(&piece));
        if *remaining == 0 {
            self.held = piece;
            return Some(Step::End);
        }
        self.release();
        Some(Step::Data(piece))
    }

    /// Gives back the memory of released pieces.
    fn release(&mut self) {
        // Fewer bytes than before always fit.
        let _: Result<(), _> = self.reservation.resize(length(&self.held), Size::Large);
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Late> {
        let limits = || self.limits.time_limits();
        let timer = self.timer.get_or_insert_with(|| BodyTimer::start(limits()));
        timer.as_mut().poll_late(cx, self.received)
    }

    #[cold]
    fn late(&self, late: Late) -> BodyError {
        let limits = &self.limits;
        let (bound, setting) = match late {
            Late::Deadline => (
                BodyBound::Deadline(limits.total.unwrap_or_default()),
                "StreamLimits::with_total",
            ),
            Late::Idle => (BodyBound::Idle(limits.idle), "StreamLimits::with_idle"),
            Late::Rate => (
                BodyBound::Rate(limits.least_rate()),
                "StreamLimits::with_least_rate",
            ),
        };
        BodyError::of(Rejection::body(bound, self.received, setting).into())
    }

    #[cold]
    fn broken_off(&mut self, error: BoxError) -> BodyError {
        let refusal = body::broken_off(error.as_ref(), self.received);
        let is_judged = error.is::<Rejection>();
        let kind = match BodyError::of(refusal.clone()).kind() {
            kind @ BodyErrorKind::TooLarge => kind,
            kind if is_judged => kind,
            _ => BodyErrorKind::BrokenOff,
        };
        self.has_ended = true;
        BodyError::caused(kind, refusal, Some(error))
    }
}

/// Returns the rejection of a body that is longer than its limit.
#[cold]
pub(in crate::verify) fn too_large(limits: &StreamLimits, found: u64) -> Rejection {
    let bound = BodyBound::Length(limits.max_bytes);
    Rejection::body(bound, found, "StreamLimits::with_max_bytes")
}

fn length(piece: &Bytes) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
