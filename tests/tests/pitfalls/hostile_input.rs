//! Input that is made to break the reader.

use std::hint::black_box;

use countersign::Scheme;
use tests::growth::{self, FACTOR};

use crate::{
    SCHEMES, THREE, assert_code, judge,
    message::{ALL_FIVE, Message},
    signed,
};

/// Source: slack-auth-middleware, hmac-predicate, http-msgsign, Kong#2189, DRF's `compare_digest`:
/// text that cannot be decoded was a panic or a 500 (part 1, row 17; part 2).
#[test]
fn a_header_that_cannot_be_decoded_and_is_no_refusal() {
    let long = "a".repeat(70_000);
    let values: [&[u8]; 14] = [
        b"",
        b" ",
        b"\t",
        b"=",
        b",",
        b";;;;",
        b"=,=,=",
        b"\xff",
        b"\xc3\xa9",
        b"\xed\xa0\x80",
        b"%",
        b"credential=,signed-headers=,signature=",
        b"0",
        long.as_bytes(),
    ];
    for scheme in SCHEMES {
        let signed = signed(scheme);
        for name in [
            "authorization",
            "host",
            "x-date",
            "x-content-sha256",
            "x-nonce",
            "content-type",
        ] {
            for value in values {
                let mut alone = signed.clone();
                alone.set(name, value);
                let mut behind = signed.clone();
                let old = behind.header(name).as_bytes().to_vec();
                behind.set(name, [&old, value].concat());
                let mut before = signed.clone();
                before.set(name, [value, &old].concat());
                for message in [alone, behind, before] {
                    if message == signed {
                        continue;
                    }
                    let verdict = judge(scheme, &message);
                    let shown = String::from_utf8_lossy(&value[..value.len().min(20)]);
                    let Some(kind) = verdict.kind() else {
                        panic!("{scheme}: {name} {shown:?}: {verdict:?}");
                    };
                    let status = kind.status().as_u16();
                    assert!(
                        matches!(status, 401 | 421),
                        "{scheme}: {name} {shown:?}: {status}"
                    );
                }
            }
        }
    }
}

/// Judges these messages, and as many that are [`FACTOR`] times as long.
fn assert_linear(case: &str, scheme: Scheme, messages: impl Fn(usize) -> Vec<Message>) {
    let [small, large] = [1, FACTOR].map(messages);
    let judge_all = |messages: &[Message]| {
        for message in messages {
            black_box(judge(scheme, message));
        }
    };
    growth::assert_linear(case, &|| judge_all(&small), &|| judge_all(&large));
}

/// Source: CVE-2022-29167, Hawk: a regular expression on Host took quadratic time (part 1, row 28;
/// part 2).
#[test]
fn a_long_header_that_takes_more_than_linear_time() {
    const LENGTH: usize = 64 * 1024;
    for scheme in SCHEMES {
        for unit in [
            ":", "[", "]", ";", ",", "=", " ", "\t", "a", "a=", "a;", ", ", "0", "@",
        ] {
            let messages = |factor: usize| {
                let long = unit.repeat(LENGTH * factor / unit.len());
                let with = |name: &str, value: &str| {
                    let mut message = signed(scheme);
                    message.set(name, value);
                    message
                };
                let mut messages: Vec<_> = [
                    "host",
                    "authorization",
                    "x-date",
                    "x-content-sha256",
                    "x-nonce",
                ]
                .map(|name| with(name, &long))
                .into();
                messages.push(with("authorization", &format!("{scheme} {long}")));
                for (number, message) in messages.iter().enumerate() {
                    let case = format!("{unit:?} in place {number}");
                    assert_code(scheme, &case, message, "malformed");
                }
                messages
            };
            assert_linear(&format!("{scheme}: {unit:?}"), scheme, messages);
        }
        // Just under the caps, where everything is read.
        let messages = |factor: usize| {
            let lists = [
                format!("{THREE};{}", "a;".repeat(475 * factor)),
                format!("{THREE};{}", ";".repeat(950 * factor)),
                "host;x-date;".repeat(75 * factor),
            ];
            let messages = lists.map(|list| {
                let mut message = signed(scheme);
                message.edit("authorization", ALL_FIVE, &list);
                let kind = judge(scheme, &message).kind();
                assert!(kind.is_some(), "{scheme}: {list:.40}");
                message
            });
            messages.into()
        };
        assert_linear(&format!("{scheme}: under the caps"), scheme, messages);
    }
}
