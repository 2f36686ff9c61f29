//! What an operator reads of a refusal: a table of one request for each reason, over all schemes.
//! Every reason names what it is about, and no reason of the sources is without a row.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod answers;
mod body_schemes;
mod cavage;
mod chunks;
mod dialects;
mod keys;
mod layer;
mod message_signatures;
mod native;
mod sigv4;
mod sources;

use countersign::{KeyStore, Keyring, Rejection, Verifier};
use http::{HeaderName, HeaderValue, Method, Request, request::Parts};
use tests::keys::NOW;

/// A name, the change to the request that the table begins with, and the reason that the operator
/// reads.
type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// A head as written here: the request line without a version, then a line for each header.
/// `{long}` means 9,000 characters.
fn head(text: &str) -> Parts {
    let text = text.replace("{long}", &"x".repeat(9000));
    let mut lines = text.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(target);
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        parts.headers.append(name, value);
    }
    parts
}

/// What a request is refused with.
fn refused(verifier: &Verifier, keys: &Keyring, parts: &Parts, body: &[u8]) -> Rejection {
    let judged = || {
        let unverified = verifier.parse(parts, NOW)?;
        let keys = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        unverified.authenticate(&keys, NOW)?.finish_with(body, NOW)
    };
    judged().unwrap_err()
}

/// The reasons of a table whose requests differ from `base`.
fn table(verifier: &Verifier, keys: &Keyring, base: &str, rows: &[Row]) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut other = Vec::new();
    for (name, changes, expected) in rows {
        let mut text = base.to_owned();
        for (from, to) in *changes {
            assert!(text.contains(from), "{name}: no {from:?} in {text}");
            text = text.replace(from, to);
        }
        let found = refused(verifier, keys, &head(&text), b"").to_string();
        if found != *expected {
            other.push(format!(
                "{name}:\n  expected {expected}\n  found    {found}"
            ));
        }
        reasons.push(found);
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
    reasons
}

/// Every reason of every table.
fn all() -> Vec<String> {
    [
        answers::reasons(),
        native::reasons(),
        sigv4::reasons(),
        message_signatures::reasons(),
        body_schemes::reasons(),
        cavage::reasons(),
        chunks::reasons(),
        dialects::reasons(),
        keys::reasons(),
        layer::reasons(),
    ]
    .concat()
}

/// The subjects of reasons. The subject comes before the first colon.
const SUBJECTS: [&str; 38] = [
    "X-Amz-Algorithm",
    "X-Amz-Date",
    "X-Amz-Date and X-Amz-Expires",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "SignedHeaders",
    "authority",
    "authorization",
    "body",
    "chunk header",
    "chunks",
    "claim of the nonce",
    "created",
    "credential",
    "date",
    "method",
    "nonce",
    "path",
    "query",
    "replay store",
    "request",
    "route",
    "signature",
    "signature parameters",
    "signature-input",
    "signed-headers",
    "svix-timestamp",
    "target",
    "the timestamp",
    "trailer",
    "webhook-id",
    "webhook-timestamp",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-date",
    "expected one signature, found 2",
];

/// Subjects with a name behind them.
const NAMED: [&str; 11] = [
    "chunk ",
    "trailer ",
    "header ",
    "key id \"",
    "key version ",
    "parameter ",
    "signature \"",
    "expected a signature in an accepted scheme (",
    "expected a signature with the tag \"",
    "expected a signature by a key of the service with the key id \"",
    "expected one signature with the tag \"",
];

/// What says nothing.
const VAGUE: [&str; 9] = [
    "a covered header",
    "a header that",
    "a parameter is",
    "a parameter twice",
    "a name twice",
    "found another one.",
    "longer than the limit",
    "larger than the limit",
    "no key of the caller matches",
];

#[test]
fn every_reason_names_what_it_is_about() {
    for reason in all() {
        let subject = reason.split(": ").next().unwrap_or_default();
        let is_named = NAMED.iter().any(|named| reason.starts_with(named));
        assert!(is_named || SUBJECTS.contains(&subject), "{reason}");
        for vague in VAGUE {
            assert!(!reason.contains(vague), "{reason}");
        }
        assert!(reason.len() <= 1024, "{reason}");
        assert!(
            reason.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{reason}"
        );
    }
}

#[test]
fn a_subject_that_no_reason_has_is_not_listed() {
    let reasons = all();
    for subject in SUBJECTS {
        let start = format!("{subject}: ");
        let mut found = reasons.iter().filter(|reason| reason.starts_with(&start));
        assert!(found.next().is_some(), "{subject}");
    }
    for named in NAMED {
        let mut found = reasons.iter().filter(|reason| reason.starts_with(named));
        assert!(found.next().is_some(), "{named}");
    }
}

#[test]
fn every_reason_of_the_sources_has_a_row() {
    let reasons = all();
    let mut wrong = Vec::new();
    for (file, text) in sources::texts() {
        let mut exempt = sources::UNREACHABLE.iter();
        let is_exempt = exempt.any(|(exempt, _)| *exempt == text);
        let has_row = reasons.iter().any(|reason| sources::is_of(&text, reason));
        match (has_row, is_exempt) {
            (true, false) | (false, true) => {}
            (true, true) => wrong.push(format!("{file}: {text:?} has a row and is exempt")),
            (false, false) => wrong.push(format!("{file}: {text:?} has no row")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_text_that_is_said_to_be_unreachable_is_in_the_sources() {
    let texts = sources::texts();
    for (text, _) in sources::UNREACHABLE {
        assert!(texts.iter().any(|(_, known)| known == text), "{text:?}");
    }
}
