//! Step 8: the body, within its limits.

use std::{
    error::Error,
    future::{Future, poll_fn},
    mem,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::Buf;
use countersign::{AuthenticatedHead, BodyMac, KeyId, Rejection, RejectionKind, Verified};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError};

use super::{
    body_limits::BodyLimits,
    budget::{BodyBudget, Reservation},
    refusal::Refusal,
    settings::Drain,
    verified_body::VerifiedBody,
};
use crate::{BoxError, chunks::Chunks};

const TOO_LARGE: Rejection =
    Rejection::new(RejectionKind::TooLarge, "the body is larger than the limit");

/// Reads the body of an authenticated peer to its end, hashing it as it arrives, and checks its digest.
pub(super) async fn read<B>(
    mut head: AuthenticatedHead<'_, '_>,
    body: Pin<&mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
) -> Result<(Verified, VerifiedBody), Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.is_end_stream() {
        return Ok((head.finish()?, VerifiedBody::default()));
    }
    let bounds = Bounds {
        max_bytes: limits.max_bytes,
        deadline: limits.deadline,
        copies: 0,
        broken_off: RejectionKind::BodyMismatch,
    };
    let mut reservation = budget.open(head.caller());
    let chunks = collect(body, &bounds, &mut reservation, |chunk| head.update(chunk)).await?;
    Ok((head.finish()?, VerifiedBody::new(chunks, reservation)))
}

/// The body of a peer that had proven nothing while it sent it. It counts as nobody's memory until it is somebody's.
pub(super) struct UnauthenticatedBody {
    chunks: Chunks,
    len: u64,
    _reservation: Reservation,
}

/// Reads the body of a peer that is authenticated by it, within limits of their own.
pub(super) async fn read_unauthenticated<'c, 'r, B>(
    mut mac: BodyMac<'c, 'r>,
    body: Pin<&mut B>,
    limits: &BodyLimits,
    budget: &BodyBudget,
) -> Result<(BodyMac<'c, 'r>, UnauthenticatedBody), Refusal>
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
    let mut reservation = budget.open_for_nobody();
    let mut len: u64 = 0;
    let chunks = if body.is_end_stream() {
        Chunks::default()
    } else {
        collect(body, &bounds, &mut reservation, |chunk| {
            len = len.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            mac.update(chunk);
        })
        .await?
    };
    let body = UnauthenticatedBody {
        chunks,
        len,
        _reservation: reservation,
    };
    Ok((mac, body))
}

impl UnauthenticatedBody {
    /// Takes the memory over into the budget of the caller that has been proven by now.
    pub(super) fn owned_by(
        self,
        caller: &KeyId,
        budget: &BodyBudget,
    ) -> Result<VerifiedBody, Refusal> {
        let mut reservation = budget.open(caller);
        if !reservation.grow(self.len) {
            return Err(Refusal::unavailable("body buffer"));
        }
        Ok(VerifiedBody::new(self.chunks, reservation))
    }
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
    mut update: impl FnMut(&[u8]),
) -> Result<Chunks, Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > bounds.max_bytes {
        return Err(TOO_LARGE.into());
    }
    let mut chunks = Chunks::default();
    let mut received: u64 = 0;
    let mut reading = pin!(async {
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| broken_off(bounds.broken_off, error.into().as_ref()))?;
            // Trailers are not covered by the signature and are dropped.
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let len = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            received = received.saturating_add(len);
            if received > bounds.max_bytes {
                return Err(TOO_LARGE.into());
            }
            if !reservation.grow(len.saturating_add(len.saturating_mul(bounds.copies))) {
                return Err(Refusal::unavailable("body buffer"));
            }
            let chunk = data.copy_to_bytes(data.remaining());
            update(&chunk);
            chunks.push(chunk);
        }
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
    Ok(chunks)
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
