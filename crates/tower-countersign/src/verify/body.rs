//! Step 8: the body, within its limits.

use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use countersign::{BodyMac, DetachedHead, KeyId, Rejection, RejectionKind};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, LengthLimitError};
use tokio::task::coop::unconstrained;

use super::{
    body_limits::BodyLimits, budget::BodyBudget, intake::Intake, refusal::Refusal, settings::Drain,
};
use crate::{
    BoxError,
    metrics::{self, Store, StoreError},
};

const TOO_LARGE: Rejection =
    Rejection::new(RejectionKind::TooLarge, "the body is larger than the limit");
const TOO_SLOW: Rejection = Rejection::new(
    RejectionKind::Timeout,
    "the body took longer than its deadline",
);

/// Reads the body of an authenticated peer to its end, hashing it as it arrives.
pub(super) fn read<'b, B>(
    head: &'b mut DetachedHead,
    body: Pin<&'b mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
    intake: &'b mut Intake,
) -> impl Future<Output = Result<(), Refusal>> + use<'b, B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let bounds = Bounds {
        max_bytes: limits.max_bytes,
        deadline: limits.deadline,
        copies: 0,
        broken_off: RejectionKind::BodyMismatch,
    };
    if !body.is_end_stream() {
        intake.is_held_by(budget.open(head.caller()));
    }
    collect(body, bounds, intake, |chunk| head.update(chunk))
}

/// Reads the body of a peer that is authenticated by it, within limits of their own. It counts as nobody's memory until it
/// is somebody's.
pub(super) async fn read_unauthenticated<B>(
    mac: &mut BodyMac<'_, '_>,
    body: Pin<&mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
    intake: &mut Intake,
) -> Result<(), Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let bounds = Bounds {
        max_bytes: limits.unauthenticated_max_bytes,
        deadline: limits.unauthenticated_deadline,
        copies: u64::try_from(mac.copies()).unwrap_or(u64::MAX),
        // Nothing is proven yet, so that it cannot be said that the signature was right and the body was not.
        broken_off: RejectionKind::InvalidSignature,
    };
    if !body.is_end_stream() {
        if intake.is_passing() && bounds.copies > 0 {
            intake.leave_undecided();
            return Err(Refusal::unavailable(Store::BodyBuffer.name()));
        }
        intake.is_held_by(budget.open_for_nobody());
    }
    collect(body, bounds, intake, |chunk| mac.update(chunk)).await
}

/// Takes the memory over into the budget of the caller that has been proven by now.
pub(super) fn hand_over(
    intake: &mut Intake,
    caller: &KeyId,
    budget: &BodyBudget,
) -> Result<(), Refusal> {
    let mut reservation = budget.open(caller);
    if !reservation.grow(intake.held()) {
        return Err(buffer_full());
    }
    intake.is_held_by(reservation);
    Ok(())
}

fn buffer_full() -> Refusal {
    metrics::store_error(Store::BodyBuffer, StoreError::Full);
    Refusal::unavailable(Store::BodyBuffer.name())
}

struct Bounds {
    max_bytes: u64,
    deadline: Duration,
    /// How many times the body is held beside the chunks.
    copies: u64,
    /// What a body is refused for that breaks off.
    broken_off: RejectionKind,
}

/// Reads a body to its end and hands each chunk over as it arrives.
fn collect<'b, B>(
    body: Pin<&'b mut B>,
    bounds: Bounds,
    intake: &'b mut Intake,
    update: impl FnMut(&[u8]),
) -> impl Future<Output = Result<(), Refusal>>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut reading = Reading {
        body,
        bounds,
        intake,
        update,
        received: 0,
    };
    // Most bodies are there already, and then no timer is set.
    let mut timer = None;
    poll_fn(move |cx| {
        if let Poll::Ready(read) = reading.poll(cx) {
            return Poll::Ready(read);
        }
        let deadline = reading.bounds.deadline;
        // A body that is always ready uses up all that the task may do at once, and the timer must fire nevertheless.
        let sleep = || Box::pin(unconstrained(tokio::time::sleep(deadline)));
        let timer = timer.get_or_insert_with(sleep);
        timer.as_mut().poll(cx).map(|()| Err(TOO_SLOW.into()))
    })
}

struct Reading<'b, B, F> {
    body: Pin<&'b mut B>,
    bounds: Bounds,
    intake: &'b mut Intake,
    update: F,
    received: u64,
}

impl<B, F> Reading<'_, B, F>
where
    B: Body,
    B::Error: Into<BoxError>,
    F: FnMut(&[u8]),
{
    /// Ready at the end of the body, or where it may not go on.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        if !self.intake.has_begun() {
            if self.body.is_end_stream() {
                return Poll::Ready(Ok(()));
            }
            if self.body.size_hint().lower() > self.bounds.max_bytes {
                return Poll::Ready(Err(TOO_LARGE.into()));
            }
            self.intake.begin();
        }
        while let Some(frame) = ready!(self.body.as_mut().poll_frame(cx)) {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => self.take(data)?,
                // Trailers are not covered by the signature: whoever was let through is shown none.
                Ok(Err(frame)) => self.intake.push_last(Ok(frame.map_data(|_| Bytes::new()))),
                Err(error) => {
                    let error = error.into();
                    let refusal = broken_off(self.bounds.broken_off, error.as_ref());
                    self.intake.push_last(Err(error));
                    self.intake.end();
                    return Poll::Ready(Err(refusal));
                }
            }
        }
        self.intake.end();
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, mut data: B::Data) -> Result<(), Refusal> {
        let len = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(len);
        let chunk = data.copy_to_bytes(data.remaining());
        if self.received > self.bounds.max_bytes {
            self.intake.push_last(Ok(Frame::data(chunk)));
            return Err(TOO_LARGE.into());
        }
        let held = u64::from(!self.intake.is_passing());
        let copies = held.saturating_add(self.bounds.copies);
        if !self.intake.reserve(len.saturating_mul(copies)) {
            self.intake.push_last(Ok(Frame::data(chunk)));
            return Err(buffer_full());
        }
        (self.update)(&chunk);
        self.intake.push(chunk);
        Ok(())
    }
}

/// A body that cannot be read to its end is not the one that was signed.
fn broken_off(kind: RejectionKind, error: &(dyn Error + 'static)) -> Refusal {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return TOO_LARGE.into();
        }
        cause = error.source();
    }
    Rejection::new(kind, "the body broke off before its end").into()
}

/// Reads and forgets what a refused peer is still sending, within bounds.
pub(super) async fn drain<B: Body>(mut body: Pin<&mut B>, bounds: Drain) {
    let reading = async {
        let mut left = bounds.bytes;
        while let Some(Ok(frame)) = body.frame().await {
            let len = frame.data_ref().map_or(0, Buf::remaining);
            left = left.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
            if left == 0 {
                return;
            }
        }
    };
    let _: Result<(), _> = tokio::time::timeout(bounds.time, reading).await;
}
