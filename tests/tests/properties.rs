//! What must hold for every request: a signed request verifies, no two requests are signed alike,
//! and nothing that a peer can write makes the reader panic or passes for a signature.

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

use std::{collections::HashMap, time::Duration};

use countersign::{
    Asserted, BodyState, CallerKey, HostForm, KeyId, KeyVersion, Keyring, Nonce, PayloadDigest,
    Scheme, Secret, Signer, SigningKey, Timestamp, Verifier, VerifyingKey,
};
use http::{HeaderName, HeaderValue, Uri};
use proptest::{
    collection::vec, option, prelude::*, sample::subsequence, test_runner::FileFailurePersistence,
};
use tests::keys::{NOW, SECRET, ed25519_key, hmac_key};

use crate::message::{Forger, Message, Verdict, authenticate};

const HOST: &str = "user-service.internal";

/// So many cases, and no file of failures: a failure prints the case, which then becomes a row of a
/// table.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

fn key(scheme: Scheme) -> SigningKey {
    match scheme {
        Scheme::HmacSha256 => hmac_key(SECRET),
        Scheme::Ed25519 => ed25519_key(SECRET),
        other => panic!("no key of {other}"),
    }
}

fn keyring(scheme: Scheme) -> Keyring {
    let key = CallerKey::new("1", key(scheme).verifying_key()).unwrap();
    Keyring::builder().caller("billing", key).build().unwrap()
}

fn verifier_for(host: &str) -> Verifier {
    Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([host])
        .keep_evidence()
        .build()
        .unwrap()
}

/// A request, and the headers to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Request {
    method: String,
    target: String,
    host: String,
    nonce: String,
    content_type: Option<String>,
    /// Further covered headers, in the order in which they are asked for.
    covered: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn message(&self) -> Message {
        let mut message = Message::new(&self.method, &self.target, &self.host, &self.body);
        if let Some(content_type) = &self.content_type {
            message.append("content-type", content_type);
        }
        for (name, value) in &self.covered {
            message.append(name, value);
        }
        message
    }

    fn signed(&self, scheme: Scheme, now: Timestamp) -> Message {
        let mut signer = Signer::new("billing", key(scheme), [&self.host]).unwrap();
        for (name, _) in &self.covered {
            signer = signer.with_covered_header(name.parse().unwrap()).unwrap();
        }
        self.message().signed_with(&signer, &self.nonce, now)
    }

    fn list(&self) -> String {
        let mut list = "host;x-date;x-content-sha256;x-nonce".to_owned();
        if self.content_type.is_some() {
            list.push_str(";content-type");
        }
        for (name, _) in &self.covered {
            list.push(';');
            list.push_str(name);
        }
        list
    }

    /// The text that the crate says was signed.
    fn canonical_request(&self) -> String {
        let signed = self.signed(Scheme::HmacSha256, NOW);
        let keys = keyring(Scheme::HmacSha256);
        let verified = signed.judge(&verifier_for(&self.host), &keys, NOW);
        let verified = verified.verified("signed");
        verified.evidence().unwrap().canonical_request().to_owned()
    }
}

fn scheme() -> impl Strategy<Value = Scheme> {
    prop_oneof![3 => Just(Scheme::HmacSha256), 1 => Just(Scheme::Ed25519)]
}

fn method() -> impl Strategy<Value = String> {
    let usual = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "M-SEARCH"].map(str::to_owned);
    prop_oneof![
        proptest::sample::select(usual.to_vec()),
        "[A-Z][A-Z-]{0,31}"
    ]
    .prop_filter("CONNECT cannot be signed", |method| method != "CONNECT")
}

/// Any path and query that the `http` crate reads and keeps as they are: odd escapes, dots, empty
/// parts, UTF-8.
fn target() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9]{1,8}",
        1 => "%[0-9a-fA-F]{2}",
        1 => "%[0-9a-zA-Z]{0,2}",
        2 => "[-._~!$&'()*+,;=:@/?%]{1,4}",
        1 => "[|^`{}\"\\\\]{1,2}",
        1 => "[à-ÿ漢字]{1,3}",
    ];
    vec(piece, 0..12)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
        .prop_filter("a target that http keeps as it is", |target| {
            let uri = Uri::try_from(target.as_str());
            uri.is_ok_and(|uri| {
                uri.path_and_query()
                    .is_some_and(|kept| kept == target.as_str())
            })
        })
}

