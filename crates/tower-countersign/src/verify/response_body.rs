use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response, from the inner service or from a refusal.
    ///
    /// `Default` gives an empty body for every inner body, so that layers that create responses
    /// compose.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Inner<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Inner<B> {
        Handled { #[pin] body: B },
        Refused { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn handled(body: B) -> Self {
        Self {
            inner: Inner::Handled { body },
        }
    }

    pub(crate) fn refused(bytes: Bytes) -> Self {
        Self {
            inner: Inner::Refused { bytes },
        }
    }
}

impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::refused(Bytes::new())
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().inner.project() {
            Projected::Handled { body } => {
                let frame = ready!(body.poll_frame(cx));
                // For `Bytes` this makes no copy.
                let to_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(to_bytes))))
            }
            Projected::Refused { bytes } if bytes.is_empty() => Poll::Ready(None),
            Projected::Refused { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Handled { body } => body.is_end_stream(),
            Inner::Refused { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Handled { body } => body.size_hint(),
            Inner::Refused { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}
