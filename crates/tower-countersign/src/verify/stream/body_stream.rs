//! A body that the handler reads while it is verified. The layer and the handler share it.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use countersign::BodyCheck;
use http_body::{Body, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;

use super::{
    error::{BodyError, BodyErrorKind},
    limits::StreamLimits,
    open::{Open, Step},
    report::Report,
};
use crate::{
    BoxError, head_verified_caller::HeadVerifiedCaller, refusal::Refusal,
    verified_caller::VerifiedCaller, verify::budget::Reservation,
};

/// A streamed body. Clones share it.
#[derive(Clone)]
pub(crate) struct BodyStream(Arc<Mutex<State>>);

struct State {
    caller: HeadVerifiedCaller,
    progress: Progress,
    /// The handler has dropped the body.
    is_dropped: bool,
    /// The layer waits for the end of the body.
    gate: Option<Waker>,
    released: u64,
    /// The length of the body, if it is declared.
    length: Option<u64>,
    report: Option<Report>,
    /// What was not read of a refused body.
    rest: Option<UnsyncBoxBody<Bytes, BoxError>>,
}

enum Progress {
    Open(Box<Open>),
    Verified {
        caller: VerifiedCaller,
        /// The last piece, until the handler takes it.
        last: Option<(Bytes, Reservation)>,
    },
    Failed {
        error: BodyError,
        is_told: bool,
    },
}

/// What the layer that waits for the end of a body has to know.
pub(super) enum Seen {
    Verified,
    Failed(BodyError),
    Open { received: u64, waits_for_peer: bool },
}

impl BodyStream {
    /// Returns a body that is checked while it is read.
    pub(in crate::verify) fn open(
        caller: HeadVerifiedCaller,
        check: BodyCheck,
        body: UnsyncBoxBody<Bytes, BoxError>,
        limits: StreamLimits,
        reservation: Reservation,
        report: Report,
    ) -> Self {
        let length = body.size_hint().exact();
        let open = Box::new(Open::new(body, check, limits, reservation));
        Self::with(caller, Progress::Open(open), length, Some(report))
    }

    /// Returns a body that was verified before the handler. Its bytes are elsewhere.
    pub(in crate::verify) fn verified_before(caller: VerifiedCaller) -> Self {
        let head = caller.head();
        let progress = Progress::Verified { caller, last: None };
        Self::with(head, progress, Some(0), None)
    }

    fn with(
        caller: HeadVerifiedCaller,
        progress: Progress,
        length: Option<u64>,
        report: Option<Report>,
    ) -> Self {
        Self(Arc::new(Mutex::new(State {
            caller,
            progress,
            is_dropped: false,
            gate: None,
            released: 0,
            length,
            report,
            rest: None,
        })))
    }

    pub(crate) fn caller(&self) -> HeadVerifiedCaller {
        self.state().caller.clone()
    }

    pub(in crate::verify) fn poll_data(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.state().poll_data(cx)
    }

    /// Reads to the end of the body, and drops the bytes.
    pub(crate) async fn verified(&self) -> Result<VerifiedCaller, BodyError> {
        poll_fn(|cx| {
            let mut state = self.state();
            loop {
                match &state.progress {
                    Progress::Verified { caller, .. } => return Poll::Ready(Ok(caller.clone())),
                    Progress::Failed { error, .. } => return Poll::Ready(Err(error.clone())),
                    Progress::Open(_) => {
                        let _: Option<_> = ready!(state.poll_data(cx));
                    }
                }
            }
        })
        .await
    }

    pub(in crate::verify) fn is_end_stream(&self) -> bool {
        match &self.state().progress {
            Progress::Verified { last, .. } => last.is_none(),
            Progress::Failed { is_told, .. } => *is_told,
            Progress::Open(_) => false,
        }
    }

    pub(in crate::verify) fn size_hint(&self) -> SizeHint {
        let state = self.state();
        match state.length {
            Some(length) => SizeHint::with_exact(length.saturating_sub(state.released)),
            None => SizeHint::default(),
        }
    }

    /// Records that the handler has dropped the body.
    pub(in crate::verify) fn dropped(&self) {
        let mut state = self.state();
        state.is_dropped = true;
        if let Progress::Verified { last, .. } = &mut state.progress {
            *last = None;
        }
        state.wake_gate();
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state().progress, Progress::Failed { .. })
    }

    /// Returns the progress, after reading on if the handler has dropped the body. Wakes the task
    /// when the body ends, fails or is dropped.
    pub(super) fn poll_seen(&self, cx: &mut Context<'_>) -> Seen {
        let mut state = self.state();
        while state.is_dropped && matches!(state.progress, Progress::Open(_)) {
            if state.poll_data(cx).is_pending() {
                break;
            }
        }
        state.gate = Some(cx.waker().clone());
        match &state.progress {
            Progress::Open(open) => Seen::Open {
                received: open.received(),
                waits_for_peer: open.waits_for_peer,
            },
            Progress::Verified { .. } => Seen::Verified,
            Progress::Failed { error, .. } => Seen::Failed(error.clone()),
        }
    }

    /// Returns what was not read of a refused body, unless it ended with an error.
    pub(in crate::verify) fn take_rest(&self) -> Option<UnsyncBoxBody<Bytes, BoxError>> {
        self.state().rest.take()
    }

    /// Reports that the handler holds the body and does not read it.
    pub(super) fn report_held(&self, refusal: &Refusal) {
        let state = self.state();
        if let Some(report) = &state.report {
            report.held(state.caller.facts(), refusal);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the body was polled leaves it open, and the body is then never verified.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let open = match &mut self.progress {
                Progress::Open(open) => open,
                Progress::Verified { last, .. } => {
                    let last = last.take().map(|(last, _)| last);
                    return Poll::Ready(last.map(|last| Ok(self.release(last))));
                }
                Progress::Failed { is_told: true, .. } => return Poll::Ready(None),
                Progress::Failed { error, is_told } => {
                    *is_told = true;
                    return Poll::Ready(Some(Err(error.clone())));
                }
            };
            match ready!(open.poll_step(cx)) {
                Step::Data(piece) => return Poll::Ready(Some(Ok(self.release(piece)))),
                Step::End => self.finish(),
                Step::Failed(error) => self.fail(error),
            }
        }
    }

    fn release(&mut self, piece: Bytes) -> Bytes {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.released = self.released.saturating_add(length);
        piece
    }

    fn finish(&mut self) {
        // Fails closed if the comparison panics.
        let aborted = BodyError::new(BodyErrorKind::Storage, Refusal::unavailable("body check"));
        let failed = Progress::Failed {
            error: aborted,
            is_told: false,
        };
        let Progress::Open(open) = mem::replace(&mut self.progress, failed) else {
            return;
        };
        let received = open.received();
        match open.finish() {
            Ok((verified, last, reservation)) => {
                let caller = VerifiedCaller::of_stream(verified, self.caller.facts());
                let last = (!last.is_empty() && !self.is_dropped).then_some((last, reservation));
                if let Some(report) = &self.report {
                    report.verified(self.caller.facts(), received);
                }
                self.progress = Progress::Verified { caller, last };
                self.wake_gate();
            }
            Err(error) => self.fail(error),
        }
    }

    /// Drops what was held back.
    fn fail(&mut self, error: BodyError) {
        if let Some(report) = &self.report {
            report.failed(self.caller.facts(), &error);
        }
        let failed = Progress::Failed {
            error,
            is_told: false,
        };
        if let Progress::Open(open) = mem::replace(&mut self.progress, failed) {
            self.rest = open.into_rest();
        }
        self.wake_gate();
    }

    fn wake_gate(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.wake();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let (Progress::Open(_), Some(report)) = (&self.progress, &self.report) {
            report.unread(self.caller.facts());
        }
    }
}