fn host() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        4 => "[a-zA-Z0-9]([a-zA-Z0-9._-]{0,40}[a-zA-Z0-9])?",
        1 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        1 => "\\[[0-9a-f:]{2,20}\\]",
    ];
    (name, option::of(0..=u16::MAX)).prop_map(|(name, port)| match port {
        Some(port) => format!("{name}:{port}"),
        None => name,
    })
}

/// Text as a header keeps it: visible, with blanks and tabs inside only.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just(String::new()),
        6 => "[!-~]([ -~\t]{0,60}[!-~])?",
        // As long as a signed text that is not gathered in one piece.
        1 => "[!-~]{900,1300}",
    ]
}

fn further_headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = [
        "x-a",
        "x-b",
        "x-tenant",
        "accept",
        "content-encoding",
        "x!#$%&'*+.^_`|~",
    ];
    subsequence(names.to_vec(), 0..=names.len())
        .prop_shuffle()
        .prop_flat_map(|names| {
            let count = names.len();
            (Just(names), vec(value(), count))
        })
        .prop_map(|(names, values)| {
            let names = names.into_iter().map(str::to_owned);
            names.zip(values).collect()
        })
}

fn request() -> impl Strategy<Value = Request> {
    (
        method(),
        target(),
        host(),
        "[!-~]{16,128}",
        option::of(value()),
        further_headers(),
        vec(any::<u8>(), 0..200),
    )
        .prop_map(
            |(method, target, host, nonce, content_type, covered, body)| Request {
                method,
                target,
                host,
                nonce,
                content_type,
                covered,
                body,
            },
        )
}

/// Requests of few parts that are made to run into one another.
fn close_requests() -> impl Strategy<Value = Request> {
    let one_of = |texts: &[&str]| {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        proptest::sample::select(texts)
    };
    let values = [
        "",
        "1",
        "11",
        ":",
        "x-b:",
        "1;x-b",
        "x-b:1",
        "host;x-date",
        "/a",
        "GET",
    ];
    let headers = (
        option::of(one_of(&values)),
        option::of(one_of(&values)),
        any::<bool>(),
    )
        .prop_map(|(a, b, turned)| {
            let a = a.map(|value| ("x-a".to_owned(), value));
            let b = b.map(|value| ("x-b".to_owned(), value));
            let mut headers: Vec<_> = a.into_iter().chain(b).collect();
            if turned {
                headers.reverse();
            }
            headers
        });
    (
        one_of(&["GET", "GE", "G"]),
        one_of(&[
            "/",
            "/a",
            "/a?",
            "/a?b",
            "/ab",
            "/a?b=host:a",
            "/T/a",
            "/a:1",
        ]),
        one_of(&["a", "a:1", "a:11", "aa", "b.a", "b"]),
        one_of(&[
            "0123456789abcdef",
            "0123456789abcdef0",
            "0123456789abcdef:x-a",
        ]),
        option::of(one_of(&["", "a", "x-a:1"])),
        headers,
        one_of(&["", "a", "ab"]),
    )
        .prop_map(
            |(method, target, host, nonce, content_type, covered, body)| Request {
                method,
                target,
                host,
                nonce,
                content_type,
                covered,
                body: body.into_bytes(),
            },
        )
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    // The years 0 to 9999.
    (-62_167_219_200..=253_402_300_799_i64).prop_map(Timestamp::from_unix_seconds)
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_is_signed_verifies(
        scheme in scheme(),
        request in request(),
        signed_at in timestamp(),
        drift in -300_000_000..=300_000_000_i64,
        cut in any::<proptest::sample::Index>(),
    ) {
        let signed = request.signed(scheme, signed_at);
        let now = Timestamp::from_unix_micros(signed_at.as_unix_micros() + drift);
        let verifier = verifier_for(&request.host);
        let (start, end) = request.body.split_at(cut.index(request.body.len() + 1));
        let verdict = signed.judge_in_pieces(&verifier, &keyring(scheme), now, &[start, end]);
        let verified = verdict.verified("signed");

        prop_assert_eq!(verified.caller(), &"billing");
        prop_assert_eq!(verified.scheme(), scheme);
        prop_assert_eq!(verified.signed_at(), signed_at);
        prop_assert_eq!(verified.nonce(), Some(&*request.nonce));
        prop_assert_eq!(verified.covered("host"), Some(&*request.host));
        prop_assert_eq!(verified.covered("content-type"), request.content_type.as_deref());
        for (name, value) in &request.covered {
            prop_assert_eq!(verified.covered(name), Some(&**value));
        }
        let digest = PayloadDigest::of(&request.body);
        prop_assert_eq!(verified.body(), BodyState::Verified(digest));
        let evidence = verified.evidence().unwrap();
        let expected = signed.canonical_request(&request.list());
        prop_assert_eq!(evidence.canonical_request(), &expected);
        // Computed once more without the crate, which could otherwise agree with itself.
        let forger = Forger::new(scheme, "billing", SECRET);
        prop_assert_eq!(evidence.signature_hex(), forger.signature(&expected));
    }

    #[test]
    fn what_is_signed_for_http_1_verifies_as_http_2(request in request()) {
        let mut signed = request.signed(Scheme::HmacSha256, NOW);
        signed.target = format!("http://{}{}", request.host, request.target);
        // An authority that the `http` crate takes for none is no request in HTTP/2.
        prop_assume!(signed.parts().is_some());
        let verifier = verifier_for(&request.host);
        let keys = keyring(Scheme::HmacSha256);
        prop_assert_eq!(signed.judge(&verifier, &keys, NOW).code(), "accept");
        signed.remove("host");
        prop_assert_eq!(signed.judge(&verifier, &keys, NOW).code(), "accept");
    }

    #[test]
    fn a_request_is_fresh_within_the_window_and_not_outside(
        signed_at in timestamp(),
        drift in -1_000_000_000..=1_000_000_000_i64,
        window in 1..=900_u64,
    ) {
        let request = Message::new("GET", "/", HOST, b"");
        let signer = Signer::new("billing", key(Scheme::HmacSha256), [HOST]).unwrap();
        let signed = request.signed(&signer, signed_at);
        let verifier = Verifier::builder().window(Duration::from_secs(window)).build().unwrap();
        let now = Timestamp::from_unix_micros(signed_at.as_unix_micros() + drift);
        let found = signed.judge(&verifier, &keyring(Scheme::HmacSha256), now).code();
        let fresh = drift.unsigned_abs() <= window * 1_000_000;
        prop_assert_eq!(found, if fresh { "accept" } else { "expired" });
    }
}

