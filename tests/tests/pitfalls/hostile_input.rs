//! Input that is made to break the reader.

use std::time::{Duration, Instant};

use crate::{SCHEMES, THREE, assert_code, judge, message::ALL_FIVE, signed};

/// Source: slack-auth-middleware, hmac-predicate, http-msgsign, Kong#2189, DRF's `compare_digest`: text that cannot be
/// decoded was a panic or a 500 (part 1, row 17; part 2).
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

/// Source: CVE-2022-29167, Hawk: a regular expression on Host took quadratic time (part 1, row 28; part 2).
#[test]
fn a_long_header_that_takes_more_than_linear_time() {
    const LENGTH: usize = 256 * 1024;
    let began = Instant::now();
    for scheme in SCHEMES {
        let signed = signed(scheme);
        for unit in [
            ":", "[", "]", ";", ",", "=", " ", "\t", "a", "a=", "a;", ", ", "0", "@",
        ] {
            let long = unit.repeat(LENGTH / unit.len());
            for name in [
                "host",
                "authorization",
                "x-date",
                "x-content-sha256",
                "x-nonce",
            ] {
                let mut message = signed.clone();
                message.set(name, &long);
                let code = judge(scheme, &message).code();
                assert_eq!(code, "malformed", "{scheme}: {name} {unit:?}");
            }
            let mut message = signed.clone();
            message.set("authorization", format!("{scheme} {long}"));
            assert_code(scheme, unit, &message, "malformed");
        }
        // Just under the caps, where everything is read.
        for list in [
            format!("{THREE};{}", "a;".repeat(1900)),
            format!("{THREE};{}", ";".repeat(3800)),
            "host;x-date;".repeat(300),
        ] {
            let mut message = signed.clone();
            message.edit("authorization", ALL_FIVE, &list);
            let kind = judge(scheme, &message).kind();
            assert!(kind.is_some(), "{scheme}: {list:.40}");
        }
    }
    // Linear, it takes a second or two; quadratic, each of these would be a minute.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "took {took:?}");
}
