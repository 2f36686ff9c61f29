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
use countersign::{AuthenticatedHead, Rejection, RejectionKind, Verified};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError};

use super::{
    body_limits::BodyLimits, budget::BodyBudget, refusal::Refusal, settings::Drain,
    verified_body::VerifiedBody,
};
use crate::{BoxError, chunks::Chunks};

const TOO_LARGE: Rejection =
    Rejection::new(RejectionKind::TooLarge, "the body is larger than the limit");

/// Reads a body to its end, hashing it as it arrives, and checks its digest.
pub(super) async fn read<B>(
    mut head: AuthenticatedHead<'_>,
    mut body: Pin<&mut B>,
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
    if body.size_hint().lower() > limits.max_bytes {
        return Err(TOO_LARGE.into());
    }
    let mut chunks = Chunks::default();
    let mut reservation = budget.open(head.caller());
    let mut received: u64 = 0;
    let mut reading = pin!(async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken_off(error.into().as_ref()))?;
            // Trailers are not covered by the signature and are dropped.
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let len = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            received = received.saturating_add(len);
            if received > limits.max_bytes {
                return Err(TOO_LARGE.into());
            }
            if !reservation.grow(len) {
                return Err(Refusal::unavailable("body buffer"));
            }
            let chunk = data.copy_to_bytes(data.remaining());
            head.update(&chunk);
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
            tokio::time::timeout(limits.deadline, reading).await
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
    Ok((head.finish()?, VerifiedBody::new(chunks, reservation)))
}

/// A body that cannot be read to its end is not the one that was signed.
fn broken_off(error: &(dyn Error + 'static)) -> Refusal {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return TOO_LARGE.into();
        }
        cause = error.source();
    }
    Rejection::new(
        RejectionKind::BodyMismatch,
        "the body broke off before its end",
    )
    .into()
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

/// How long a body may be on its way after its date was judged.
pub(super) fn longest(limits: &BodyLimits) -> Duration {
    limits.deadline
}
