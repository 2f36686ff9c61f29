//! The events of this crate. All have the target `countersign`, as those of the layers.
//!
//! None contains a header, a query or a secret.

use std::{error::Error, sync::Arc};

use countersign::ErrorChain;
use http::{Method, StatusCode};

use crate::message::Malformed;

/// The upstream did not answer. `outcome` is `upstream_failed`, and `what` is `unreachable`,
/// `broken`, `late` or `unasked_upgrade`.
pub(crate) fn upstream_failed(
    section: &str,
    what: &'static str,
    error: Option<&(dyn Error + 'static)>,
) {
    let reason = error.map(|error| ErrorChain::new(error).to_string());
    tracing::warn!(
        target: "countersign",
        outcome = "upstream_failed",
        section,
        what,
        reason = reason.unwrap_or_default(),
    );
    metrics::counter!(
        "countersign_proxy_upstream_failures_total",
        "section" => section.to_owned(), "what" => what,
    )
    .increment(1);
}

/// A gateway's description was refused without asking the layers.
pub(crate) fn description_refused(section: &str, reason: &'static str) {
    tracing::warn!(target: "countersign", outcome = "not_decided", section, reason);
    metrics::counter!(
        "countersign_proxy_refusals_total",
        "section" => section.to_owned(), "code" => "not_decided",
    )
    .increment(1);
}

/// A gateway was told to refuse a request. The status is the one before it is mapped for a gateway.
pub(crate) fn denied(section: &str, status: StatusCode) {
    let status = status.as_u16();
    tracing::info!(target: "countersign", outcome = "denied", section, status);
}

/// A connection could not be accepted, as when too many files are open.
pub(crate) fn accept_failed(error: &std::io::Error) {
    tracing::warn!(target: "countersign", outcome = "accept_failed", reason = %error);
}

/// A request was refused before it was verified.
pub(crate) fn refused(section: &str, method: &Method, code: &'static str, reason: &str) {
    let method = shown(method);
    tracing::info!(target: "countersign", outcome = "not_forwarded", section, method, code, reason);
    metrics::counter!(
        "countersign_proxy_refusals_total",
        "section" => section.to_owned(), "code" => code,
    )
    .increment(1);
}

/// As [`refused`], for a head that breaks a rule.
pub(crate) fn malformed(section: &str, method: &Method, malformed: Malformed) {
    refused(section, method, "malformed", malformed.0);
}

/// A request was answered.
pub(crate) fn answered(section: &Arc<str>, status: StatusCode) {
    let class = match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    metrics::counter!(
        "countersign_proxy_answers_total",
        "section" => Arc::clone(section), "class" => class,
    )
    .increment(1);
}

/// Counts an open connection until it is dropped.
pub(crate) struct ConnectionCount(metrics::Gauge);

impl ConnectionCount {
    pub(crate) fn begin(section: &Arc<str>) -> Self {
        let section = Arc::clone(section);
        let gauge = metrics::gauge!("countersign_proxy_connections", "section" => section);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A method can hold anything that a peer makes up, so only known ones are shown.
fn shown(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}
