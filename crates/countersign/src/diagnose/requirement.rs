//! The causes of a refusal of a request whose signature is right.

use http::header::CONTENT_ENCODING;

use super::{
    Diagnosis, candidates,
    cause::Cause,
    dates, relaxed,
    report::Finding,
    trial::{self, Base},
};
use crate::{
    error::{Rejection, RejectionKind},
    timestamp::Timestamp,
};

/// The first bytes of a body in gzip (RFC 1952 section 2.3.1).
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Returns the causes of a refusal of a request whose signature is right.
pub(super) fn requirement(
    diagnosis: &Diagnosis<'_>,
    rejection: &Rejection,
    base: &Base<'_, '_>,
) -> Vec<Finding> {
    let is_after_mac = rejection.proven_caller().is_some();
    match rejection.kind() {
        RejectionKind::Expired => {
            let signed_at = rejection
                .stale_date()
                .unwrap_or(base.unverified.signed_at());
            return vec![of_date(signed_at, diagnosis.now)];
        }
        RejectionKind::BodyMismatch => return of_body(diagnosis, base),
        RejectionKind::InvalidSignature if is_after_mac => {
            return vec![Finding::matched(
                Cause::KeyNotInForce,
                rejection.to_string(),
            )];
        }
        RejectionKind::InsufficientCoverage if is_after_mac => {
            let cause = if base.unverified.has_replay_identity() {
                Cause::HeaderNotCovered
            } else {
                Cause::NonceMissing
            };
            return vec![Finding::matched(cause, rejection.to_string())];
        }
        RejectionKind::Misdirected if is_after_mac => {
            return vec![Finding::matched(
                Cause::HostNotExpected,
                rejection.to_string(),
            )];
        }
        _ => {}
    }
    if trial::read(diagnosis.verifier, base.head.head(), diagnosis.now).is_ok() {
        // The head is readable, and the signature is right under any algorithm.
        return vec![Finding::matched(Cause::Algorithm, rejection.to_string())];
    }
    let body = (base.body, base.digest.as_ref());
    for relaxed in relaxed::each(diagnosis.verifier, base.head) {
        // Found only if the request breaks exactly one requirement.
        let read = trial::read(&relaxed.verifier, base.head.head(), diagnosis.now);
        if let Ok((unverified, at)) = read
            && trial::matches(&unverified, base.keys, at, body) == Some(true)
        {
            return vec![Finding::matched(relaxed.cause, relaxed.detail)];
        }
    }
    let cause = match rejection.kind() {
        RejectionKind::Misdirected => Cause::HostNotExpected,
        RejectionKind::InsufficientCoverage => Cause::HeaderNotCovered,
        _ => Cause::Malformed,
    };
    vec![Finding::matched(cause, rejection.to_string())]
}

pub(super) fn of_date(signed_at: Timestamp, now: Timestamp) -> Finding {
    if dates::looks_like_millis(signed_at, now) {
        let detail = format!("found {}", signed_at.as_unix_seconds());
        return Finding::matched(Cause::Milliseconds, detail);
    }
    let seconds = signed_at.abs_diff(now).as_secs();
    let direction = if signed_at < now {
        "earlier than"
    } else {
        "later than"
    };
    if let Some(offset) = dates::offset_of(signed_at, now) {
        let detail = format!("the date is {seconds} s {direction} the clock, {offset} minutes");
        return Finding::matched(Cause::TimeZone, detail);
    }
    let detail = format!("the date is {seconds} s {direction} the clock");
    Finding::matched(Cause::Clock, detail)
}

/// Returns the causes of a body that differs from the signed one.
fn of_body(diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) -> Vec<Finding> {
    let body = diagnosis.body.unwrap_or_default();
    for (cause, detail, other) in candidates::forms_of(Some(body)) {
        let authenticated = base.unverified.authenticate(base.keys, base.at);
        if authenticated.is_ok_and(|head| head.finish_with(&other, base.at).is_ok()) {
            return vec![Finding::matched(cause, detail)];
        }
    }
    let is_compressed = body.starts_with(&GZIP);
    let says_so = base.head.headers.contains_key(CONTENT_ENCODING);
    let (cause, detail) = if body.is_empty() {
        (Cause::BodyEmpty, "found an empty body")
    } else if says_so && !is_compressed {
        (
            Cause::BodyDecompressed,
            "found a content-encoding, and a body that is not compressed with gzip",
        )
    } else {
        (
            Cause::OtherBody,
            "the hash of the body is not the signed one",
        )
    };
    vec![Finding::observed(cause, detail)]
}
