use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{buffered_body::BufferedBody, total_bytes::Reserved};
use crate::{BoxError, chunks::Chunks};

pin_project! {
    /// The body of a signed request: in memory, or streamed under a digest that the caller
    /// supplied.
    #[derive(Debug)]
    pub struct SignedBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Inner<B> {
        Buffered { chunks: Chunks, _reserved: Reserved },
        Streamed { #[pin] body: B },
    }
}

impl<B> SignedBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    /// Streams the body unread, because its digest was computed elsewhere.
    pub(super) fn streamed(body: B) -> Self {
        Self {
            inner: Inner::Streamed { body },
        }
    }
}

impl<B> From<BufferedBody> for SignedBody<B> {
    fn from(body: BufferedBody) -> Self {
        let (chunks, reserved) = body.into_parts();
        Self {
            inner: Inner::Buffered {
                chunks,
                _reserved: reserved,
            },
        }
    }
}

impl<B> Body for SignedBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project().inner.project() {
            Projected::Buffered { chunks, .. } => {
                let frame = ready!(Pin::new(chunks).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
            }
            Projected::Streamed { body } => {
                let frame = ready!(body.poll_frame(cx));
                let to_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(frame) => Ok(frame.map_data(to_bytes)),
                    Err(error) => Err(error.into()),
                }))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Buffered { chunks, .. } => chunks.is_end_stream(),
            Inner::Streamed { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Buffered { chunks, .. } => chunks.size_hint(),
            Inner::Streamed { body } => body.size_hint(),
        }
    }
}
