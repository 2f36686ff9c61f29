//! Step 9: the body, within its limits.

use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use countersign::{BodyBound, DetachedHead, KeyId, PendingBody, Rejection, RejectionKind};
use http_body::{Body, Frame};
use http_body_util::LengthLimitError;

use super::{
    body_limits::BodyLimits,
    budget::{BodyBudget, Full, Holder, SMALL, Size},
    buffered::Buffered,
    peer::Peer,
};
use crate::{
    BoxError,
    body_timer::{BodyTimer, Late, TimeLimits},
    cooperative_hash::CooperativeHash,
    metrics::{self, Store, StoreError},
    refusal::Refusal,
};

/// Reads the body of an authenticated peer to its end, and hashes it as it arrives.
pub(super) fn read<'b, B>(
    head: &'b mut DetachedHead,
    body: Pin<&'b mut B>,
    limits: &'b BodyLimits,
    budget: &BodyBudget,
    buffered: &'b mut Buffered,
) -> impl Future<Output = Result<(), Refusal>> + use<'b, B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let bounds = Bounds {
        limits,
        sender: Sender::Authenticated,
        copies: 0,
    };
    if !body.is_end_stream() {
        buffered.count_towards(budget.open(Holder::Caller(head.caller().clone())));
    }
    collect(body, bounds, buffered, |chunk| head.update(chunk))
}

/// Reads a body that must be read before its peer is authenticated, within the limits for such
/// bodies. It counts towards the peer's memory until the caller is verified.
pub(super) async fn read_unauthenticated<B>(
    mac: &mut PendingBody<'_, '_>,
    body: Pin<&mut B>,
    peer: Peer,
    limits: &BodyLimits,
    budget: &BodyBudget,
    buffered: &mut Buffered,
) -> Result<(), Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let bounds = Bounds {
        limits,
        sender: Sender::Unauthenticated,
        copies: u32::try_from(mac.copies()).unwrap_or(u32::MAX),
    };
    if !body.is_end_stream() {
        if buffered.is_discarding() && bounds.copies > 0 {
            buffered.leave_undecided();
            return Err(Refusal::unavailable(Store::BodyBuffer.name()));
        }
        buffered.count_towards(budget.open(Holder::Peer(peer)));
    }
    collect(body, bounds, buffered, |chunk| mac.update(chunk)).await
}

/// Moves the memory of a body to the budget of its verified caller.
pub(super) fn hand_over(
    buffered: &mut Buffered,
    caller: &KeyId,
    budget: &BodyBudget,
) -> Result<(), Refusal> {
    let mut reservation = budget.open(Holder::Caller(caller.clone()));
    let grown = reservation.grow(buffered.held(), Size::Large);
    grown.map_err(|full| buffer_full(&full))?;
    buffered.count_towards(reservation);
    Ok(())
}

pub(super) fn buffer_full(full: &Full) -> Refusal {
    metrics::store_error(Store::BodyBuffer, StoreError::Full);
    Refusal::Unavailable {
        what: Store::BodyBuffer.name(),
        reason: full.to_string(),
    }
}

struct Bounds<'b> {
    limits: &'b BodyLimits,
    sender: Sender,
    /// The number of copies of the body besides the chunks.
    copies: u32,
}

#[derive(Clone, Copy)]
enum Sender {
    Authenticated,
    Unauthenticated,
}

impl Bounds<'_> {
    fn max_bytes(&self) -> u64 {
        match self.sender {
            Sender::Authenticated => self.limits.max_bytes,
            Sender::Unauthenticated if self.ed25519_is_smaller() => {
                self.limits.unauthenticated_ed25519_max_bytes
            }
            Sender::Unauthenticated => self.limits.unauthenticated_max_bytes,
        }
    }

    /// Returns whether a smaller limit applies, because an Ed25519 key may have to verify the body.
    /// Ed25519 holds a copy of the body for each signature.
    fn ed25519_is_smaller(&self) -> bool {
        let limits = self.limits;
        self.copies > 0
            && limits.unauthenticated_ed25519_max_bytes < limits.unauthenticated_max_bytes
    }

    /// `discarding`: the handler reads the body, so waiting for the handler and waiting for the
    /// peer look alike.
    fn time_limits(&self, discarding: bool) -> TimeLimits {
        match self.sender {
            Sender::Authenticated => TimeLimits::deadline(self.limits.deadline),
            Sender::Unauthenticated if discarding => {
                TimeLimits::deadline(self.limits.unauthenticated_deadline)
            }
            Sender::Unauthenticated => TimeLimits {
                deadline: self.limits.unauthenticated_deadline,
                idle: self.limits.unauthenticated_idle,
                least_rate: self.limits.unauthenticated_least_rate,
            },
        }
    }

    #[cold]
    fn too_large(&self, found: u64) -> Refusal {
        let setting = match self.sender {
            Sender::Authenticated => "BodyLimits::with_max_bytes",
            Sender::Unauthenticated if self.ed25519_is_smaller() => {
                "BodyLimits::with_unauthenticated_ed25519_max_bytes"
            }
            Sender::Unauthenticated => "BodyLimits::with_unauthenticated_max_bytes",
        };
        Rejection::body(BodyBound::Length(self.max_bytes()), found, setting).into()
    }

    #[cold]
    fn late(&self, late: Late, found: u64) -> Refusal {
        let limits = self.limits;
        let (bound, setting) = match (late, self.sender) {
            (Late::Deadline, Sender::Authenticated) => (
                BodyBound::Deadline(limits.deadline),
                "BodyLimits::with_deadline",
            ),
            (Late::Deadline, Sender::Unauthenticated) => (
                BodyBound::Deadline(limits.unauthenticated_deadline),
                "BodyLimits::with_unauthenticated_deadline",
            ),
            (Late::Idle, _) => (
                BodyBound::Idle(limits.unauthenticated_idle),
                "BodyLimits::with_unauthenticated_idle",
            ),
            (Late::Rate, _) => (
                BodyBound::Rate(limits.unauthenticated_least_rate),
                "BodyLimits::with_unauthenticated_least_rate",
            ),
        };
        Rejection::body(bound, found, setting).into()
    }
}

