//! What must hold for every request in AWS Signature Version 4: a signed request verifies, no two
//! requests verify with one signature, and nothing that a peer can write makes the reader panic or
//! passes for a signature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;
mod sigv4;

use countersign::{SigV4Presigned, SigV4VerifySettings};
use http::Method;
use proptest::{collection::vec, option, prelude::*, test_runner::FileFailurePersistence};
use tests::keys::NOW;

use crate::{
    message::Message,
    sigv4::{
        DATE, HOST, KEY_ID, REGION, SERVICE, judge_with, keyring, presigned, signed, signer,
        verifier,
    },
};

/// So many cases, and no file of failures: a failure prints the case, which then becomes a row of a
/// table.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

fn verify_settings() -> SigV4VerifySettings {
    let presigned = SigV4Presigned::new()
        .with_method(Method::POST)
        .with_method(Method::PUT);
    sigv4::verify_settings().with_presigned(presigned)
}

fn accepts(message: &Message) -> bool {
    judge_with(message, &verifier(verify_settings()), &keyring(), NOW).is_ok()
}

/// Text in a path or a query, with every character that may be there, raw or escaped.
fn piece() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9]{1,6}",
        2 => "[-_~!$'()*,;:@]{1,3}",
        2 => "%(20|25|2B|3D|26|C3%BC|41|c3%bc|3f)",
        1 => "a\\.b",
        1 => "é",
    ];
    vec(part, 1..4).prop_map(|parts| parts.concat())
}

/// Whether a query is escaped in the one way that is accepted by default.
fn is_escaped_in_one_way(message: &Message) -> bool {
    let (_, query) = message.target.split_once('?').unwrap_or_default();
    let mut escapes = query.split('%').skip(1);
    query.bytes().all(|byte| byte.is_ascii() && byte != b';')
        && escapes.all(|escape| {
            let digits = &escape[..2];
            let byte = u8::from_str_radix(digits, 16).unwrap();
            let needs_one = !(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
            digits == digits.to_uppercase() && needs_one
        })
}

fn target() -> impl Strategy<Value = String> {
    let path = vec(piece(), 0..4).prop_map(|parts| format!("/{}", parts.join("/")));
    let query = vec((piece(), option::of(piece())), 0..5).prop_map(|pairs| {
        let pairs = pairs
            .into_iter()
            .enumerate()
            .map(|(count, (name, value))| match value {
                Some(value) => format!("{name}{count}={value}"),
                None => format!("{name}{count}"),
            });
        pairs.collect::<Vec<_>>().join("&")
    });
    (path, query).prop_map(|(path, query)| {
        if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        }
    })
}

fn request() -> impl Strategy<Value = Message> {
    (
        proptest::sample::select(vec!["GET", "HEAD", "POST", "PUT"]),
        target(),
        vec(("x-[a-f]", "[ -~]{0,12}"), 0..3),
        vec(any::<u8>(), 0..20),
    )
        .prop_map(|(method, target, headers, body)| {
            let body = if matches!(method, "GET" | "HEAD") {
                Vec::new()
            } else {
                body
            };
            let mut message = Message::new(method, &target, HOST, &body);
            for (name, value) in headers {
                // As a server hands it on.
                message.set(&name, value.trim());
            }
            message
        })
}

