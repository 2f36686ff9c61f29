//! Holds the handler's answer back until the body is verified.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

use super::body_stream::{BodyStream, Seen};
use crate::refusal::Refusal;

/// Waits for the end of a body. Reads on if the handler has dropped the body.
pub(in crate::verify) struct Gate {
    stream: BodyStream,
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    received: u64,
    /// The time was extended once, because the handler waits for the peer.
    is_extended: bool,
}

impl Gate {
    /// `idle` is the time without progress after which the handler is taken to hold the body
    /// without reading it.
    pub(in crate::verify) fn new(stream: BodyStream, idle: Duration) -> Self {
        Self {
            stream,
            idle,
            timer: None,
            received: 0,
            is_extended: false,
        }
    }

    /// Returns `Ready` at once if the body may be open and has not failed. Otherwise waits for its
    /// end.
    pub(in crate::verify) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        may_be_open: bool,
    ) -> Poll<Result<(), Refusal>> {
        if may_be_open && !self.stream.has_failed() {
            return Poll::Ready(Ok(()));
        }
        self.poll(cx)
    }

    /// Returns `Ready` when the body is verified, or with the refusal that takes the place of the
    /// answer.
    pub(in crate::verify) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        loop {
            let (received, waits_for_peer) = match self.stream.poll_seen(cx) {
                Seen::Verified => return Poll::Ready(Ok(())),
                Seen::Failed(error) => return Poll::Ready(Err(error.refusal().clone())),
                Seen::Open {
                    received,
                    waits_for_peer,
                } => (received, waits_for_peer),
            };
            let idle = self.idle;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
            ready!(timer.as_mut().poll(cx));
            if self.received == received && (self.is_extended || !waits_for_peer) {
                let refusal = Refusal::AnsweredEarly;
                self.stream.report_held(&refusal);
                return Poll::Ready(Err(refusal));
            }
            // A peer that sends nothing is refused at about the same time. The peer's limit comes
            // first.
            self.is_extended = self.received == received;
            self.received = received;
            let later = Instant::now().checked_add(idle);
            timer.as_mut().reset(later.unwrap_or_else(Instant::now));
        }
    }
}