/// Refuses the body of an authenticated peer that ended with an error: it differs from the signed
/// body.
#[cold]
pub(super) fn broken_off(error: &(dyn Error + 'static), received: u64) -> Refusal {
    ended_by(error, received, RejectionKind::BodyMismatch)
}

fn ended_by(error: &(dyn Error + 'static), received: u64, kind: RejectionKind) -> Refusal {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // The decoder of a chunked body refuses with it.
        if let Some(rejection) = error.downcast_ref::<Rejection>() {
            return rejection.clone().into();
        }
        if error.is::<LengthLimitError>() {
            let reason =
                "body: expected no more than the limit of a layer outside this one, found more";
            return Rejection::new(RejectionKind::TooLarge, reason).into();
        }
        cause = error.source();
    }
    Rejection::naming(
        kind,
        format_args!("body: expected its end, found that it broke off after {received} bytes"),
    )
    .into()
}

/// Reads a body to its end, and passes each chunk to `update` as it arrives.
fn collect<'b, B>(
    body: Pin<&'b mut B>,
    bounds: Bounds<'b>,
    buffered: &'b mut Buffered,
    update: impl FnMut(&[u8]),
) -> impl Future<Output = Result<(), Refusal>>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut reading = Reading {
        body,
        bounds,
        buffered,
        update,
        received: 0,
        slices: CooperativeHash::default(),
        timer: None,
    };
    poll_fn(move |cx| reading.poll(cx))
}

struct Reading<'b, B, F> {
    body: Pin<&'b mut B>,
    bounds: Bounds<'b>,
    buffered: &'b mut Buffered,
    update: F,
    received: u64,
    slices: CooperativeHash,
    /// `None` for bodies that have arrived already, which are most.
    timer: Option<Pin<Box<BodyTimer>>>,
}

impl<B, F> Reading<'_, B, F>
where
    B: Body,
    B::Error: Into<BoxError>,
    F: FnMut(&[u8]),
{
    /// Returns `Ready` at the end of the body, or as soon as the body is refused.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        if !self.buffered.has_begun() {
            if self.body.is_end_stream() {
                return Poll::Ready(Ok(()));
            }
            let declared = self.body.size_hint().lower();
            if declared > self.bounds.max_bytes() {
                return Poll::Ready(Err(self.bounds.too_large(declared)));
            }
            self.buffered.begin();
        }
        loop {
            // The last chunk is hashed and kept before the body is polled again. That time does not
            // count towards the peer's limits.
            if let Some(chunk) = ready!(self.slices.poll(cx, &mut self.update)) {
                self.buffered.push(chunk);
            }
            let Poll::Ready(frame) = self.body.as_mut().poll_frame(cx) else {
                return self.poll_late(cx).map(Err);
            };
            if let Some(timer) = &mut self.timer {
                timer.as_mut().arrived();
            }
            let Some(frame) = frame else {
                self.buffered.end();
                return Poll::Ready(Ok(()));
            };
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => self.take(data)?,
                // The signature does not cover trailers, so an enforcing layer drops them.
                Ok(Err(frame)) => self
                    .buffered
                    .push_last(Ok(frame.map_data(|_| Bytes::new()))),
                Err(error) => {
                    let error = error.into();
                    let kind = match self.bounds.sender {
                        Sender::Authenticated => RejectionKind::BodyMismatch,
                        // `body_mismatch` means that the signature matched. Nothing is verified
                        // here.
                        Sender::Unauthenticated => RejectionKind::InvalidSignature,
                    };
                    let refusal = ended_by(error.as_ref(), self.received, kind);
                    self.buffered.push_last(Err(error));
                    self.buffered.end();
                    return Poll::Ready(Err(refusal));
                }
            }
        }
    }

    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Refusal> {
        let limits = || self.bounds.time_limits(self.buffered.is_discarding());
        let timer = self.timer.get_or_insert_with(|| BodyTimer::start(limits()));
        let late = ready!(timer.as_mut().poll_late(cx, self.received));
        Poll::Ready(self.bounds.late(late, self.received))
    }

    fn take(&mut self, mut data: B::Data) -> Result<(), Refusal> {
        let len = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(len);
        let chunk = data.copy_to_bytes(data.remaining());
        if self.received > self.bounds.max_bytes() {
            self.buffered.push_last(Ok(Frame::data(chunk)));
            return Err(self.bounds.too_large(self.received));
        }
        let held = u64::from(!self.buffered.is_discarding());
        let copies = held.saturating_add(self.bounds.copies.into());
        let bytes = len.saturating_mul(copies);
        if let Err(full) = self.buffered.reserve(bytes, self.size()) {
            self.buffered.push_last(Ok(Frame::data(chunk)));
            return Err(buffer_full(&full));
        }
        if let Some(chunk) = self.slices.take(chunk, &mut self.update) {
            self.buffered.push(chunk);
        }
        Ok(())
    }

    /// Returns the size of the body by the bytes received and the bytes declared.
    fn size(&self) -> Size {
        let declared = self.body.size_hint().lower();
        if self.received.saturating_add(declared) > SMALL {
            Size::Large
        } else {
            Size::Small
        }
    }
}
