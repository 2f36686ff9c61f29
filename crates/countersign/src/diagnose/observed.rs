//! Causes that the refusal itself shows, if no candidate matched.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::{
    Diagnosis,
    cause::Cause,
    difference::visible,
    head_copy::HeadCopy,
    relaxed, repairs,
    report::Finding,
    requirement::{GZIP, of_date},
    trial,
};
use crate::{
    error::{Rejection, RejectionKind},
    verify::SignedText,
};

/// Returns the causes that the refusal itself shows.
pub(super) fn observed(
    diagnosis: &Diagnosis<'_>,
    head: &HeadCopy,
    rejection: &Rejection,
) -> Vec<Finding> {
    let reason = rejection.to_string();
    let found = match rejection.kind() {
        RejectionKind::MissingSignature | RejectionKind::Malformed => {
            let foreign = relaxed::each(diagnosis.verifier, head);
            let mut foreign = foreign.into_iter();
            let foreign = foreign.find(|relaxed| {
                relaxed.cause == Cause::SchemeNotAccepted
                    && relaxed.verifier.asserted(head.head()).is_some()
            });
            let missing = repairs::missing(head);
            match (rejection.kind(), foreign, missing.first()) {
                (RejectionKind::MissingSignature, Some(foreign), _) => {
                    Finding::observed(Cause::SchemeNotAccepted, foreign.detail)
                }
                (RejectionKind::MissingSignature, None, _) => return Vec::new(),
                (_, _, Some(name)) => {
                    let detail = format!("header {name} is covered, found none");
                    Finding {
                        header: Some(name.clone()),
                        ..Finding::observed(Cause::HeaderRemoved, detail)
                    }
                }
                _ => Finding::observed(Cause::Malformed, reason),
            }
        }
        RejectionKind::Misdirected => Finding::observed(Cause::HostNotExpected, reason),
        RejectionKind::InsufficientCoverage => Finding::observed(Cause::Uncovered, reason),
        RejectionKind::Expired => {
            let signed_at = rejection.stale_date().unwrap_or(diagnosis.now);
            let of_date = of_date(signed_at, diagnosis.now);
            Finding::observed(of_date.cause, of_date.detail)
        }
        RejectionKind::InvalidSignature => return of_keys(diagnosis, head),
        _ => return Vec::new(),
    };
    vec![found]
}

/// Returns the causes that follow from the keys alone.
fn of_keys(diagnosis: &Diagnosis<'_>, head: &HeadCopy) -> Vec<Finding> {
    let Ok((unverified, _)) = trial::read(diagnosis.verifier, head.head(), diagnosis.now) else {
        return Vec::new();
    };
    let Some(keys) = diagnosis.keys.of(unverified.key_id()) else {
        return Vec::new();
    };
    if keys.is_unknown() {
        let detail = ["found ", &visible(unverified.key_id())].concat();
        return vec![Finding::observed(Cause::UnknownCaller, detail)];
    }
    if keys
        .keys_for(unverified.scheme(), unverified.key_id())
        .next()
        .is_none()
    {
        let detail = format!("signed in {}", unverified.scheme());
        return vec![Finding::observed(Cause::NoKeyOfScheme, detail)];
    }
    let is_over_the_body = matches!(unverified.signed_text(None), SignedText::Body { .. });
    let is_empty = diagnosis.body.is_some_and(<[u8]>::is_empty);
    if is_over_the_body && is_empty && head.headers.contains_key(CONTENT_TYPE) {
        return vec![Finding::observed(Cause::BodyEmpty, "found an empty body")];
    }
    let says_so = head.headers.contains_key(CONTENT_ENCODING);
    let body = diagnosis.body.unwrap_or_default();
    if is_over_the_body && says_so && !body.starts_with(&GZIP) {
        let detail =
            "found a content-encoding, and a body that is not compressed with gzip".to_owned();
        return vec![Finding::observed(Cause::BodyDecompressed, detail)];
    }
    Vec::new()
}
