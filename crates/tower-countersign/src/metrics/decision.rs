//! One decision, from the head of a request to its outcome.

use std::{
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, Instant},
};

use countersign::{KeyId, Scheme, Timestamp};
use metrics::Recorder;

use super::{
    handles::Handles,
    record::{now_if_recorded, seconds, with_recorder},
};
use crate::{caller_facts::CallerFacts, mode::Mode, refusal::Refusal};

/// An unauthenticated peer can send any date. Greater skews are recorded as this value.
const GREATEST_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

const NOBODY: &str = "";

/// The measurements of one decision. A decision that is dropped without an outcome counts as
/// `undecided`.
#[derive(Debug)]
pub(crate) struct Decision {
    handles: Arc<Handles>,
    mode: Mode,
    /// Whether a refusal is sent as a gRPC response.
    is_grpc: bool,
    scheme: Option<Scheme>,
    /// When the decision began, if a recorder is installed and no outcome is recorded yet.
    began: Option<Instant>,
    /// The time until the signature over the head matched, in nanoseconds: an
    /// `Option<Duration>` takes twice the room in every waiting request.
    head: Option<NonZeroU64>,
}

impl Decision {
    pub(crate) fn begin(mode: Mode, handles: &Arc<Handles>) -> Self {
        Self {
            handles: Arc::clone(handles),
            mode,
            is_grpc: false,
            scheme: None,
            began: now_if_recorded(),
            head: None,
        }
    }

    /// Returns the decision, marked as that of a gRPC call or of another request.
    pub(crate) fn of_grpc(mut self, is_grpc: bool) -> Self {
        self.is_grpc = is_grpc;
        self
    }

    pub(crate) fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Records the scheme of a well-formed head.
    pub(crate) fn parsed(&mut self, scheme: Scheme) {
        self.scheme = Some(scheme);
    }

    /// Records that the signature over the head matched.
    pub(crate) fn head_matched(&mut self) {
        self.head = self.began.and_then(|began| {
            let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
            NonZeroU64::new(nanoseconds.max(1))
        });
    }

    /// Records that the request was accepted, or would have been in report-only mode.
    /// `body_bytes` is `None` if the body is still to come.
    pub(crate) fn accepted(
        mut self,
        caller: CallerFacts<'_>,
        body_bytes: Option<u64>,
        now: Timestamp,
    ) {
        let Some(began) = self.began.take() else {
            return;
        };
        with_recorder(|recorder| {
            let id = caller.id().as_str();
            let ended = self.settle(recorder, began, "accepted", "", id);
            if let Some(bytes) = body_bytes {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                self.handles
                    .body_bytes
                    .measure(recorder, [id], bytes.into(), ended);
            }
            self.skew(
                recorder,
                "accepted",
                caller.head.signed_at(),
                id,
                now,
                ended,
            );
            let version = caller.head.key_version().as_str();
            let at = Duration::from_micros(u64::try_from(now.as_unix_micros()).unwrap_or(0));
            self.handles
                .key_last_use
                .set(recorder, [id, version], at.as_secs_f64(), ended);
        });
    }

    /// Records that the request was refused, or would have been in report-only mode.
    /// `asserted_scheme` is used if the head was not parsed far enough to know the scheme.
    pub(crate) fn refused(
        mut self,
        refusal: &Refusal,
        caller: Option<&KeyId>,
        asserted_scheme: Option<Scheme>,
        now: Timestamp,
    ) {
        let Some(began) = self.began.take() else {
            return;
        };
        with_recorder(|recorder| {
            self.scheme = self.scheme.or(asserted_scheme);
            let id = caller.map_or(NOBODY, KeyId::as_str);
            let ended = self.settle(recorder, began, "refused", refusal.code(), id);
            let stale = refusal
                .rejection()
                .and_then(countersign::Rejection::stale_date);
            if let Some(signed_at) = stale {
                self.skew(recorder, "refused", signed_at, id, now, ended);
            }
        });
    }

    /// Records the values of every outcome. Returns the time of the outcome.
    fn settle(
        &self,
        recorder: &dyn Recorder,
        began: Instant,
        outcome: &str,
        code: &str,
        caller: &str,
    ) -> Instant {
        let ended = Instant::now();
        let handles = &self.handles;
        let scheme = self.scheme.map_or("", Scheme::name);
        let mode = self.mode.as_str();
        let labels = [scheme, outcome, code, caller, mode];
        handles.decisions.count(recorder, labels, ended);
        let took = seconds(ended.saturating_duration_since(began));
        handles
            .verify_duration
            .measure(recorder, [scheme, outcome, mode], took, ended);
        if let Some(head) = self.head {
            let head = Duration::from_nanos(head.get());
            handles
                .head_duration
                .measure(recorder, [scheme, mode], seconds(head), ended);
        }
        ended
    }

    fn skew(
        &self,
        recorder: &dyn Recorder,
        outcome: &str,
        signed_at: Timestamp,
        caller: &str,
        now: Timestamp,
        ended: Instant,
    ) {
        let direction = if signed_at > now { "future" } else { "past" };
        let distance = seconds(signed_at.abs_diff(now).min(GREATEST_SKEW));
        let labels = [outcome, direction, caller];
        self.handles
            .date_skew
            .measure(recorder, labels, distance, ended);
    }
}

impl Drop for Decision {
    fn drop(&mut self) {
        if let Some(began) = self.began.take() {
            with_recorder(|recorder| {
                self.settle(recorder, began, "undecided", "", NOBODY);
            });
        }
    }
}
