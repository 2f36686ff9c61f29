use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::{Buf, Bytes};
use countersign::{PayloadDigest, SignError, SignErrorKind};
use http::HeaderMap;
use http_body::{Body, Frame};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::total_bytes::{Reserved, TotalBytes};
use crate::{
    BoxError,
    body_timer::{BodyTimer, Late, TimeLimits},
    chunks::Chunks,
    cooperative_hash::CooperativeHash,
    grpc,
};

/// The limits on a body that is read into memory for signing.
#[derive(Clone, Debug)]
pub(super) struct BufferLimits {
    pub(super) bytes: u64,
    pub(super) total: TotalBytes,
    pub(super) deadline: Duration,
    pub(super) idle: Duration,
    pub(super) grpc_idle: Duration,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self {
            // The default of `BodyLimits`.
            bytes: 2 * 1024 * 1024,
            total: TotalBytes::default(),
            deadline: Duration::from_secs(30),
            idle: Duration::from_secs(10),
            grpc_idle: Duration::from_millis(500),
        }
    }
}

/// A body in memory, ready to be signed.
#[derive(Debug)]
pub(super) struct BufferedBody {
    chunks: Chunks,
    digest: PayloadDigest,
    reserved: Reserved,
}

impl BufferedBody {
    /// Reads the whole body and computes its digest.
    ///
    /// Refuses trailers: no signature covers them, and dropping them would lose data.
    pub(super) async fn read<B>(
        body: B,
        headers: &HeaderMap,
        limits: &BufferLimits,
    ) -> Result<Self, SignError>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let size = body.size_hint();
        if size.lower() > limits.bytes {
            return Err(too_large(limits.bytes, size.lower()));
        }
        let waiting = Waiting {
            limits,
            is_grpc: size.exact().is_none() && grpc::is_grpc(headers),
        };
        let mut body = pin!(body);
        let mut timer = None;
        let mut slices = CooperativeHash::default();
        let mut chunks = Chunks::default();
        let mut hash = Sha256::new();
        let mut reserved = limits.total.open();
        let mut read: u64 = 0;
        while let Some(frame) = waiting.frame(body.as_mut(), &mut timer, read).await? {
            let mut data = frame.into_data().map_err(|_| {
                error("body: expected no trailers, which no signature covers, found some")
            })?;
            let arrived = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
            read = read.saturating_add(arrived);
            if read > limits.bytes {
                return Err(too_large(limits.bytes, read));
            }
            reserved.grow(arrived)?;
            let chunk = data.copy_to_bytes(data.remaining());
            let hashed = match slices.take(chunk, |slice| hash.update(slice)) {
                Some(chunk) => Some(chunk),
                None => poll_fn(|cx| slices.poll(cx, |slice| hash.update(slice))).await,
            };
            if let Some(chunk) = hashed {
                chunks.push(chunk);
            }
        }
        let digest = PayloadDigest::from_bytes(hash.finalize().into());
        Ok(Self {
            chunks,
            digest,
            reserved,
        })
    }

    pub(super) fn digest(&self) -> PayloadDigest {
        self.digest
    }

    /// Returns the whole body as one buffer.
    pub(super) fn bytes(&mut self) -> Bytes {
        self.chunks.in_one_piece()
    }

    /// Returns the body, and its share of the memory until that is dropped.
    pub(super) fn into_parts(self) -> (Chunks, Reserved) {
        (self.chunks, self.reserved)
    }
}

/// How to wait for the next frame of a body.
struct Waiting<'l> {
    limits: &'l BufferLimits,
    /// Whether the body is a gRPC stream of unknown length.
    is_grpc: bool,
}

impl Waiting<'_> {
    /// Returns the next frame, or `None` at the end of the body.
    async fn frame<B>(
        &self,
        mut body: Pin<&mut B>,
        timer: &mut Option<Pin<Box<BodyTimer>>>,
        read: u64,
    ) -> Result<Option<Frame<B::Data>>, SignError>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        poll_fn(|cx| {
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
                // Most bodies are ready at once and need no timer. A timer needs a runtime.
                if timer.is_none() && Handle::try_current().is_err() {
                    return Poll::Pending;
                }
                let timer = timer.get_or_insert_with(|| BodyTimer::start(self.time_limits()));
                let late = timer.as_mut().poll_late(cx, read);
                return late.map(|late| Err(self.late(late, read)));
            };
            if let Some(timer) = timer {
                timer.as_mut().arrived();
            }
            Poll::Ready(
                frame
                    .transpose()
                    .map_err(|cause| error(format!("body: cannot be read: {}", cause.into()))),
            )
        })
        .await
    }

    fn time_limits(&self) -> TimeLimits {
        let &BufferLimits {
            deadline,
            idle,
            grpc_idle,
            ..
        } = self.limits;
        TimeLimits {
            deadline,
            idle: if self.is_grpc {
                idle.min(grpc_idle)
            } else {
                idle
            },
            least_rate: 0,
        }
    }

    fn late(&self, late: Late, read: u64) -> SignError {
        let TimeLimits { deadline, idle, .. } = self.time_limits();
        let (expected, setting) = match late {
            Late::Deadline => (format!("its end within {deadline:?}"), "with_body_deadline"),
            Late::Idle | Late::Rate if self.is_grpc => {
                (format!("a byte every {idle:?}"), "with_grpc_idle")
            }
            Late::Idle | Late::Rate => (format!("a byte every {idle:?}"), "with_body_idle"),
        };
        let instead = if self.is_grpc {
            "use a unary or server-streaming call, or send the messages of a client-streaming call \
             without pauses (a bidirectional gRPC call cannot be signed)"
        } else {
            "a signature covers the whole body: send a body that ends, or add its PayloadDigest to \
             the request's extensions to stream it"
        };
        error(format!(
            "body: expected {expected}, found {read} bytes and no end (see {setting}); {instead}"
        ))
    }
}

fn error(message: impl Into<String>) -> SignError {
    SignError::new(SignErrorKind::Body, message)
}

fn too_large(limit: u64, found: u64) -> SignError {
    error(format!(
        "body: expected at most {limit} bytes, found at least {found} (see with_buffer_bytes; \
         the limit of a verifying layer is in BodyLimits)"
    ))
}
