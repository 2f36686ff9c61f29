use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{
    erased::in_bytes,
    request_body::longer_by,
    stream::{BodyError, Gate},
};
use crate::{BoxError, chunks::Chunks};

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
        // The body of a signed answer, or of one that was too large to sign.
        Collected {
            chunks: Chunks,
            rest: Option<Pin<Box<ResponseBody<B>>>>,
        },
        // The answer to a request whose body may still fail.
        Guarded {
            #[pin]
            body: B,
            guard: Box<Guard>,
        },
    }
}

/// Ends the body of an answer with an error if the body of the request fails.
struct Guard {
    /// `None` once the body of the request is verified.
    gate: Option<Gate>,
    /// The last frame, until the body of the request is verified.
    held: Option<Frame<Bytes>>,
    is_at_end: bool,
}

impl Guard {
    /// Returns `Ready` once the body of the request is verified.
    fn poll_verified(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if let Some(gate) = &mut self.gate {
            ready!(gate.poll(cx)).map_err(BodyError::of)?;
            self.gate = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl<B> ResponseBody<B> {
    /// Returns the answer to a request whose body may still fail.
    pub(super) fn guarded(body: B, gate: Gate) -> Self {
        let guard = Box::new(Guard {
            gate: Some(gate),
            held: None,
            is_at_end: false,
        });
        Self {
            inner: Inner::Guarded { body, guard },
        }
    }

    /// Returns a body that was read to its end.
    pub(super) fn collected(chunks: Chunks) -> Self {
        Self {
            inner: Inner::Collected { chunks, rest: None },
        }
    }

    /// Returns a body of which these chunks were read.
    pub(super) fn begun(chunks: Chunks, rest: Pin<Box<Self>>) -> Self {
        let rest = Some(rest);
        Self {
            inner: Inner::Collected { chunks, rest },
        }
    }

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

impl<B> Body for ResponseBody<B>
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
            Projected::Handled { body } => {
                let frame = ready!(body.poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map(in_bytes).map_err(Into::into)))
            }
            Projected::Guarded { mut body, guard } => {
                while guard.held.is_none() && !guard.is_at_end {
                    let Some(frame) = ready!(body.as_mut().poll_frame(cx)) else {
                        guard.is_at_end = true;
                        break;
                    };
                    let frame = in_bytes(frame.map_err(Into::into)?);
                    let is_last = body.is_end_stream() || body.size_hint().exact() == Some(0);
                    if !is_last || guard.gate.is_none() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    guard.held = Some(frame);
                }
                // The peer of a response with a length takes the last byte for the end.
                ready!(guard.poll_verified(cx))?;
                Poll::Ready(guard.held.take().map(Ok))
            }
            Projected::Collected { chunks, rest } => {
                if !chunks.is_end_stream() {
                    let frame = ready!(Pin::new(chunks).poll_frame(cx));
                    return Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})));
                }
                match rest {
                    None => Poll::Ready(None),
                    Some(rest) => rest.as_mut().poll_frame(cx),
                }
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
            Inner::Guarded { body, guard } => {
                guard.gate.is_none() && guard.held.is_none() && body.is_end_stream()
            }
            Inner::Collected { chunks, rest } => {
                chunks.is_end_stream() && rest.as_ref().is_none_or(Body::is_end_stream)
            }
            Inner::Refused { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Handled { body } => body.size_hint(),
            Inner::Guarded { body, guard } => {
                let held = guard.held.as_ref().and_then(Frame::data_ref);
                let held = held.map_or(0, Bytes::len);
                longer_by(body.size_hint(), u64::try_from(held).unwrap_or(u64::MAX))
            }
            Inner::Collected { chunks, rest } => match rest {
                None => chunks.size_hint(),
                Some(rest) => {
                    let begun = chunks.size_hint().lower();
                    longer_by(rest.size_hint(), begun)
                }
            },
            Inner::Refused { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
            }
        }
    }
}