/// No two of these have one canonical request, unless they are one request.
fn assert_all_told_apart(requests: &[Request]) -> Result<(), TestCaseError> {
    let mut seen: HashMap<String, &Request> = HashMap::new();
    for request in requests {
        let text = request.canonical_request();
        if let Some(earlier) = seen.insert(text, request) {
            prop_assert_eq!(earlier, request);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(12))]

    /// Source: CVE-2023-35941 (Envoy OAuth2), nonce-auth.
    #[test]
    fn no_two_close_requests_have_one_canonical_request(
        requests in vec(close_requests(), 60),
    ) {
        assert_all_told_apart(&requests)?;
    }

    #[test]
    fn no_two_requests_that_differ_in_one_part_have_one_canonical_request(
        one in request(),
        other in request(),
    ) {
        // Every mixture of the two.
        let mixtures: Vec<Request> = (0..128_u32)
            .map(|mixture| {
                let pick = |part: u32| if mixture >> part & 1 == 0 { &one } else { &other };
                Request {
                    method: pick(0).method.clone(),
                    target: pick(1).target.clone(),
                    host: pick(2).host.clone(),
                    nonce: pick(3).nonce.clone(),
                    content_type: pick(4).content_type.clone(),
                    covered: pick(5).covered.clone(),
                    body: pick(6).body.clone(),
                }
            })
            .collect();
        assert_all_told_apart(&mixtures)?;
    }
}

/// The request that the following properties take apart.
fn signed(scheme: Scheme) -> Message {
    let signer = Signer::new("billing", key(scheme), [HOST]).unwrap();
    let signer = signer
        .with_covered_header("x-tenant".parse().unwrap())
        .unwrap();
    Message::new("POST", "/api/account/7?x=1", HOST, b"{}")
        .with("content-type", "application/json")
        .with("x-tenant", "acme")
        .signed(&signer, NOW)
}

const HEADERS: [&str; 7] = [
    "authorization",
    "host",
    "x-date",
    "x-content-sha256",
    "x-nonce",
    "content-type",
    "x-tenant",
];

/// What an authorization header says, without the freedom of its spelling: blanks behind commas,
/// the order of the parameters, the case of the signature.
fn meaning(authorization: &[u8]) -> Option<(String, Vec<String>)> {
    let text = std::str::from_utf8(authorization).ok()?;
    let (scheme, parameters) = text.split_once(' ')?;
    let mut parameters: Vec<_> = parameters
        .split(',')
        .enumerate()
        .map(|(place, parameter)| match place {
            0 => parameter,
            _ => parameter.trim_start_matches([' ', '\t']),
        })
        .map(|parameter| match parameter.strip_prefix("signature=") {
            Some(digits) => format!("signature={}", digits.to_ascii_lowercase()),
            None => parameter.to_owned(),
        })
        .collect();
    parameters.sort_unstable();
    Some((scheme.to_owned(), parameters))
}

