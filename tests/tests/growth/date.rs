//! The date is judged before long values are read: a captured head costs no more than its lines are
//! many.

use countersign::{
    MessageSignaturesVerifySettings, RejectionKind, Scheme, SigV4VerifySettings, StructuredType,
    Timestamp, Verifier,
};
use http::{HeaderName, request::Parts};
use tests::{
    keys::NOW,
    stranger::{HOST, REGION, SERVICE, append, message_signatures, native, presigned, sigv4},
};

use crate::builder;

/// A long time after the date of every head.
const LATER: Timestamp = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + 100_000);

fn verifier() -> Verifier {
    let dictionary = HeaderName::from_static("example-dict");
    let url = countersign::SigV4Presigned::new();
    builder()
        .accept(Scheme::Ed25519)
        .accept(
            SigV4VerifySettings::new(REGION, SERVICE)
                .unwrap()
                .with_presigned(url),
        )
        .accept(
            MessageSignaturesVerifySettings::new()
                .with_structured_field(dictionary, StructuredType::Dictionary),
        )
        .build()
        .unwrap()
}

/// The results while the date is accepted, and later.
fn judge(head: &Parts) -> [Result<(), RejectionKind>; 2] {
    let verifier = verifier();
    [NOW, LATER].map(|now| {
        let found = verifier.parse(head, now);
        found.map(|_| ()).map_err(|rejection| rejection.kind())
    })
}

fn with(mut head: Parts, name: &str, values: &[&[u8]]) -> Parts {
    for value in values {
        append(&mut head.headers, name, value);
    }
    head
}

#[test]
fn what_a_covered_value_holds_is_judged_after_the_date() {
    let extra = ["x-extra".to_owned()];
    let two = &[&b"a"[..], b"\xe9"];
    for (name, head) in [
        (
            "HMAC-SHA256",
            with(
                native(Scheme::HmacSha256, "/", &extra, " "),
                "x-extra",
                &two[1..],
            ),
        ),
        (
            "ED25519",
            with(
                native(Scheme::Ed25519, "/", &extra, " "),
                "x-extra",
                &two[1..],
            ),
        ),
        ("SigV4", with(sigv4("/", &extra), "x-extra", &two[1..])),
        (
            "SigV4, the second line",
            with(sigv4("/", &extra), "x-extra", two),
        ),
        (
            "SigV4 presigned",
            with(presigned("/", "", &extra), "x-extra", &two[1..]),
        ),
        (
            "RFC 9421",
            with(message_signatures("/", "\"x-extra\""), "x-extra", &two[1..]),
        ),
        (
            "RFC 9421, the second line",
            with(message_signatures("/", "\"x-extra\""), "x-extra", two),
        ),
        (
            "RFC 9421, no dictionary",
            with(
                message_signatures("/", "\"example-dict\";sf"),
                "example-dict",
                &[b"("],
            ),
        ),
        (
            "RFC 9421, no member",
            with(
                message_signatures("/", "\"example-dict\";key=\"a\""),
                "example-dict",
                &[b"b"],
            ),
        ),
        (
            "RFC 9421, no parameter of the query",
            message_signatures("/?b=1", "\"@query-param\";name=\"a\""),
        ),
    ] {
        let expected = [RejectionKind::Malformed, RejectionKind::Expired].map(Err);
        assert_eq!(judge(&head), expected, "{name}");
    }
}

#[test]
fn whatever_else_is_wrong_with_a_head_is_judged_before_the_date() {
    let extra = ["x-extra".to_owned()];
    let long = "a".repeat((1 << 20) + 1);
    let long = &[long.as_bytes()][..];
    let twice = &[&b"a"[..]; 2];
    let dictionary = "\"example-dict\";key=\"a\"";
    for (name, head) in [
        (
            "HMAC-SHA256, absent",
            native(Scheme::HmacSha256, "/", &extra, " "),
        ),
        (
            "HMAC-SHA256, long",
            with(
                native(Scheme::HmacSha256, "/", &extra, " "),
                "x-extra",
                long,
            ),
        ),
        (
            "HMAC-SHA256, twice",
            with(
                native(Scheme::HmacSha256, "/", &extra, " "),
                "x-extra",
                twice,
            ),
        ),
        ("SigV4, absent", sigv4("/", &extra)),
        ("SigV4, long", with(sigv4("/", &extra), "x-extra", long)),
        ("SigV4, a name twice", sigv4("/?a=1&a=2", &[])),
        ("SigV4 presigned, absent", presigned("/", "", &extra)),
        (
            "SigV4 presigned, long",
            with(presigned("/", "", &extra), "x-extra", long),
        ),
        ("RFC 9421, absent", message_signatures("/", "\"x-extra\"")),
        (
            "RFC 9421, absent, of a dictionary",
            message_signatures("/", dictionary),
        ),
        (
            "RFC 9421, long",
            with(message_signatures("/", "\"x-extra\""), "x-extra", long),
        ),
        (
            "RFC 9421, long, of a dictionary",
            with(message_signatures("/", dictionary), "example-dict", long),
        ),
        (
            "RFC 9421, no type",
            with(
                message_signatures("/", "\"x-extra\";sf"),
                "x-extra",
                &[b"a"],
            ),
        ),
        (
            "RFC 9421, one value twice",
            with(
                message_signatures("/", "\"content-type\""),
                "content-type",
                twice,
            ),
        ),
        (
            "RFC 9421, no scheme",
            message_signatures("/", "\"@scheme\""),
        ),
        ("HMAC-SHA256, two hosts", {
            let mut head = native(Scheme::HmacSha256, "/", &[], " ");
            append(&mut head.headers, "host", HOST);
            head
        }),
    ] {
        assert_eq!(judge(&head), [Err(RejectionKind::Malformed); 2], "{name}");
    }
    let mut head = message_signatures("/", "\"host\"");
    head.headers
        .append("content-encoding", "gzip".parse().unwrap());
    let uncovered = [Err(RejectionKind::InsufficientCoverage); 2];
    assert_eq!(judge(&head), uncovered);
}
