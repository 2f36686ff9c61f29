//! A body that is verified while the handler reads it. It is not buffered.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use super::request_body::{data_len, longer_by};
use crate::BoxError;

type Verification = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body that the handler reads. The verification gets a copy.
///
/// The verification runs in the reader's task and gets each chunk first. It reads the chunk before
/// the next one is polled, so at most one chunk is held.
///
/// A large chunk is hashed in slices and held until it is hashed. It may be the last chunk, and
/// after it nothing polls the verification. After the verification has ended, the body passes
/// unchanged.
pub(super) struct TeeBody {
    body: UnsyncBoxBody<Bytes, BoxError>,
    copy: BodyCopy,
    verification: Option<Verification>,
    held: Option<Result<Frame<Bytes>, BoxError>>,
}

/// The body that the verification reads.
#[derive(Clone, Default)]
pub(super) struct BodyCopy(Arc<Mutex<Copied>>);

#[derive(Default)]
struct Copied {
    bytes: u64,
    frames: VecDeque<Result<Frame<Bytes>, BrokenOff>>,
    /// The verification has taken a frame and has not polled for the next one.
    in_hand: bool,
    ended: bool,
}

/// The body ended with an error. Only the handler gets the reason.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl TeeBody {
    /// Wraps `body`, and passes the copy to `verify`.
    pub(super) fn new<F>(
        body: UnsyncBoxBody<Bytes, BoxError>,
        verify: impl FnOnce(BodyCopy) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let copy = BodyCopy::default();
        let verification: Verification = Box::pin(verify(copy.clone()));
        Self {
            body,
            copy,
            verification: Some(verification),
            held: None,
        }
    }

    /// Polls the verification. Returns `Ready` when it has read all copied frames, or has ended.
    fn poll_verification(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(verification) = &mut self.verification else {
            return Poll::Ready(());
        };
        if verification.as_mut().poll(cx).is_ready() {
            self.verification = None;
            return Poll::Ready(());
        }
        if self
            .copy
            .with(|copied| copied.frames.is_empty() && !copied.in_hand)
        {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn copy_frame(&mut self, frame: Option<&Result<Frame<Bytes>, BoxError>>) {
        let data = match frame {
            Some(Ok(frame)) => frame.data_ref().cloned().map(|data| Ok(Frame::data(data))),
            Some(Err(_)) => Some(Err(BrokenOff)),
            None => None,
        };
        let len = data_len(data.as_ref());
        let ended = frame.is_none() || self.body.is_end_stream();
        self.copy.with(|copied| {
            copied.bytes = copied.bytes.saturating_add(len);
            copied.frames.extend(data);
            copied.ended |= ended;
        });
    }
}

impl BodyCopy {
    /// Returns the number of bytes that were copied.
    pub(super) fn bytes(&self) -> u64 {
        self.with(|copied| copied.bytes)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Copied) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body for TeeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        // Does not poll the next chunk while the verification waits for a store.
        ready!(this.poll_verification(cx));
        if let Some(frame) = this.held.take() {
            return Poll::Ready(Some(frame));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if this.verification.is_some() {
            this.copy_frame(frame.as_ref());
            let _: Poll<()> = this.poll_verification(cx);
            if this.verification.is_some() && this.copy.with(|copied| copied.in_hand) {
                this.held = frame;
                return Poll::Pending;
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        longer_by(self.body.size_hint(), data_len(self.held.as_ref()))
    }
}

impl Body for BodyCopy {
    type Data = Bytes;
    type Error = BrokenOff;

    /// Returns `Pending` without a waker. The next frame polls the verification again.
    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.with(|copied| {
            let frame = copied.frames.pop_front();
            copied.in_hand = frame.is_some();
            match frame {
                Some(frame) => Poll::Ready(Some(frame)),
                None if copied.ended => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
    }
}
