use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use countersign::{Rejection, RejectionKind};

use super::{
    budget::Reservation,
    spill::FileBody,
    stream::{BodyError, BodyErrorKind, BodyStream},
};
use crate::{BoxError, chunks::Chunks, verified_caller::VerifiedCaller};

/// The body of a request that this layer passes on.
///
/// | mode | this body |
/// |---|---|
/// | [`Buffer`](crate::BodyMode::Buffer) | is verified and whole in memory. Reading it never fails. Its memory counts towards the layer's budget until the body is read or dropped. |
/// | [`Spill`](crate::BodyMode::Spill) | is verified and whole, in memory or in a file. Reading it fails only if the disk does. |
/// | [`Stream`](crate::BodyMode::Stream) | is verified while it is read. It ends with a [`BodyError`] if it is not the signed body; its last bytes come after the digest has matched. |
/// | [report only](crate::VerifyLayer::insecure_report_only) | is the body of the request, unchanged and unverified, with its trailers and its errors. |
///
/// In the first three modes it has no trailers, because no signature covers them.
///
/// `Debug` shows only the length.
#[derive(Default)]
pub struct RequestBody {
    chunks: Chunks,
    _reservation: Option<Reservation>,
    rest: Rest,
}

/// What comes after the chunks.
#[derive(Default)]
enum Rest {
    #[default]
    Nothing,
    /// The chunks are the whole body of this caller's request.
    VerifiedAs(VerifiedCaller),
    /// The rest of an unverified body.
    Unverified(Box<Unverified>),
    Streamed(Streamed),
    /// A verified body in a file.
    InFile(Box<InFile>),
}

struct InFile {
    body: FileBody,
    caller: VerifiedCaller,
}

struct Unverified {
    last: Option<Box<Result<Frame<Bytes>, BoxError>>>,
    body: Option<Mutex<UnsyncBoxBody<Bytes, BoxError>>>,
}

/// The handler's end of a streamed body.
struct Streamed(BodyStream);

impl Drop for Streamed {
    fn drop(&mut self) {
        self.0.dropped();
    }
}

impl RequestBody {
    pub(super) fn new(
        chunks: Chunks,
        reservation: Option<Reservation>,
        caller: Option<VerifiedCaller>,
    ) -> Self {
        Self {
            chunks,
            _reservation: reservation,
            rest: caller.map_or(Rest::Nothing, Rest::VerifiedAs),
        }
    }

    pub(super) fn in_file(body: FileBody, caller: VerifiedCaller) -> Self {
        Self {
            chunks: Chunks::default(),
            _reservation: None,
            rest: Rest::InFile(Box::new(InFile { body, caller })),
        }
    }

    pub(super) fn streamed(stream: BodyStream) -> Self {
        Self {
            chunks: Chunks::default(),
            _reservation: None,
            rest: Rest::Streamed(Streamed(stream)),
        }
    }

    pub(super) fn unverified(
        chunks: Chunks,
        reservation: Option<Reservation>,
        last: Option<Box<Result<Frame<Bytes>, BoxError>>>,
        rest: Option<UnsyncBoxBody<Bytes, BoxError>>,
    ) -> Self {
        let body = rest.map(Mutex::new);
        Self {
            chunks,
            _reservation: reservation,
            rest: if last.is_some() || body.is_some() {
                Rest::Unverified(Box::new(Unverified { last, body }))
            } else {
                Rest::Nothing
            },
        }
    }

    /// Reads and drops the rest, and returns the caller once the whole body is verified.
    ///
    /// With axum, take a [`StreamedBody`](crate::StreamedBody) instead: axum hides this type.
    ///
    /// # Errors
    ///
    /// A [`BodyError`] if the body is not the signed one, breaks a limit, or cannot be read. In
    /// report-only mode always, because nothing is verified.
    pub async fn verified(self) -> Result<VerifiedCaller, BodyError> {
        match &self.rest {
            Rest::VerifiedAs(caller) => Ok(caller.clone()),
            Rest::Streamed(Streamed(stream)) => stream.verified().await,
            Rest::InFile(file) => Ok(file.caller.clone()),
            Rest::Nothing | Rest::Unverified(_) => {
                let reason = "body: expected a layer that enforces, found one that only reports";
                let rejection = Rejection::new(RejectionKind::BodyMismatch, reason);
                Err(BodyError::new(BodyErrorKind::Unverified, rejection))
            }
        }
    }
}

impl Unverified {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(last) = self.last.take() {
            return Poll::Ready(Some(*last));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let body = body.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.of_body(Body::is_end_stream).unwrap_or(true)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.of_body(Body::size_hint);
        let body = body.unwrap_or_else(|| SizeHint::with_exact(0));
        longer_by(body, data_len(self.last.as_deref()))
    }

    fn of_body<T>(&self, ask: impl Fn(&UnsyncBoxBody<Bytes, BoxError>) -> T) -> Option<T> {
        let body = self.body.as_ref()?;
        // Never contended: the lock only makes the body `Sync`.
        Some(ask(&body.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Returns the length of the data of a frame, if it has any.
pub(super) fn data_len<E>(frame: Option<&Result<Frame<Bytes>, E>>) -> u64 {
    let data = match frame {
        Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
        Some(Err(_)) | None => 0,
    };
    u64::try_from(data).unwrap_or(u64::MAX)
}

pub(super) fn longer_by(hint: SizeHint, bytes: u64) -> SizeHint {
    let mut longer = SizeHint::new();
    if let Some(upper) = hint.upper().and_then(|upper| upper.checked_add(bytes)) {
        longer.set_upper(upper);
    }
    longer.set_lower(
        hint.lower()
            .saturating_add(bytes)
            .min(longer.upper().unwrap_or(u64::MAX)),
    );
    longer
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("chunks", &self.chunks)
            .finish_non_exhaustive()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(chunk) = this.chunks.pop() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match &mut this.rest {
            Rest::Nothing | Rest::VerifiedAs(_) => Poll::Ready(None),
            Rest::Unverified(rest) => rest.poll_frame(cx),
            Rest::Streamed(Streamed(stream)) => {
                let data = ready!(stream.poll_data(cx));
                Poll::Ready(data.map(|data| data.map(Frame::data).map_err(Into::into)))
            }
            Rest::InFile(file) => {
                let data = ready!(file.body.poll_piece(cx));
                Poll::Ready(data.map(|data| data.map(Frame::data).map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_end_stream()
            && match &self.rest {
                Rest::Nothing | Rest::VerifiedAs(_) => true,
                Rest::Unverified(rest) => rest.is_end_stream(),
                Rest::Streamed(Streamed(stream)) => stream.is_end_stream(),
                Rest::InFile(file) => file.body.remaining() == 0,
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Nothing | Rest::VerifiedAs(_) => self.chunks.size_hint(),
            Rest::Unverified(rest) => longer_by(rest.size_hint(), self.chunks.len()),
            Rest::Streamed(Streamed(stream)) => stream.size_hint(),
            Rest::InFile(file) => SizeHint::with_exact(file.body.remaining()),
        }
    }
}