/// What a request may differ in without being another one: the order of its parameters, the
/// spelling of their escapes, and the amount of white space between words in a header.
fn meaning(message: &Message) -> impl PartialEq + use<> {
    let (path, query) = message
        .target
        .split_once('?')
        .unwrap_or((&message.target, ""));
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((byte, behind)) = rest.split_first() {
            let digits = behind.get(..2).filter(|_| *byte == b'%');
            let escaped = digits
                .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
            bytes.push(escaped.unwrap_or(*byte));
            rest = if escaped.is_some() {
                &behind[2..]
            } else {
                behind
            };
        }
        bytes
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            [decoded(name), vec![0], decoded(value)].concat()
        })
        .collect();
    pairs.sort();
    let mut headers: Vec<_> = message
        .headers
        .iter()
        .filter(|(name, _)| name != "authorization")
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value);
            let words: Vec<_> = value
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect();
            (name.clone(), words.join(" "))
        })
        .collect();
    headers.sort();
    (
        message.method.clone(),
        path.to_owned(),
        pairs,
        headers,
        message.body.clone(),
    )
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_signed_verifies_in_either_place(message in request()) {
        prop_assume!(message.parts().is_some());
        let in_header = signed(message.clone(), &signer(), NOW);
        let strict = verifier(verify_settings());
        let lenient = verifier(verify_settings().insecure_accept_noncanonical_queries());
        let is_accepted = judge_with(&in_header, &strict, &keyring(), NOW).is_ok();
        prop_assert_eq!(is_accepted, is_escaped_in_one_way(&message));
        let verified = judge_with(&in_header, &lenient, &keyring(), NOW);
        prop_assert!(verified.is_ok(), "{:?}", verified);
        let verified = verified.unwrap();
        prop_assert!(!verified.presigned());
        for (name, value) in &message.headers {
            let words: Vec<_> = std::str::from_utf8(value).unwrap().split_whitespace().collect();
            let expected = words.join(" ");
            prop_assert_eq!(verified.covered(name), Some(expected.as_str()));
        }
        let key = sigv4::key(sigv4::SECRET);
        prop_assert!(verified.evidence().unwrap().is_signed_with(&key));

        let in_query = presigned(message.clone(), &signer(), 60, NOW);
        let is_accepted = judge_with(&in_query, &strict, &keyring(), NOW).is_ok();
        prop_assert_eq!(is_accepted, is_escaped_in_one_way(&message));
        let verified = judge_with(&in_query, &lenient, &keyring(), NOW);
        prop_assert!(verified.is_ok(), "{:?}", verified);
        prop_assert!(verified.unwrap().presigned());
    }

    #[test]
    fn no_two_requests_verify_with_one_signature(one in request(), other in request(), part in 0..5_usize) {
        prop_assume!(one.parts().is_some() && other.parts().is_some());
        let first = signed(one, &signer(), NOW);
        let second = signed(other, &signer(), NOW);
        // The second request with the first one's signature, as a whole or changed in one part.
        let mut changed = first.clone();
        match part {
            0 => changed.method = second.method.clone(),
            1 => changed.target = second.target.clone(),
            2 => {
                changed.body = second.body.clone();
                changed.set("x-amz-content-sha256", second.header("x-amz-content-sha256"));
            }
            3 => changed.body = second.body.clone(),
            _ => {
                changed = second.clone();
                changed.set("authorization", first.header("authorization"));
            }
        }
        let list = first.header("authorization").split("SignedHeaders=").nth(1).unwrap();
        let list = list.split(',').next().unwrap();
        changed.headers.retain(|(name, _)| name == "authorization" || list.split(';').any(|covered| covered == name));
        let is_same = meaning(&changed) == meaning(&first);
        prop_assert_eq!(accepts(&changed), is_same && is_escaped_in_one_way(&changed));
    }

    #[test]
    fn a_changed_byte_is_never_accepted(message in request(), at in any::<prop::sample::Index>(), to in 0x21_u8..0x7f) {
        prop_assume!(message.parts().is_some());
        for original in [signed(message.clone(), &signer(), NOW), presigned(message, &signer(), 60, NOW)] {
            let mut changed = original.clone();
            let mut bytes = changed.target.clone().into_bytes();
            let index = at.index(bytes.len());
            bytes[index] = to;
            if let Ok(target) = String::from_utf8(bytes) {
                changed.target = target;
                prop_assume!(changed.parts().is_some());
                let uri: http::Uri = changed.target.parse().unwrap();
                prop_assume!(uri.path_and_query().is_some_and(|kept| kept.as_str() == changed.target));
                let is_same = meaning(&changed) == meaning(&original);
                prop_assert!(!accepts(&changed) || is_same, "{} {}", original.target, changed.target);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1024))]

    #[test]
    fn no_head_makes_the_reader_panic_or_passes(
        method in "[A-Z]{1,5}",
        target in "/[ -~]{0,40}",
        credential in "[ -~]{0,60}",
        list in "[ -~]{0,30}",
        signature in "[0-9a-fA-F]{0,70}",
        date in "[0-9TZ]{0,17}",
        hash in "[ -~]{0,70}",
        whole in any::<bool>(),
    ) {
        let own = format!("{KEY_ID}/20260102/{REGION}/{SERVICE}/aws4_request");
        let credential = if whole { own } else { credential };
        let date = if whole { DATE.to_owned() } else { date };
        let list = if whole { "host;x-amz-content-sha256;x-amz-date".to_owned() } else { list };
        let message = Message::new(&method, &target, HOST, b"")
            .with("x-amz-date", &date)
            .with("x-amz-content-sha256", &hash);
        let header = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={list}, Signature={signature}");
        prop_assert!(!accepts(&message.clone().with("authorization", header)));
        let mut in_query = message;
        in_query.target.extend([format!(
            "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={date}&X-Amz-Expires=60\
             &X-Amz-SignedHeaders={list}&X-Amz-Signature={signature}"
        )]);
        prop_assert!(!accepts(&in_query));
        if let Some(parts) = in_query.parts() {
            let _ = verifier(verify_settings()).asserted(&parts);
        }
    }
}
