//! Logs and counts the outcome of a streamed body.

use std::{net::IpAddr, sync::Arc};

use http::Method;

use super::error::BodyError;
use crate::{
    caller_facts::CallerFacts,
    clock::Clock,
    metrics::Handles,
    mode::Mode,
    refusal::Refusal,
    verify::events::{Events, RefusedRequest, Sender},
};

/// The parts of a layer and of a request that the report on a body needs.
pub(in crate::verify) struct Report {
    pub(in crate::verify) events: Events,
    pub(in crate::verify) metrics: Arc<Handles>,
    pub(in crate::verify) clock: Arc<dyn Clock>,
    pub(in crate::verify) method: Method,
    pub(in crate::verify) peer: Option<IpAddr>,
}

impl Report {
    pub(super) fn verified(&self, caller: CallerFacts<'_>, bytes: u64) {
        self.metrics.body_outcome(MODE, "verified");
        self.metrics.body_bytes(caller.id(), bytes);
    }

    /// The request was accepted, its body is refused.
    pub(super) fn failed(&self, caller: CallerFacts<'_>, error: &BodyError) {
        self.refused(caller, error.refusal(), error.kind().as_str());
    }

    /// The handler holds the body and does not read it.
    pub(super) fn held(&self, caller: CallerFacts<'_>, refusal: &Refusal) {
        self.refused(caller, refusal, "unread");
    }

    /// The request ended before its body.
    pub(super) fn unread(&self, caller: CallerFacts<'_>) {
        self.metrics.body_outcome(MODE, "unread");
        tracing::debug!(
            target: "countersign",
            outcome = "unread",
            body_mode = MODE,
            caller = %caller.id(),
        );
    }

    fn refused(&self, caller: CallerFacts<'_>, refusal: &Refusal, outcome: &'static str) {
        self.metrics.body_outcome(MODE, outcome);
        let request = RefusedRequest {
            method: &self.method,
            sender: Sender::Authenticated(caller.id()),
            hint: None,
            peer: self.peer,
            body: Some((MODE, outcome)),
        };
        self.events
            .refused(refusal, &request, Mode::Enforced, self.clock.now());
    }
}

const MODE: &str = "stream";
