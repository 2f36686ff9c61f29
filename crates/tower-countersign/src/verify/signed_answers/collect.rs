use std::{future::poll_fn, pin::Pin, time::Duration};

use bytes::Buf;
use countersign::PayloadDigest;
use http_body::Body;
use sha2::{Digest as _, Sha256};

use super::unsignable::Unsignable;
use crate::{BoxError, chunks::Chunks, cooperative_hash::CooperativeHash};

/// A body in memory, and its digest. What was read of a body that is too large is in `chunks`.
pub(super) struct Collected {
    pub(super) chunks: Chunks,
    pub(super) digest: Result<PayloadDigest, Unsignable>,
}

/// Reads a body to its end, or until it exceeds a limit.
pub(super) async fn collect<B>(body: Pin<&mut B>, limit: u64, deadline: Duration) -> Collected
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut chunks = Chunks::default();
    let read = tokio::time::timeout(deadline, read(body, limit, &mut chunks)).await;
    let digest = read.unwrap_or(Err(Unsignable::Late));
    Collected { chunks, digest }
}

async fn read<B>(
    mut body: Pin<&mut B>,
    limit: u64,
    chunks: &mut Chunks,
) -> Result<PayloadDigest, Unsignable>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    if body.size_hint().lower() > limit {
        return Err(Unsignable::TooLarge { limit });
    }
    let mut slices = CooperativeHash::default();
    let mut hash = Sha256::new();
    let mut length: u64 = 0;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| Unsignable::Broken(error.into()))?;
        let mut data = frame.into_data().map_err(|_| Unsignable::Trailers)?;
        let arrived = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        length = length.saturating_add(arrived);
        let chunk = data.copy_to_bytes(data.remaining());
        if length > limit {
            chunks.push(chunk);
            return Err(Unsignable::TooLarge { limit });
        }
        let hashed = match slices.take(chunk, |slice| hash.update(slice)) {
            Some(chunk) => Some(chunk),
            None => poll_fn(|cx| slices.poll(cx, |slice| hash.update(slice))).await,
        };
        if let Some(chunk) = hashed {
            chunks.push(chunk);
        }
    }
    Ok(PayloadDigest::from_bytes(hash.finalize().into()))
}
