//! A body that is judged while it passes by, chunk for chunk, and kept nowhere.

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

use super::request_body::longer_by;
use crate::BoxError;

type Judge = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body as the handler reads it.
///
/// Whatever passes is first shown to the judge, who is polled by whoever reads. He has seen a chunk
/// before the next one is asked for, so that no more than one is ever held. A judge who is done, or
/// who is never finished because the body is not read to its end, does not keep a byte from
/// passing. One who hashes a large chunk in slices keeps it until he is through with it: it may be
/// the last, after which nobody polls him.
pub(super) struct TeeBody {
    body: UnsyncBoxBody<Bytes, BoxError>,
    shown: Shown,
    judge: Option<Judge>,
    held: Option<Result<Frame<Bytes>, BoxError>>,
}

/// What the judge reads.
#[derive(Clone, Default)]
pub(super) struct Shown(Arc<Mutex<Glimpse>>);

#[derive(Default)]
struct Glimpse {
    bytes: u64,
    frames: VecDeque<Result<Frame<Bytes>, BrokenOff>>,
    /// The judge has taken a frame and not asked for the next one.
    in_hand: bool,
    ended: bool,
}

/// The body could not be read to its end; why is the handler's to know.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl TeeBody {
    /// `body`, and a judge made of what he is shown of it.
    pub(super) fn new<F>(
        body: UnsyncBoxBody<Bytes, BoxError>,
        judge: impl FnOnce(Shown) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shown = Shown::default();
        let judge: Judge = Box::pin(judge(shown.clone()));
        Self {
            body,
            shown,
            judge: Some(judge),
            held: None,
        }
    }

    /// Lets the judge look. Ready when he has seen everything, or has seen enough.
    fn poll_judge(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(judge) = &mut self.judge else {
            return Poll::Ready(());
        };
        if judge.as_mut().poll(cx).is_ready() {
            self.judge = None;
            return Poll::Ready(());
        }
        if self
            .shown
            .with(|glimpse| glimpse.frames.is_empty() && !glimpse.in_hand)
        {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn show(&mut self, frame: Option<&Result<Frame<Bytes>, BoxError>>) {
        let data = match frame {
            Some(Ok(frame)) => frame.data_ref().cloned().map(|data| Ok(Frame::data(data))),
            Some(Err(_)) => Some(Err(BrokenOff)),
            None => None,
        };
        let len = match &data {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => 0,
        };
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let ended = frame.is_none() || self.body.is_end_stream();
        self.shown.with(|glimpse| {
            glimpse.bytes = glimpse.bytes.saturating_add(len);
            glimpse.frames.extend(data);
            glimpse.ended |= ended;
        });
    }
}

impl Shown {
    /// How many bytes have passed.
    pub(super) fn seen(&self) -> u64 {
        self.with(|glimpse| glimpse.bytes)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Glimpse) -> T) -> T {
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
        // What he has not seen yet, because he waits for a store, holds back the next chunk.
        ready!(this.poll_judge(cx));
        if let Some(frame) = this.held.take() {
            return Poll::Ready(Some(frame));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if this.judge.is_some() {
            this.show(frame.as_ref());
            let _: Poll<()> = this.poll_judge(cx);
            if this.judge.is_some() && this.shown.with(|glimpse| glimpse.in_hand) {
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
        let held = match &self.held {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => 0,
        };
        longer_by(
            self.body.size_hint(),
            u64::try_from(held).unwrap_or(u64::MAX),
        )
    }
}

impl Body for Shown {
    type Data = Bytes;
    type Error = BrokenOff;

    /// Pending without a waker: the judge is polled again when there is more to see.
    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.with(|glimpse| {
            let frame = glimpse.frames.pop_front();
            glimpse.in_hand = frame.is_some();
            match frame {
                Some(frame) => Poll::Ready(Some(frame)),
                None if glimpse.ended => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
    }
}
