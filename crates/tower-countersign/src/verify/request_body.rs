use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use super::budget::Reservation;
use crate::{BoxError, chunks::Chunks};

/// The body of a request that this layer passes on.
///
/// If the layer enforces, this body is verified and whole in memory. It has no trailers, because no
/// signature covers them, and reading it never fails. Its memory counts towards the layer's budget
/// until the body is read or dropped.
///
/// If the layer [only reports](crate::VerifyLayer::insecure_report_only), this body is the body of
/// the request, unchanged and unverified, with its trailers and its errors.
///
/// `Debug` shows only the length.
#[derive(Default)]
pub struct RequestBody {
    chunks: Chunks,
    _reservation: Option<Reservation>,
    /// `None` if the layer enforces.
    rest: Option<Box<Rest>>,
}

/// The rest of an unverified body, after the chunks that were read.
struct Rest {
    last: Option<Box<Result<Frame<Bytes>, BoxError>>>,
    body: Option<Mutex<UnsyncBoxBody<Bytes, BoxError>>>,
}

impl RequestBody {
    pub(super) fn new(chunks: Chunks, reservation: Option<Reservation>) -> Self {
        Self {
            chunks,
            _reservation: reservation,
            rest: None,
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
            rest: (last.is_some() || body.is_some()).then(|| Box::new(Rest { last, body })),
        }
    }
}

impl Rest {
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
        match (this.chunks.pop(), &mut this.rest) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            (None, Some(rest)) => rest.poll_frame(cx),
            (None, None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_end_stream() && self.rest.as_ref().is_none_or(|rest| rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            None => self.chunks.size_hint(),
            Some(rest) => longer_by(rest.size_hint(), self.chunks.len()),
        }
    }
}
