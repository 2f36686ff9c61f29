//! Bodies that cannot be read to their end.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};

/// A body that sends nothing and does not end.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "it has nothing to extend")]
pub struct Pending;

impl Body for Pending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// A body that fails at its first byte. It panics if it is polled after that.
#[derive(Debug, Default)]
pub struct Broken {
    has_failed: bool,
}

impl Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        assert!(!self.has_failed, "polled after it failed");
        self.has_failed = true;
        Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
    }
}
