//! Events of a verifying layer.
//!
//! All events have the target `countersign` and the field `outcome`.
//!
//! | level | event | fields |
//! |---|---|---|
//! | `debug` | a request is accepted | `outcome = "accepted"`, [more](#accepted) |
//! | `warn` | a request is refused | `outcome = "refused"`, [more](#refused) |
//! | `error` | a store cannot answer, or the URI was rewritten | `outcome = "refused"`, the same |
//! | `warn` | a request is accepted without a claim | `outcome = "unclaimed"`, [more](#unclaimed) |
//! | `debug` | a report-only layer cannot decide | `outcome = "undecided"` |
//! | `debug` | a streamed request ends before its body | `outcome = "unread"`, `body_mode`, `caller` |
//! | `error` | an answer cannot be signed, and the peer gets 500 | `outcome = "unsignable"`, `reason`, `suppressed` |
//! | `info`, `warn` | a layer starts (once) | `outcome = "started"` |
//! | `warn` | an unauthenticated peer has no address (once) | `outcome = "started"` |
//!
//! A [report-only](crate::VerifyLayer::insecure_report_only) layer writes the outcome that
//! enforcement would have. Each of its events has `report_only = true`.
//!
//! # Accepted
//!
//! `caller`, `key_version`, `scheme`, `replay_protected`.
//!
//! # Refused
//!
//! | field | content |
//! |---|---|
//! | `code` | the code in the response |
//! | `status` | the HTTP status |
//! | `reason` | the header, limit, host or setting that caused the refusal |
//! | `method` | the method of the request |
//! | `caller` | the verified caller, if the signature matched |
//! | `asserted` | otherwise the key id that the request asserts |
//! | `peer` | the address of the peer, if it is known |
//! | `body_mode`, `body` | of a body that was refused after the handler was called: `stream`, and one of the [outcomes](crate::metrics::BODY_OUTCOMES) |
//! | `suppressed` | the number of suppressed events |
//! | `hint` | the known mistake that explains the refusal, or `none` |
//! | `hint_also` | a second mistake, if only both together explain it |
//! | `hint_header` | the covered header that is concerned |
//!
//! `reason` gives the expected and the found value, and names the setting of a limit. [`Rejection`]
//! lists the values that a reason never holds.
//!
//! `peer` is the address of the socket's peer, if the server provides it. axum provides it with
//! [`into_make_service_with_connect_info`]. If the peer is a proxy, this is the proxy's address.
//! [`VerifyLayer::with_trusted_hops`](crate::VerifyLayer::with_trusted_hops) gives the client's
//! address.
//!
//! The hints are present for known callers, if [mismatch
//! hints](crate::VerifyLayer::with_mismatch_hints) are on.
//!
//! `asserted`, `method` and the peer's text in `reason` are cut to 64 bytes. All characters other
//! than visible ASCII are escaped. No event holds a path, the value of a query parameter, a body, a
//! secret or a signature.
//!
//! # Unclaimed
//!
//! `caller`, `reason` (of the replay store), `suppressed`. The nonce of the request was not
//! claimed, so the request can be replayed.
//!
//! # Rates
//!
//! For each code, at most ten refusals a second are written: ten for each verified caller, and ten
//! for all unauthenticated peers together. So a flood of one caller hides no event of another.
//! `suppressed` counts the events of the same code and caller that were suppressed since the last
//! one.
//!
//! At most 1,024 rates are kept. If more callers are refused in one second, the others share one
//! rate for each code. Unclaimed requests share one rate.
//!
//! [`Rejection`]: countersign::Rejection
//! [`into_make_service_with_connect_info`]:
//! https://docs.rs/axum/latest/axum/struct.Router.html#method.into_make_service_with_connect_info

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign::{Escaped, KeyId, Timestamp};
use http::{HeaderName, Method};

use super::{event_rates::Rates, hint::Hint};
use crate::{caller_facts::CallerFacts, metrics, mode::Mode, refusal::Refusal};

/// Writes events, and limits the rate of those that peers can cause.
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

/// The fields of a refusal's event that describe the request.
#[derive(Debug)]
pub(super) struct RefusedRequest<'r> {
    pub(super) method: &'r Method,
    pub(super) sender: Sender<'r>,
    pub(super) hint: Option<&'r Hint>,
    pub(super) peer: Option<IpAddr>,
    /// The body mode, and the outcome of the body, if the request was accepted before its body.
    pub(super) body: Option<(&'static str, &'static str)>,
}

pub(super) fn accepted(caller: CallerFacts<'_>, mode: Mode) {
    tracing::debug!(
        target: "countersign",
        outcome = "accepted",
        report_only = reports(mode),
        caller = %caller.id(),
        key_version = %caller.head.key_version(),
        scheme = %caller.head.scheme(),
        replay_protected = caller.replay_protected,
    );
}

/// Reports that no decision is possible. Only in report-only mode.
pub(super) fn undecided() {
    tracing::debug!(target: "countersign", outcome = "undecided", report_only = true);
}

/// Returns the value of `report_only`. Enforcing layers omit the field.
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
    /// Warns once that the layer only reports, on all routes or on some.
    pub(super) fn reporting_only(&self) {
        if !self.0.reporting.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                report_only = true,
                "report only: requests that fail verification are handled"
            );
        }
    }

    /// Warns once about a body from an unauthenticated peer without an address.
    pub(super) fn peers_unknown(&self) {
        if !self.0.peers_unknown.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                "no address of the peer: all bodies of unauthenticated peers share the memory of \
                 one peer (see BodyLimits)"
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
                "the replay store starts empty: a request from just before a restart can be \
                 replayed after it"
            );
        }
        if !hosts_are_expected {
            tracing::warn!(
                target: "countersign",
                outcome = "started",
                "no expected hosts: a request for another service with the same key is accepted"
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
            body,
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
                    hint_header = hint
                        .and_then(|hint| hint.header.as_ref())
                        .map(HeaderName::as_str),
                    peer = peer.map(tracing::field::display),
                    body_mode = body.map(|(mode, _)| mode),
                    body = body.map(|(_, outcome)| outcome),
                    suppressed,
                    reason = %refusal,
                )
            };
        }
        match refusal {
            Refusal::Rejected(_) => event!(warn),
            Refusal::Unavailable { .. }
            | Refusal::Misconfigured
            | Refusal::AnsweredEarly
            | Refusal::Unsignable => {
                event!(error);
            }
        }
    }

    /// Warns about a request that was accepted without a claim, because the replay store could not
    /// answer.
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

    /// Reports an answer that cannot be signed.
    pub(super) fn unsignable(&self, problem: &impl fmt::Display, now: Timestamp) {
        let Some(suppressed) = self.admit("unsignable", None, now) else {
            return;
        };
        tracing::error!(
            target: "countersign",
            outcome = "unsignable",
            suppressed,
            reason = %problem,
        );
    }

    /// Returns the number of events that were suppressed before this one, or `None` if this one
    /// must be suppressed too.
    pub(crate) fn admit(
        &self,
        code: &'static str,
        caller: Option<&KeyId>,
        now: Timestamp,
    ) -> Option<u64> {
        // The counts are consistent even after a panic: each change is one assignment.
        let mut rates = self.0.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.admit(code, caller, now.as_unix_seconds())
    }
}
