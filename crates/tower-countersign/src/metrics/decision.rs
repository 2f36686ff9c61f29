//! One decision, from the head of a request to its outcome.

use std::time::{Duration, Instant};

use countersign::{KeyId, Scheme, Timestamp};
use metrics::{Recorder, SharedString};

use super::{
    record::{count, measure, now_if_heard, seconds, set, with_recorder},
    table::{BODY_BYTES, DATE_SKEW, DECISIONS, HEAD_DURATION, KEY_LAST_USE, VERIFY_DURATION},
};
use crate::{
    caller::VerifiedCaller,
    verify::{Mode, Refusal},
};

/// A stranger may sign any date: none counts for more than this.
const GREATEST_SKEW: Duration = Duration::from_secs(24 * 60 * 60);

const NOBODY: SharedString = SharedString::const_str("");

/// What is measured of a decision while it is made. One that is dropped before its outcome is known counts as undecided.
#[derive(Debug)]
pub(crate) struct Decision {
    mode: Mode,
    scheme: Option<Scheme>,
    /// When it began, if anyone listens and the outcome is still to come.
    began: Option<Instant>,
    head: Option<Duration>,
}

impl Decision {
    pub(crate) fn begin(mode: Mode) -> Self {
        Self {
            mode,
            scheme: None,
            began: now_if_heard(),
            head: None,
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The head is well-formed and signed in this scheme.
    pub(crate) fn parsed(&mut self, scheme: Scheme) {
        self.scheme = Some(scheme);
    }

    /// The signature over the head has matched.
    pub(crate) fn head_matched(&mut self) {
        self.head = self.began.map(|began| began.elapsed());
    }

    /// The request was let through, or would have been, with a body of so many bytes.
    pub(crate) fn accepted(mut self, caller: &VerifiedCaller, body_bytes: u64, now: Timestamp) {
        let Some(began) = self.began.take() else {
            return;
        };
        with_recorder(|recorder| {
            let id = || name(caller.id());
            self.settle(recorder, began, "accepted", "", id());
            let bytes = u32::try_from(body_bytes).unwrap_or(u32::MAX);
            measure(recorder, &BODY_BYTES, [id()], bytes.into());
            skew(recorder, "accepted", caller.signed_at(), id(), now);
            let version = caller.key_version().as_str().to_owned();
            let at = Duration::from_micros(u64::try_from(now.as_unix_micros()).unwrap_or(0));
            set(
                recorder,
                &KEY_LAST_USE,
                [id(), version.into()],
                at.as_secs_f64(),
            );
        });
    }

    /// The request was refused, or would have been. `claimed_scheme` is asked where the head was not read far enough to
    /// know the scheme.
    pub(crate) fn refused(
        mut self,
        refusal: &Refusal,
        caller: Option<&KeyId>,
        claimed_scheme: impl FnOnce() -> Option<Scheme>,
        now: Timestamp,
    ) {
        let Some(began) = self.began.take() else {
            return;
        };
        with_recorder(|recorder| {
            self.scheme = self.scheme.or_else(claimed_scheme);
            let id = || caller.map_or(NOBODY, name);
            self.settle(recorder, began, "refused", refusal.code(), id());
            let stale = refusal
                .rejection()
                .and_then(countersign::Rejection::stale_date);
            if let Some(signed_at) = stale {
                skew(recorder, "refused", signed_at, id(), now);
            }
        });
    }

    fn settle(
        &self,
        recorder: &dyn Recorder,
        began: Instant,
        outcome: &'static str,
        code: &'static str,
        caller: SharedString,
    ) {
        let scheme = || SharedString::const_str(self.scheme.map_or("", Scheme::name));
        let mode = || SharedString::const_str(self.mode.as_str());
        let outcome = || SharedString::const_str(outcome);
        count(
            recorder,
            &DECISIONS,
            [scheme(), outcome(), code.into(), caller, mode()],
        );
        measure(
            recorder,
            &VERIFY_DURATION,
            [scheme(), outcome(), mode()],
            seconds(began.elapsed()),
        );
        if let Some(head) = self.head {
            measure(recorder, &HEAD_DURATION, [scheme(), mode()], seconds(head));
        }
    }
}

impl Drop for Decision {
    fn drop(&mut self) {
        if let Some(began) = self.began.take() {
            with_recorder(|recorder| self.settle(recorder, began, "undecided", "", NOBODY));
        }
    }
}

fn name(caller: &KeyId) -> SharedString {
    caller.as_str().to_owned().into()
}

fn skew(
    recorder: &dyn Recorder,
    outcome: &'static str,
    signed_at: Timestamp,
    caller: SharedString,
    now: Timestamp,
) {
    let direction = if signed_at > now { "future" } else { "past" };
    let distance = signed_at.abs_diff(now).min(GREATEST_SKEW);
    measure(
        recorder,
        &DATE_SKEW,
        [outcome.into(), direction.into(), caller],
        seconds(distance),
    );
}
