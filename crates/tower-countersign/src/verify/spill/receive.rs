//! Step 9 of a request whose body is held in a file.

use std::{
    fs::File,
    future::poll_fn,
    pin::Pin,
    task::{Poll, ready},
};

use bytes::Buf as _;
use countersign::{BodyBound, DetachedHead, Rejection};
use http_body::Body;

use super::{
    limits::{Spill, SpillLimits},
    spilled_file::{self, SpilledFile, unavailable},
};
use crate::{
    BoxError,
    body_timer::{BodyTimer, Late},
    chunks::Chunks,
    cooperative_hash::CooperativeHash,
    metrics::{self, Store, StoreError},
    refusal::Refusal,
    verify::{
        body,
        budget::{BodyBudget, Full, Holder, Size},
        buffered::Buffered,
    },
};

/// The number of bytes that are collected in memory and written at a time.
const BATCH: u64 = 256 * 1024;

/// Reads the body of an authenticated peer to its end, and hashes it as it arrives. What does not
/// fit into memory goes to a file. No more than one batch is in memory.
pub(in crate::verify) async fn receive<B>(
    head: &mut DetachedHead,
    mut body: Pin<&mut B>,
    spill: &Spill,
    memory: &BodyBudget,
    buffered: &mut Buffered,
) -> Result<(), Refusal>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let limits = &spill.limits;
    let holder = || Holder::Caller(head.caller().clone());
    let mut space = spill.space.open(holder());
    let mut in_memory = memory.open(holder());
    let declared = body.size_hint().lower();
    if declared > limits.max_bytes {
        return Err(too_large(limits, declared));
    }
    if declared > BATCH {
        // Refuses a body that cannot fit, before a byte is read. Others may take the space until
        // the bytes arrive.
        space
            .resize(declared, Size::Large)
            .map_err(|full| no_space(&full))?;
        let _: Result<(), _> = space.resize(0, Size::Large);
    }
    buffered.begin();

    let mut file: Option<File> = None;
    let mut batch = Chunks::default();
    let mut received = 0_u64;
    let mut slices = CooperativeHash::default();
    let mut timer: Option<Pin<Box<BodyTimer>>> = None;
    loop {
        let frame = poll_fn(|cx| {
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
                let start = || BodyTimer::start(limits.time_limits());
                let timer = timer.get_or_insert_with(start);
                return Poll::Ready(Err(ready!(timer.as_mut().poll_late(cx, received))));
            };
            if let Some(timer) = &mut timer {
                timer.as_mut().arrived();
            }
            Poll::Ready(Ok(frame))
        });
        let piece = match frame.await {
            Err(late) => return Err(too_late(limits, late, received)),
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                buffered.end();
                return Err(body::broken_off(error.into().as_ref(), received));
            }
            // The signature does not cover trailers, so they are dropped.
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => data.copy_to_bytes(data.remaining()),
                Err(_) => continue,
            },
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        received = received.saturating_add(length);
        if received > limits.max_bytes {
            return Err(too_large(limits, received));
        }
        let batched = batch.len().saturating_add(length);
        let reserved = in_memory.resize(batched, Size::Large);
        reserved.map_err(|full| body::buffer_full(&full))?;
        let piece = match slices.take(piece, |slice| head.update(slice)) {
            Some(piece) => Some(piece),
            None => poll_fn(|cx| slices.poll(cx, |slice| head.update(slice))).await,
        };
        if let Some(piece) = piece {
            batch.push(piece);
        }
        if batched > BATCH {
            space
                .resize(received, Size::Large)
                .map_err(|full| no_space(&full))?;
            let to = match file.take() {
                Some(file) => Ok(file),
                None => spilled_file::create(limits.directory()).await,
            };
            let written = match to {
                Ok(file) => spilled_file::append(file, std::mem::take(&mut batch)).await,
                Err(error) => Err(error),
            };
            file = Some(written.map_err(|error| unavailable(&error))?);
            let _: Result<(), _> = in_memory.resize(0, Size::Large);
        }
    }
    buffered.end();
    let Some(file) = file else {
        buffered.count_towards(in_memory);
        while let Some(piece) = batch.pop() {
            buffered.push(piece);
        }
        return Ok(());
    };
    space
        .resize(received, Size::Large)
        .map_err(|full| no_space(&full))?;
    let file = spilled_file::append(file, batch).await;
    let file = match file {
        Ok(file) => spilled_file::rewind(file).await,
        Err(error) => Err(error),
    };
    buffered.hold_file(SpilledFile {
        file: file.map_err(|error| unavailable(&error))?,
        length: received,
        space,
    });
    Ok(())
}

#[cold]
fn no_space(full: &Full) -> Refusal {
    metrics::store_error(Store::BodyStorage, StoreError::Full);
    Refusal::Unavailable {
        what: Store::BodyStorage.name(),
        reason: full.to_string(),
    }
}

#[cold]
fn too_large(limits: &SpillLimits, found: u64) -> Refusal {
    let bound = BodyBound::Length(limits.max_bytes);
    Rejection::body(bound, found, "SpillLimits::with_max_bytes").into()
}

#[cold]
fn too_late(limits: &SpillLimits, late: Late, found: u64) -> Refusal {
    let (bound, setting) = match late {
        Late::Deadline => (
            BodyBound::Deadline(limits.deadline),
            "SpillLimits::with_deadline",
        ),
        Late::Idle => (BodyBound::Idle(limits.idle), "SpillLimits::with_idle"),
        Late::Rate => (
            BodyBound::Rate(limits.least_rate),
            "SpillLimits::with_least_rate",
        ),
    };
    Rejection::body(bound, found, setting).into()
}
