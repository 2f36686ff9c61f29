//! The events of a verifier.
//!
//! All have the target `countersign` and the field `outcome`.
//!
//! | level | when | fields |
//! |---|---|---|
//! | `debug` | a request was let through | `outcome = "accepted"`, `caller`, `key_version`, `scheme`, `replay_protected` |
//! | `warn` | a request was refused | `outcome = "refused"`, `code`, `status`, `reason`, `method`, `caller` (proven) or `asserted` (not), `peer`, `suppressed` |
//! | `warn` | a request was let through without a claim of its nonce | `outcome = "unclaimed"`, `caller`, `reason`, `suppressed` |
//! | `error` | a store could not answer, or the URI was rewritten | the same |
//! | `debug` | a request on a route that only reports could not be decided on, but by keeping its body | `outcome = "undecided"` |
//! | `info`, `warn` | once a layer, at start | `outcome = "started"` |
//! | `warn` | once a layer: an unauthenticated peer without an address | `outcome = "started"` |
//!
//! Where a layer [only reports](crate::VerifyLayer::insecure_report_only), `outcome` is what it would have been, and every event has
//! `report_only = true`.
//!
//! With [mismatch hints](crate::VerifyLayer::with_mismatch_hints) a refusal of a known caller also has
//! `hint`, the code of the known mistake that explains it, or `none`; `hint_also`, a second one where
//! only both together explain it; and `hint_header`, the covered header that is concerned.
//!
//! `reason` names what the request was refused for: the header and how often it was there, the host that was found and
//! those that are expected, a limit with the size that was found and the setting that moves it. [`Rejection`] lists what it
//! never holds.
//!
//! `peer` is the address that the layer knows the peer by: that of the socket's peer, where the server tells it, as axum
//! does with [`into_make_service_with_connect_info`]. Behind a proxy it is the proxy's, unless the layer is told how many
//! hops are trusted.
//!
//! Refusals are written at most ten times a second for each code: separately for each proven caller, and for all peers
//! together that have proven nothing. `suppressed` counts the events of that code and caller that were left out since the
//! last one. A flood of one caller hides no event of another. At most 1,024 rates are kept; when more callers than that are
//! refused in one second, the others share one rate for each code. Requests let through without a claim share one rate.
//!
//! The text of `asserted` and `method`, and the peer's text in `reason`, is cut to 64 bytes, and every character but visible
//! ASCII is escaped. No event holds a path, the value of a query parameter, a body, a secret or a signature.
//!
//! [`Rejection`]: countersign::Rejection
//! [`into_make_service_with_connect_info`]: https://docs.rs/axum/latest/axum/struct.Router.html#method.into_make_service_with_connect_info

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign::{Escaped, KeyId, Timestamp};
use http::{HeaderName, Method};

use super::{event_rates::Rates, hint::Hint};
use crate::{metrics, mode::Mode, refusal::Refusal, verified_caller::VerifiedCaller};

/// Writes events, the noisy ones not too often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    started: AtomicBool,
    reporting: AtomicBool,
    peers_unknown: AtomicBool,
    rates: Mutex<Rates>,
}

/// The sender of a refused request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sender<'r> {
    Unknown,
    Asserted(&'r str),
    Authenticated(&'r KeyId),
}

/// What the event of a refusal tells of the request.
#[derive(Debug)]
pub(super) struct RefusedRequest<'r> {
    pub(super) method: &'r Method,
    pub(super) sender: Sender<'r>,
    pub(super) hint: Option<&'r Hint>,
    pub(super) peer: Option<IpAddr>,
}

pub(super) fn accepted(caller: &VerifiedCaller, mode: Mode) {
    tracing::debug!(
        target: "countersign",
        outcome = "accepted",
        report_only = reports(mode),
        caller = %caller.id(),
        key_version = %caller.key_version(),
        scheme = %caller.scheme(),
        replay_protected = caller.replay_protected(),
    );
}

/// Only where a layer reports: that it cannot tell.
pub(super) fn undecided() {
    tracing::debug!(target: "countersign", outcome = "undecided", report_only = true);
}

