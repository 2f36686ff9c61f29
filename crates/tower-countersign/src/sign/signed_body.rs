use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use countersign::{PayloadDigest, SignError, SignErrorKind};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use pin_project_lite::pin_project;
use sha2::{Digest, Sha256};

use crate::{BoxError, chunks::Chunks};

pin_project! {
    /// The body of a signed request: in memory, or streamed under a digest that the caller supplied.
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
        Buffered { chunks: Chunks },
        Streamed { #[pin] body: B },
    }
}

impl<B> SignedBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    /// The body as it is, for a digest that was computed elsewhere.
    pub(super) fn streamed(body: B) -> Self {
        Self {
            inner: Inner::Streamed { body },
        }
    }

    /// Reads the whole body and its digest.
    ///
    /// Trailers are refused: no signature covers them, and leaving them out would lose what the application sent.
    pub(super) async fn buffered(body: B, limit: u64) -> Result<BufferedBody, SignError> {
        let refused = |problem: &str| SignError::new(SignErrorKind::Body, problem);
        let too_large = || {
            SignError::new(
                SignErrorKind::Body,
                format!("body: expected at most {limit} bytes, found more"),
            )
        };
        if body.size_hint().lower() > limit {
            return Err(too_large());
        }
        let mut chunks = Chunks::default();
        let mut hash = Sha256::new();
        let mut read: u64 = 0;
        let mut body = pin!(body);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                SignError::new(
                    SignErrorKind::Body,
                    format!("body: cannot be read: {}", error.into()),
                )
            })?;
            let mut data = frame
                .into_data()
                .map_err(|_| refused("body: trailers cannot be signed"))?;
            read = read.saturating_add(u64::try_from(data.remaining()).unwrap_or(u64::MAX));
            if read > limit {
                return Err(too_large());
            }
            let chunk = data.copy_to_bytes(data.remaining());
            hash.update(&chunk);
            chunks.push(chunk);
        }
        let digest = PayloadDigest::from_bytes(hash.finalize().into());
        Ok(BufferedBody { chunks, digest })
    }
}

/// A body that was read into memory to be signed.
pub(super) struct BufferedBody {
    chunks: Chunks,
    digest: PayloadDigest,
}

impl BufferedBody {
    pub(super) fn digest(&self) -> PayloadDigest {
        self.digest
    }

    /// The whole body in one piece.
    pub(super) fn bytes(&mut self) -> Bytes {
        self.chunks.in_one_piece()
    }
}

impl<B> From<BufferedBody> for SignedBody<B> {
    fn from(body: BufferedBody) -> Self {
        let inner = Inner::Buffered {
            chunks: body.chunks,
        };
        Self { inner }
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
            Projected::Buffered { chunks } => {
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
            Inner::Buffered { chunks } => chunks.is_end_stream(),
            Inner::Streamed { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Buffered { chunks } => chunks.size_hint(),
            Inner::Streamed { body } => body.size_hint(),
        }
    }
}
