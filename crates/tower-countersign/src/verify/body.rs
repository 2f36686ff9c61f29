//! Step 8: the body, within its limits.

use std::{
    error::Error,
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::{Buf, Bytes};
use countersign::{AuthenticatedHead, BodyMac, KeyId, Rejection, RejectionKind, Verified};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, LengthLimitError};

use super::{
    body_limits::BodyLimits,
    budget::{BodyBudget, Reservation},
    intake::Intake,
    refusal::Refusal,
    settings::Drain,
};
use crate::{
    BoxError,
    metrics::{self, Store, StoreError},
};

const TOO_LARGE: Rejection =
    Rejection::new(RejectionKind::TooLarge, "the body is larger than the limit");

/// Reads the body of an authenticated peer to its end, hashing it as it arrives, and checks its digest.
pub(super) async fn read<B>(
    mut head: AuthenticatedHead<'_, '_>,
    body: Pin<&mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
    intake: &mut Intake,
) -> Result<Verified, Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Ok(head.finish()?);
    }
    let bounds = Bounds {
        max_bytes: limits.max_bytes,
        deadline: limits.deadline,
        copies: 0,
        broken_off: RejectionKind::BodyMismatch,
    };
    let mut reservation = budget.open(head.caller());
    let read = collect(body, &bounds, &mut reservation, intake, |chunk| {
        head.update(chunk);
    })
    .await;
    intake.is_held_by(reservation);
    read?;
    Ok(head.finish()?)
}

/// Reads the body of a peer that is authenticated by it, within limits of their own. It counts as nobody's memory until it
/// is somebody's.
pub(super) async fn read_unauthenticated<'c, 'r, B>(
    mut mac: BodyMac<'c, 'r>,
    body: Pin<&mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
    intake: &mut Intake,
) -> Result<BodyMac<'c, 'r>, Refusal>
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
    if body.is_end_stream() {
        return Ok(mac);
    }
    if intake.is_passing() && bounds.copies > 0 {
        intake.leave_undecided();
        return Err(Refusal::unavailable(Store::BodyBuffer.name()));
    }
    let mut reservation = budget.open_for_nobody();
    let read = collect(body, &bounds, &mut reservation, intake, |chunk| {
        mac.update(chunk);
    })
    .await;
    intake.is_held_by(reservation);
    read?;
    Ok(mac)
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
async fn collect<B>(
    mut body: Pin<&mut B>,
    bounds: &Bounds,
    reservation: &mut Reservation,
    intake: &mut Intake,
    mut update: impl FnMut(&[u8]),
) -> Result<(), Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > bounds.max_bytes {
        return Err(TOO_LARGE.into());
    }
    intake.begin();
    let held = u64::from(!intake.is_passing());
    let mut received: u64 = 0;
    let mut reading = pin!(async {
        while let Some(frame) = body.frame().await {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    let error = error.into();
                    let refusal = broken_off(bounds.broken_off, error.as_ref());
                    intake.push_last(Err(error));
                    return Err(refusal);
                }
            };
            let mut data = match frame.into_data() {
                Ok(data) => data,
                Err(frame) => {
                    // Trailers are not covered by the signature: whoever was let through is shown none.
                    intake.push_last(Ok(frame.map_data(|_| Bytes::new())));
                    continue;
                }
            };
            let len = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            received = received.saturating_add(len);
            let chunk = data.copy_to_bytes(data.remaining());
            if received > bounds.max_bytes {
                intake.push_last(Ok(Frame::data(chunk)));
                return Err(TOO_LARGE.into());
            }
            if !reservation.grow(len.saturating_mul(held.saturating_add(bounds.copies))) {
                intake.push_last(Ok(Frame::data(chunk)));
                return Err(buffer_full());
            }
            update(&chunk);
            intake.push(chunk);
        }
        intake.end();
        Ok(())
    });
    // Most bodies are there already, and then no timer is set.
    let read = match poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
        Poll::Ready(read) => Ok(read),
        Poll::Pending => {
            // It has been polled just now: only the timer is to be.
            let mut polled = true;
            let reading = poll_fn(|cx| {
                if mem::take(&mut polled) {
                    return Poll::Pending;
                }
                reading.as_mut().poll(cx)
            });
            tokio::time::timeout(bounds.deadline, reading).await
        }
    };
    match read {
        Ok(read) => read?,
        Err(_) => {
            return Err(Rejection::new(
                RejectionKind::Timeout,
                "the body took longer than its deadline",
            )
            .into());
        }
    }
    Ok(())
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