/// A changed message verifies only if it still says what was signed.
fn assert_verifies_only_what_was_signed(
    scheme: Scheme,
    signed: &Message,
    message: &Message,
) -> Result<(), TestCaseError> {
    let verdict = message.judge(&verifier_for(HOST), &keyring(scheme), NOW);
    if let Verdict::Accepted(_) = verdict {
        let authorization = |message: &Message| {
            let mut values = message.headers.iter();
            let found = values.find(|(name, _)| name == "authorization").unwrap();
            meaning(&found.1)
        };
        prop_assert_eq!(authorization(message), authorization(signed));
        let mut rest = message.clone();
        rest.set("authorization", signed.header("authorization"));
        prop_assert_eq!(&rest, signed);
    } else if let Some(kind) = verdict.kind() {
        prop_assert!(!kind.is_after_mac(), "{}", verdict.code());
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_other_bytes_in_a_header_verify(
        scheme in scheme(),
        header in proptest::sample::select(HEADERS.to_vec()),
        value in vec(any::<u8>(), 0..200),
    ) {
        let signed = signed(scheme);
        let mut message = signed.clone();
        message.set(header, &value);
        prop_assume!(message != signed);
        assert_verifies_only_what_was_signed(scheme, &signed, &message)?;
    }

    #[test]
    fn no_splice_of_a_header_verifies_but_another_spelling(
        scheme in scheme(),
        header in proptest::sample::select(HEADERS.to_vec()),
        start in any::<proptest::sample::Index>(),
        removed in 0..4_usize,
        inserted in prop_oneof![
            vec(any::<u8>(), 0..4),
            "[ \t,;=a-f0-9A-F]{0,4}".prop_map(String::into_bytes),
        ],
    ) {
        let signed = signed(scheme);
        let mut value = signed.header(header).as_bytes().to_vec();
        let start = start.index(value.len() + 1);
        let end = (start + removed).min(value.len());
        value.splice(start..end, inserted);
        let mut message = signed.clone();
        message.set(header, value);
        assert_verifies_only_what_was_signed(scheme, &signed, &message)?;
    }

    #[test]
    fn no_flipped_bit_of_a_signature_verifies(
        scheme in scheme(),
        request in request(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let signed = request.signed(scheme, NOW);
        let (_, digits) = signed.header("authorization").split_once("signature=").unwrap();
        let mut signature = base16ct::lower::decode_vec(digits).unwrap();
        let bit = bit.index(signature.len() * 8);
        signature[bit / 8] ^= 1 << (bit % 8);
        let mut message = signed.clone();
        message.edit("authorization", digits, &base16ct::lower::encode_string(&signature));
        let verdict = message.judge(&verifier_for(&request.host), &keyring(scheme), NOW);
        prop_assert_eq!(verdict.code(), "invalid_signature");
    }
}

fn any_header() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![
        5 => proptest::sample::select(HEADERS.to_vec()).prop_map(str::to_owned),
        1 => Just("content-encoding".to_owned()),
        1 => "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}",
    ];
    let digits = "[0-9a-f]{64}";
    let list = "host(;x-date(;x-content-sha256(;[a-z-]{1,10}){0,3})?)?";
    let authorization =
        (scheme(), "[!-~]{0,12}", list, digits).prop_map(|(scheme, caller, list, digits)| {
            let signature = match scheme {
                Scheme::HmacSha256 => digits,
                _ => digits.repeat(2),
            };
            format!("{scheme} credential={caller}, signed-headers={list}, signature={signature}")
        });
    let value = prop_oneof![
        3 => vec(any::<u8>(), 0..60),
        2 => "[ -~]{0,60}".prop_map(String::into_bytes),
        2 => authorization.prop_map(String::into_bytes),
        1 => digits.prop_map(String::into_bytes),
        1 => Just(NOW.to_http_date().unwrap().into_bytes()),
        1 => Just(HOST.as_bytes().to_vec()),
    ];
    (name, value)
}

fn any_message() -> impl Strategy<Value = Message> {
    let method = prop_oneof![method(), "[!-~]{1,40}"];
    let target = prop_oneof![
        target(),
        Just("*".to_owned()),
        "[!-~]{1,40}",
        host(),
        (host(), target()).prop_map(|(host, target)| format!("http://{host}{target}")),
        (host(), target()).prop_map(|(host, target)| format!("ws://user@{host}{target}")),
    ];
    (
        method,
        target,
        vec(any_header(), 0..20),
        vec(any::<u8>(), 0..20),
    )
        .prop_map(|(method, target, headers, body)| Message {
            method,
            target,
            headers,
            body,
        })
}

/// A message with arbitrary headers that the `http` crate takes, none of them of a signature.
fn signable_message() -> impl Strategy<Value = Message> {
    (
        prop_oneof![method(), "[a-zA-Z-]{1,40}"],
        target(),
        host(),
        vec(any_header(), 0..4),
        vec(any::<u8>(), 0..20),
    )
        .prop_map(|(method, target, host, headers, body)| {
            let mut message = Message::new(&method, &target, &host, &body);
            let of_a_signature = ["authorization", "x-date", "x-nonce", "x-content-sha256"];
            for (name, value) in headers {
                let value_is_http = HeaderValue::from_bytes(&value).is_ok();
                let name = name.to_ascii_lowercase();
                if value_is_http && !of_a_signature.contains(&&*name) {
                    message.append(&name, value);
                }
            }
            message
        })
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn no_list_of_arbitrary_headers_verifies_or_panics(
        scheme in scheme(),
        message in any_message(),
        now in any::<i64>(),
    ) {
        let keys = keyring(scheme);
        let lenient = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST])
            .host_form(HostForm::StripPort)
            .accept_rfc3339_dates()
            .build()
            .unwrap();
        for verifier in [Verifier::default(), lenient] {
            for now in [NOW, Timestamp::from_unix_micros(now)] {
                let verdict = message.judge(&verifier, &keys, now);
                prop_assert!(!matches!(verdict, Verdict::Accepted(_)));
                if let Verdict::Refused(rejection) = verdict {
                    prop_assert!(!rejection.kind().is_after_mac());
                    prop_assert!(!rejection.to_string().is_empty());
                }
            }
            if let Some(parts) = message.parts() {
                let asserted = verifier.asserted(&parts).and_then(Asserted::into_key_id);
                prop_assert!(asserted.is_none_or(|asserted| asserted.len() <= 4096));
            }
        }
    }

    /// The signer refuses what the verifier would; what it signs is taken.
    #[test]
    fn whatever_the_signer_signs_verifies(
        message in signable_message(),
        covering in option::of(proptest::sample::select(HEADERS.to_vec())),
        seconds in any::<i64>(),
    ) {
        let mut parts = message.parts().unwrap();
        let mut signer = Signer::new("billing", key(Scheme::HmacSha256), [HOST])
            .unwrap()
            .insecure_any_authority();
        if let Some(name) = covering
            && let Ok(covering) = signer.clone().with_covered_header(HeaderName::from_static(name))
        {
            signer = covering;
        }
        for now in [NOW, Timestamp::from_unix_seconds(seconds)] {
            let digest = PayloadDigest::of(&message.body);
            let Ok(signature) = signer.sign(&parts, digest, now) else { continue };
            signature.apply(&mut parts);
            let head = authenticate(&parts, &Verifier::default(), &keyring(Scheme::HmacSha256), now);
            let mut head = head.unwrap();
            head.update(&message.body);
            prop_assert!(head.finish().is_ok());
            for name in ["authorization", "x-date", "x-nonce", "x-content-sha256"] {
                parts.headers.remove(name);
            }
        }
    }

    #[test]
    fn no_text_makes_a_reader_of_settings_panic(text in "\\PC{0,80}", quoted in "[ -~\n]{0,80}") {
        for text in [&*text, &*quoted] {
            let _ = KeyId::new(text);
            let _ = KeyVersion::new(text);
            let _ = Nonce::new(text);
            let _ = Secret::from_hex(text);
            let _ = Secret::from_base64(text);
            let _ = VerifyingKey::ed25519_from_hex(text);
            let _ = Verifier::builder().expected_hosts([text]).build();
            let _ = Signer::new(text, key(Scheme::HmacSha256), [text]);
            let _ = Keyring::from_toml(text);
            let _ = Keyring::from_toml(&format!("[[callers]]\nname = {text}"));
            let _ = Keyring::from_service_secrets(text, Some(text));
            let _ = Keyring::from_service_secrets(&format!("{{\"a\":\"{text}\"}}"), None);
        }
    }
}
