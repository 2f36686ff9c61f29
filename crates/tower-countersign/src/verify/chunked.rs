//! Bodies in the content coding `aws-chunked`: the handler sees the decoded body.

use std::{
    future::Future as _,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use countersign::{ChunkedDecoder, Decoded, HeadVerified};
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use crate::{BoxError, cooperative_hash::SLICE};

/// A borrowed body, decoded. Its last piece comes after everything is right.
///
/// A wrong body ends with a [`Rejection`](countersign::Rejection).
pub(super) struct ChunkedBody<'b, B: Body> {
    body: Pin<&'b mut B>,
    decoding: Decoding,
    /// A function and no bound, because the compiler cannot prove the bound for the future of a
    /// body with a boxed error.
    boxed: fn(B::Error) -> BoxError,
}

/// The same of a body whose type is erased.
pub(super) struct ErasedChunkedBody {
    body: UnsyncBoxBody<Bytes, BoxError>,
    decoding: Decoding,
}

struct Decoding {
    /// `None` after the end or an error.
    decoder: Option<Box<ChunkedDecoder>>,
    input: Bytes,
    /// The number of bytes decoded in this turn of the task.
    in_turn: usize,
    released: u64,
    length: Option<u64>,
}

impl<'b, B: Body> ChunkedBody<'b, B> {
    pub(super) fn new(body: Pin<&'b mut B>, decoder: Box<ChunkedDecoder>) -> Self
    where
        B::Error: Into<BoxError>,
    {
        Self {
            body,
            decoding: Decoding::new(decoder),
            boxed: Into::into,
        }
    }
}

impl ErasedChunkedBody {
    pub(super) fn new(body: UnsyncBoxBody<Bytes, BoxError>, decoder: Box<ChunkedDecoder>) -> Self {
        let decoding = Decoding::new(decoder);
        Self { body, decoding }
    }
}

impl<B: Body> Body for ChunkedBody<'_, B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        this.decoding.poll_frame(this.body.as_mut(), this.boxed, cx)
    }

    fn is_end_stream(&self) -> bool {
        self.decoding.decoder.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.decoding.size_hint()
    }
}

impl Body for ErasedChunkedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        this.decoding
            .poll_frame(Pin::new(&mut this.body), |error| error, cx)
    }

    fn is_end_stream(&self) -> bool {
        self.decoding.decoder.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.decoding.size_hint()
    }
}

impl Decoding {
    fn new(decoder: Box<ChunkedDecoder>) -> Self {
        Self {
            length: decoder.decoded_length(),
            decoder: Some(decoder),
            input: Bytes::new(),
            in_turn: 0,
            released: 0,
        }
    }

    fn poll_frame<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        boxed: fn(B::Error) -> BoxError,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            if !self.input.is_empty() {
                match ready!(self.poll_decoded(cx)) {
                    Some(decoded) => return Poll::Ready(Some(decoded.map(Frame::data))),
                    None => continue,
                }
            }
            if self.decoder.is_none() {
                return Poll::Ready(None);
            }
            let frame = ready!(body.as_mut().poll_frame(cx));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(mut data))) => self.input = data.copy_to_bytes(data.remaining()),
                // Trailers of HTTP are not those of the coding.
                Some(Ok(Err(_))) => {}
                Some(Err(error)) => {
                    self.decoder = None;
                    return Poll::Ready(Some(Err(boxed(error))));
                }
                None => {
                    let last = self.decoder.take().map(|decoder| decoder.finish());
                    return Poll::Ready(match last {
                        Some(Ok(last)) if !last.is_empty() => {
                            Some(Ok(Frame::data(self.release(last))))
                        }
                        Some(Err(rejection)) => Some(Err(rejection.into())),
                        Some(Ok(_)) | None => None,
                    });
                }
            }
        }
    }

    /// Decodes one slice of the input. Returns `None` if nothing can be released.
    fn poll_decoded(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        if self.in_turn >= SLICE {
            self.in_turn = 0;
            // The body is not polled while input is held, so nothing else wakes the task.
            ready!(pin!(tokio::task::yield_now()).poll(cx));
        }
        let Some(decoder) = &mut self.decoder else {
            self.input.clear();
            return Poll::Ready(None);
        };
        let mut slice = self.input.slice(..self.input.len().min(SLICE));
        let before = slice.len();
        let outcome = decoder.decode(&mut slice);
        let taken = before.saturating_sub(slice.len());
        self.input.advance(taken);
        self.in_turn = self.in_turn.saturating_add(taken);
        Poll::Ready(match outcome {
            Ok(Decoded::Data(data)) => Some(Ok(self.release(data))),
            Ok(_) => None,
            Err(rejection) => {
                self.decoder = None;
                self.input.clear();
                Some(Err(rejection.into()))
            }
        })
    }

    fn release(&mut self, data: Bytes) -> Bytes {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.released = self.released.saturating_add(length);
        data
    }

    fn size_hint(&self) -> SizeHint {
        match self.length {
            Some(length) => SizeHint::with_exact(length.saturating_sub(self.released)),
            None => SizeHint::default(),
        }
    }
}

/// Returns whether the signed head declares a chunked body.
pub(super) fn is_declared(head: &HeadVerified) -> bool {
    let hash = head.covered("x-amz-content-sha256");
    hash.is_some_and(|hash| hash.starts_with("STREAMING-"))
}

/// Makes the headers those of the decoded body.
pub(super) fn describe_decoded(headers: &mut HeaderMap, head: &HeadVerified) {
    for name in ["x-amz-trailer", "x-amz-decoded-content-length"] {
        headers.remove(name);
    }
    headers.remove(TRANSFER_ENCODING);
    headers.remove(TRAILER);
    headers.remove(CONTENT_LENGTH);
    let length = head.covered("x-amz-decoded-content-length");
    if let Some(length) = length.and_then(|length| HeaderValue::from_str(length).ok()) {
        headers.insert(CONTENT_LENGTH, length);
    }
    let codings: Vec<_> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    let codings = HeaderValue::from_str(&codings.join(", "));
    headers.remove(CONTENT_ENCODING);
    if let Ok(codings) = codings
        && !codings.is_empty()
    {
        headers.insert(CONTENT_ENCODING, codings);
    }
}