/// The field is left out where the layer enforces.
fn reports(mode: Mode) -> Option<bool> {
    (mode == Mode::ReportOnly).then_some(true)
}

impl<'r> Sender<'r> {
    pub(super) fn new(proven: Option<&'r KeyId>, asserted: Option<&'r str>) -> Self {
        match (proven, asserted) {
            (Some(caller), _) => Self::Authenticated(caller),
            (None, Some(asserted)) => Self::Asserted(asserted),
            (None, None) => Self::Unknown,
        }
    }
}

impl Events {
    /// Nothing that this layer sees is refused, or some routes are let through.
    pub(super) fn reporting_only(&self) {
        if !self.0.reporting.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                report_only = true,
                "report only: requests that are not proven are handled"
            );
        }
    }

    /// The first body that is read before its sender is known, from a peer whose address is not
    /// known either.
    pub(super) fn peers_unknown(&self) {
        if !self.0.peers_unknown.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                "no address of the peer: bodies that are read before their sender is known share the memory of one peer (see BodyLimits)"
            );
        }
    }

    pub(super) fn started(&self, hosts_are_expected: bool, nonces_are_forgotten: bool) {
        if self.0.started.swap(true, Ordering::Relaxed) {
            return;
        }
        metrics::describe();
        if nonces_are_forgotten {
            tracing::info!(
                target: "countersign",
                outcome = "started",
                "the replay store starts empty: a request handled just before a restart can be handled again after it"
            );
        }
        if !hosts_are_expected {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                "no expected hosts: a request for another service with the same key will be accepted"
            );
        }
    }

    pub(super) fn refused(
        &self,
        refusal: &Refusal,
        request: &RefusedRequest<'_>,
        mode: Mode,
        now: Timestamp,
    ) {
        let RefusedRequest {
            method,
            sender,
            hint,
            peer,
        } = *request;
        let proven = match sender {
            Sender::Authenticated(caller) => Some(caller),
            Sender::Unknown | Sender::Asserted(_) => None,
        };
        let Some(suppressed) = self.admit(refusal.code(), proven, now) else {
            return;
        };
        let caller = proven.map(tracing::field::display);
        let asserted = match sender {
            Sender::Asserted(asserted) => Some(tracing::field::display(Escaped::text(asserted))),
            Sender::Unknown | Sender::Authenticated(_) => None,
        };
        macro_rules! event {
            ($level:ident) => {
                tracing::$level!(
                    target: "countersign",
                    outcome = "refused",
                    report_only = reports(mode),
                    code = refusal.code(),
                    status = refusal.status().as_u16(),
                    method = %Escaped::text(method.as_str()),
                    caller,
                    asserted,
                    hint = hint.map(|hint| hint.code),
                    hint_also = hint.and_then(|hint| hint.also),
                    hint_header = hint.and_then(|hint| hint.header.as_ref()).map(HeaderName::as_str),
                    peer = peer.map(tracing::field::display),
                    suppressed,
                    reason = %refusal,
                )
            };
        }
        match refusal {
            Refusal::Rejected(_) => event!(warn),
            Refusal::Unavailable { .. } | Refusal::Misconfigured => event!(error),
        }
    }

    /// A request that was let through while the replay store could not answer.
    pub(super) fn unclaimed(&self, outage: &Refusal, caller: &KeyId, mode: Mode, now: Timestamp) {
        let Some(suppressed) = self.admit("unclaimed", None, now) else {
            return;
        };
        tracing::warn!(
            target: "countersign",
            outcome = "unclaimed",
            report_only = reports(mode),
            %caller,
            suppressed,
            reason = %outage,
        );
    }

    /// Whether one more event of this code and this proven caller may be written in this second; if so, how many were left
    /// out before it.
    pub(crate) fn admit(
        &self,
        code: &'static str,
        caller: Option<&KeyId>,
        now: Timestamp,
    ) -> Option<u64> {
        // Counts are whole after a panic too: each change is one assignment.
        let mut rates = self.0.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.admit(code, caller, now.as_unix_seconds())
    }
}
