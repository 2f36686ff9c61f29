//! The conformance data of RFC 9421, RFC 9530 and RFC 9651, through the public API.
//!
//! Where the data is absent these tests pass and say so on stderr. Every case is decided: it is
//! run, or it is a row of one of the tables below, of which each row must be met. The RFC's
//! examples cover little and have no nonce, so they are verified under settings that require
//! nothing.
//!
//! A case that expects a value is signed here with a key of our own over the signature base that
//! the data has: if that verifies, the verifier came to the same text, byte for byte.

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

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding};
use countersign::{
    Algorithm, CallerKey, ComponentId, HeadLimits, Jwk, KeyStore as _, Keyring,
    MessageSignaturesSignSettings, MessageSignaturesVerifySettings, PayloadDigest, RejectionKind,
    Secret, Signer, SigningKey, StructuredType, Timestamp, UriScheme, Verified, Verifier,
    VerifyingKey,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Request, request::Parts};
use serde_json::Value;
use sha2::Sha256;
use tests::{
    keys::SECRET,
    vectors::{assert_count, base64, is_known_set, shared, text},
};

/// DIFFERENCE: what the data takes and this project refuses.
const DIFFERENCES: [(&str, &str, RejectionKind); 9] = [
    (
        "gen/no-created",
        "without a date a signature is good for ever: `created` is required",
        RejectionKind::InsufficientCoverage,
    ),
    (
        "gen/string-escapes",
        "a string with escapes: no value that is read needs one, and each has one spelling",
        RejectionKind::Malformed,
    ),
    (
        "request-target-absolute/@request-target",
        "an absolute form cannot be told from HTTP/2, so the target is always path and query",
        RejectionKind::InvalidSignature,
    ),
    (
        "request-target-authority/@request-target",
        "CONNECT cannot be signed",
        RejectionKind::Malformed,
    ),
    ("d-md5", DEPRECATED, RejectionKind::Malformed),
    ("d-unixsum", DEPRECATED, RejectionKind::Malformed),
    ("d-unixcksum", DEPRECATED, RejectionKind::Malformed),
    ("d-adler", DEPRECATED, RejectionKind::Malformed),
    ("d-crc32c", DEPRECATED, RejectionKind::Malformed),
];

const DEPRECATED: &str = "a deprecated algorithm suffices for nothing (RFC 9530 section 5)";

/// DIFFERENCE: what the data refuses and this project takes.
const TAKEN: [(&str, &str); 1] = [(
    "created-future",
    "the window reaches as far ahead of the clock as behind it, so one second ahead is within it",
)];

/// DIFFERENCE: fields of the structured field tests that are wrong for the tab at their end, which
/// RFC 9421 section 2.1 trims before the field is read. They are covered as if it were not there.
const TRIMMED: [&str; 4] = [
    "leading space",
    "trailing space",
    "0x09 starting a dictionary key",
    "0x09 starting a token",
];

/// Cases about responses, of which this project verifies none.
const RESPONSES: [&str; 7] = [
    "b24-response",
    "s24-reqres-1",
    "status/@status",
    "error/method-on-response",
    "error/path-on-response",
    "error/req-without-request",
    "trailer/expires;tr",
];

/// Asserts that every case is in one of the counts and, of the set that is known here, each count.
#[track_caller]
fn assert_counts<const N: usize>(file: &str, found: [usize; N], known: [usize; N], cases: usize) {
    eprintln!("{file}: {found:?}");
    assert_eq!(
        found.iter().sum::<usize>(),
        cases,
        "{file}: a case in no count"
    );
    assert_count(file, cases, known.iter().sum());
    if is_known_set() {
        assert_eq!(found, known, "{file}");
    }
}

fn difference(id: &str) -> Option<RejectionKind> {
    let found = DIFFERENCES.iter().find(|(known, ..)| *known == id);
    found.map(|(.., kind)| *kind)
}

/// A request as in the data; `None` for a response.
fn request(raw: &[u8]) -> Option<(Parts, Vec<u8>)> {
    let end = raw.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let body = raw[end + 4..].to_vec();
    // An HTTP server joins folded lines with a space before anyone sees them (RFC 9112 section
    // 5.2).
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut unfolded: Vec<String> = Vec::new();
    for line in head.split("\r\n") {
        match unfolded.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => unfolded.push(line.to_owned()),
        }
    }
    let mut lines = unfolded.iter();
    let start = lines.next().unwrap();
    if start.starts_with("HTTP/") {
        return None;
    }
    let [method, target, _version] = start.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{start}");
    };
    let (mut parts, ()) = Request::builder()
        .method(method)
        .uri(target)
        .body(())
        .unwrap()
        .into_parts();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        parts.headers.append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::from_str(value.trim()).unwrap(),
        );
    }
    Some((parts, body))
}

/// Settings that require nothing.
fn lenient(scheme: &str) -> MessageSignaturesVerifySettings {
    let [dictionary, agent, list] =
        ["example-dict", "signature-agent", "x-list"].map(HeaderName::from_static);
    MessageSignaturesVerifySettings::new()
        .insecure_require_only([])
        .insecure_allow_unsigned_content()
        .with_scheme(match scheme {
            "http" => UriScheme::Http,
            "https" => UriScheme::Https,
            other => panic!("{other}"),
        })
        .with_structured_field(dictionary, StructuredType::Dictionary)
        .with_structured_field(agent, StructuredType::Dictionary)
        .with_structured_field(list, StructuredType::List)
}

fn verify(
    parts: &Parts,
    body: &[u8],
    settings: MessageSignaturesVerifySettings,
    key: &VerifyingKey,
    now: i64,
) -> Result<Verified, RejectionKind> {
    let now = Timestamp::from_unix_seconds(now);
    let host = parts.headers.get("host").map(|host| host.to_str().unwrap());
    let host = parts.uri.authority().map_or(host, |uri| Some(uri.as_str()));
    let verifier = Verifier::builder()
        .accept_only(settings)
        .expected_hosts([host.unwrap()])
        .limits(HeadLimits::default().with_covered_value_bytes(1 << 20))
        .keep_evidence()
        .build()
        .unwrap();
    let claim = verifier
        .parse(parts, now)
        .map_err(|rejection| rejection.kind())?;
    // The data gives the key by hand: it is known by whatever name the request calls it.
    let keys = Keyring::builder()
        .caller(
            claim.key_id(),
            CallerKey::new("1", key.clone().insecure_allow_weak_key())
                .unwrap()
                .insecure_three_headers(),
        )
        .build()
        .unwrap();
    let found = keys.try_lookup(claim.key_id()).unwrap().unwrap();
    claim
        .authenticate(&found, now)
        .and_then(|authentication| authentication.finish_with(body, now))
        .map_err(|rejection| rejection.kind())
}

fn key_of(key: &Value) -> VerifyingKey {
    if let Some(pem) = key.get("public_spki_pem") {
        let algorithm = Algorithm::ALL
            .iter()
            .find(|known| known.name() == key["alg"]);
        let found = VerifyingKey::message_from_pem(pem.as_str().unwrap(), algorithm.copied());
        let of_pem = found.unwrap().insecure_allow_weak_key();
        let jwk = Jwk::parse(&key["jwk"].to_string()).unwrap();
        let of_jwk = jwk.verifying_key(algorithm.copied()).unwrap();
        for found in [of_pem.thumbprint(), of_jwk.thumbprint()] {
            assert_eq!(found.as_deref(), key["thumbprint"].as_str());
        }
        assert_eq!(of_pem.algorithm(), of_jwk.algorithm());
        return of_jwk.insecure_allow_weak_key();
    }
    match (key.get("secret_b64"), key.get("public_hex")) {
        (Some(secret), None) => {
            let secret = Secret::from_base64(secret.as_str().unwrap()).unwrap();
            VerifyingKey::message_hmac_sha256(&secret)
        }
        (None, Some(public)) => {
            let mut bytes = [0; 32];
            base16ct::lower::decode(public.as_str().unwrap(), &mut bytes).unwrap();
            VerifyingKey::message_ed25519(&bytes).unwrap()
        }
        _ => panic!("{key}"),
    }
}

fn own_secret() -> Secret {
    Secret::from_hex(SECRET).unwrap()
}

/// Signs a base unchanged, with our own key.
fn attach(parts: &mut Parts, label: &str, input: &str, base: &str) {
    let secret = base16ct::lower::decode_vec(SECRET).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(base.as_bytes());
    let signature = Base64::encode_string(&mac.finalize().into_bytes());
    for (name, value) in [
        ("signature-input", format!("{label}={input}")),
        ("signature", format!("{label}=:{signature}:")),
    ] {
        parts
            .headers
            .insert(name, HeaderValue::try_from(value).unwrap());
    }
}

/// Whether the verifier comes to this value of a component, or refuses it.
fn component(
    parts: &Parts,
    settings: MessageSignaturesVerifySettings,
    identifier: &str,
    value: &str,
) -> Result<(), RejectionKind> {
    let mut parts = parts.clone();
    let input = format!("({identifier});created=1767323045;keyid=\"k\"");
    let base = format!("{identifier}: {value}\n\"@signature-params\": {input}");
    attach(&mut parts, "sig1", &input, &base);
    let key = VerifyingKey::message_hmac_sha256(&own_secret());
    let verified = verify(&parts, b"", settings, &key, 1_767_323_045)?;
    let evidence = verified.evidence().unwrap();
    assert_eq!(evidence.canonical_request(), base);
    assert!(evidence.is_signed_with(&key));
    Ok(())
}

#[test]
fn examples_have_their_base_and_their_signature() {
    for file in [
        "rfc9421/examples",
        "rfc9421/generated",
        "rfc9421-all-algorithms/examples",
    ] {
        let Some(data) = shared(&format!("{file}.json")) else {
            return;
        };
        let cases = data["cases"].as_array().unwrap();
        let (mut run, mut refused, mut responses) = (0, 0, 0);
        for case in cases {
            let id = text(case, "id");
            let Some((parts, body)) = request(&base64(case, "signed_message_b64")) else {
                assert!(RESPONSES.contains(&id), "{id}");
                responses += 1;
                continue;
            };
            let settings = || lenient(text(case, "scheme"));
            let (base, input) = (text(case, "signature_base"), text(case, "signature_input"));
            let created = input
                .split_once("created=")
                .map_or("1715938215", |(_, at)| &at[..10]);
            let now = created.parse().unwrap();
            if let Some(kind) = difference(id) {
                let key = key_of(&data["keys"][text(case, "keyid")]);
                let found = verify(&parts, &body, settings(), &key, now);
                assert_eq!(found.unwrap_err(), kind, "{id}");
                refused += 1;
                continue;
            }
            // The base, also of those that are signed with RSA and ECDSA.
            let (mut own, _) = request(&base64(case, "message_b64")).unwrap();
            attach(&mut own, text(case, "label"), input, base);
            // The message of `alg="ed25519"` cannot be signed with a shared secret.
            if !input.contains("alg=\"ed25519\"") && text(case, "expect") == "valid" {
                let key = VerifyingKey::message_hmac_sha256(&own_secret());
                let verified = verify(&own, &body, settings(), &key, now)
                    .unwrap_or_else(|kind| panic!("{id}: {kind:?}"));
                assert_eq!(
                    verified.evidence().unwrap().canonical_request(),
                    base,
                    "{id}"
                );
            }
            run += 1;
            // The signature.
            if case["in_scope"] == Value::Bool(false) {
                continue;
            }
            let key = match case.get("key") {
                Some(key) => key_of(key),
                None => key_of(&data["keys"][text(case, "keyid")]),
            };
            let found = verify(&parts, &body, settings(), &key, now);
            match text(case, "expect") {
                "valid" => {
                    let verified = found.unwrap_or_else(|kind| panic!("{id}: {kind:?}"));
                    let evidence = verified.evidence().unwrap();
                    assert_eq!(evidence.canonical_request(), base, "{id}");
                    assert_eq!(evidence.signature(), base64(case, "signature_b64"), "{id}");
                    assert_eq!(evidence.public_key(), key.public_key(), "{id}");
                    assert!(evidence.is_signed_with(&key), "{id}");
                }
                "invalid" => {
                    assert_eq!(found.unwrap_err(), RejectionKind::InvalidSignature, "{id}");
                }
                other => panic!("{id}: {other}"),
            }
        }
        let known = match file {
            "rfc9421/examples" => [14, 0, 2],
            "rfc9421/generated" => [27, 2, 0],
            _ => [12, 0, 2],
        };
        assert_counts(file, [run, refused, responses], known, cases.len());
    }
}

/// Source: RFC 9421 appendices B.2.5 and B.2.6.
#[test]
fn signs_as_the_examples_of_the_specification() {
    let Some(data) = shared("rfc9421/examples.json") else {
        return;
    };
    let field = |name| ComponentId::from(HeaderName::from_static(name));
    let keys = &data["keys"];
    let secret = Secret::from_base64(text(&keys["test-shared-secret"], "secret_b64")).unwrap();
    let seed = Secret::from_hex(text(&keys["test-key-ed25519"], "private_seed_hex")).unwrap();
    for (id, key, components) in [
        (
            "b25-hmac",
            SigningKey::message_hmac_sha256(&secret),
            vec![field("date"), ComponentId::AUTHORITY, field("content-type")],
        ),
        (
            "b26-ed25519",
            SigningKey::message_ed25519(&seed).unwrap(),
            vec![
                field("date"),
                ComponentId::METHOD,
                ComponentId::PATH,
                ComponentId::AUTHORITY,
                field("content-type"),
                field("content-length"),
            ],
        ),
    ] {
        let cases = data["cases"].as_array().unwrap();
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let (mut parts, body) = request(&base64(case, "message_b64")).unwrap();
        // The example carries a digest that it does not cover; a signer leaves none that is not its
        // own.
        parts.headers.remove("content-digest");
        let settings =
            MessageSignaturesSignSettings::new(text(case, "keyid"), key.insecure_allow_weak_key())
                .unwrap()
                .with_label(text(case, "label"))
                .unwrap()
                .insecure_cover_only(components)
                .insecure_omit_nonce();
        let signer = Signer::message_signatures(settings, ["example.com"]).unwrap();
        let now = Timestamp::from_unix_seconds(1_618_884_473);
        let signature = signer.sign(&parts, PayloadDigest::of(&body), now).unwrap();
        let headers: Vec<_> = signature
            .headers()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap().to_owned()))
            .collect();
        let label = text(case, "label");
        assert_eq!(
            headers,
            [
                (
                    "signature-input",
                    format!("{label}={}", text(case, "signature_input"))
                ),
                (
                    "signature",
                    format!("{label}=:{}:", text(case, "signature_b64"))
                ),
            ],
            "{id}"
        );
    }
}

#[test]
fn components_have_their_values_or_none() {
    let Some(data) = shared("rfc9421/components.json") else {
        return;
    };
    let cases = data.as_array().unwrap();
    let (mut values, mut errors, mut refused, mut responses) = (0, 0, 0, 0);
    for case in cases {
        let id = text(case, "id");
        let Some((parts, _)) = request(&base64(case, "message_b64")) else {
            assert!(RESPONSES.contains(&id), "{id}");
            responses += 1;
            continue;
        };
        let settings = lenient(text(case, "scheme"));
        let value = case["value"].as_str().unwrap_or_default();
        let found = component(&parts, settings, text(case, "identifier"), value);
        match (text(case, "expect"), difference(id)) {
            ("ok", Some(kind)) => {
                assert_eq!(found, Err(kind), "{id}");
                refused += 1;
            }
            ("ok", None) => {
                assert_eq!(found, Ok(()), "{id}");
                values += 1;
            }
            ("error", None) => {
                assert_eq!(found, Err(RejectionKind::Malformed), "{id}");
                errors += 1;
            }
            (other, _) => panic!("{id}: {other}"),
        }
    }
    assert_counts(
        "rfc9421/components",
        [values, errors, refused, responses],
        [30, 10, 2, 5],
        cases.len(),
    );
}

#[test]
fn mutations_are_decided_as_the_data_says() {
    let Some(data) = shared("rfc9421/mutations.json") else {
        return;
    };
    let cases = data.as_array().unwrap();
    let (mut accepted, mut refused, mut taken) = (0, 0, 0);
    for case in cases {
        let id = text(case, "id");
        let (parts, body) = request(&base64(case, "message_b64")).unwrap();
        let now = case["now_unix"].as_i64().unwrap();
        let policy = &case["policy"];
        let mut settings = lenient(text(case, "scheme"));
        for required in policy["required_components"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let required: ComponentId<'_> = required.as_str().unwrap().parse().unwrap();
            settings = settings.with_required_component(required);
        }
        let key = key_of(&case["key"]);
        let found = verify(&parts, &body, settings.clone(), &key, now);
        let is_taken = TAKEN.iter().any(|(known, _)| case["mutation"] == *known);
        match (text(case, "expect"), is_taken) {
            ("accept", _) => {
                assert!(found.is_ok(), "{id}: {found:?}");
                accepted += 1;
            }
            ("reject", true) => {
                assert!(found.is_ok(), "{id}: {found:?}");
                // Beyond the window it is refused.
                let found = verify(&parts, &body, settings, &key, now - 300);
                assert_eq!(found.unwrap_err(), RejectionKind::Expired, "{id}");
                taken += 1;
            }
            ("reject", false) => {
                let expected: &[RejectionKind] = match case["reason"].as_str().unwrap() {
                    "content digest mismatch" => &[RejectionKind::BodyMismatch],
                    // An added parameter is refused as unknown, a removed date as missing, before
                    // the signature is.
                    "signature mismatch" => &[
                        RejectionKind::InvalidSignature,
                        RejectionKind::InsufficientCoverage,
                        RejectionKind::Malformed,
                    ],
                    "alg does not match the key" => &[RejectionKind::InvalidSignature],
                    "too old" | "expired" => &[RejectionKind::Expired],
                    "required component not covered" => &[RejectionKind::InsufficientCoverage],
                    // The rest is sent by drafts before the RFC.
                    _ if case["mutation"] == "signature-input-missing" => {
                        &[RejectionKind::MissingSignature]
                    }
                    _ => &[RejectionKind::Malformed],
                };
                let kind = found.unwrap_err();
                assert!(expected.contains(&kind), "{id}: {kind:?}");
                refused += 1;
            }
            (other, _) => panic!("{id}: {other}"),
        }
    }
    assert_counts(
        "rfc9421/mutations",
        [accepted, refused, taken],
        [30, 110, 4],
        cases.len(),
    );
}

/// A request whose only covered component is this field, whose value is what it covers of the body.
fn with_digest(value: &str, body: &[u8]) -> Result<Verified, RejectionKind> {
    let (mut parts, _) = request(b"POST / HTTP/1.1\r\nHost: example.com\r\n\r\n").unwrap();
    let value = value.trim();
    parts
        .headers
        .insert("content-digest", HeaderValue::from_str(value).unwrap());
    let input = "(\"content-digest\");created=1767323045;keyid=\"k\"";
    let base = format!("\"content-digest\": {value}\n\"@signature-params\": {input}");
    attach(&mut parts, "sig1", input, &base);
    let key = VerifyingKey::message_hmac_sha256(&own_secret());
    verify(&parts, body, lenient("https"), &key, 1_767_323_045)
}

#[test]
fn content_digests_are_checked_as_the_data_says() {
    let Some(data) = shared("rfc9530/rfc9530.json") else {
        return;
    };
    let (mut decided, mut refused, mut quirks) = (0, 0, 0);
    let cases = ["examples", "field_checks"].map(|part| data[part].as_array().unwrap());
    for case in cases.iter().copied().flatten() {
        let id = text(case, "id");
        let body = base64(case, "body_b64");
        let found = with_digest(text(case, "header_value"), &body).map(|_| ());
        match (text(case, "expect"), difference(id)) {
            ("match", Some(kind)) => {
                assert_eq!(found, Err(kind), "{id}");
                refused += 1;
                continue;
            }
            ("match", None) => assert_eq!(found, Ok(()), "{id}"),
            // A digest of another length is no digest at all.
            ("mismatch", None) if id != "bad-body" => {
                assert_eq!(found, Err(RejectionKind::Malformed), "{id}");
            }
            ("mismatch", None) => assert_eq!(found, Err(RejectionKind::BodyMismatch), "{id}"),
            ("unsupported" | "malformed", None) => {
                assert_eq!(found, Err(RejectionKind::Malformed), "{id}");
            }
            ("quirk", None) => {
                assert_eq!(found, Err(RejectionKind::Malformed), "{id}");
                quirks += 1;
                continue;
            }
            (other, _) => panic!("{id}: {other}"),
        }
        decided += 1;
    }
    let all = cases[0].len() + cases[1].len();
    assert_counts("rfc9530", [decided, refused, quirks], [25, 5, 1], all);
}

/// Every field of the structured field tests, covered as `;sf`: its canonical form is signed.
#[test]
fn structured_fields_are_covered_in_their_canonical_form() {
    const FILES: [&str; 20] = [
        "binary",
        "boolean",
        "date",
        "dictionary",
        "display-string",
        "examples",
        "item",
        "key-generated",
        "large-generated",
        "list",
        "listlist",
        "number",
        "number-generated",
        "param-dict",
        "param-list",
        "param-listlist",
        "string",
        "string-generated",
        "token",
        "token-generated",
    ];
    let field = HeaderName::from_static("x-field");
    let (mut canonical, mut refused, mut trimmed, mut open, mut no_header) = (0, 0, 0, 0, 0);
    for file in FILES {
        let Some(data) = shared(&format!("structured-fields/{file}.json")) else {
            return;
        };
        for case in data.as_array().unwrap() {
            let name = text(case, "name");
            let lines = |member: &str| -> Option<Vec<String>> {
                let lines = case[member].as_array()?.iter();
                Some(
                    lines
                        .map(|line| line.as_str().unwrap().to_owned())
                        .collect(),
                )
            };
            let raw = lines("raw").unwrap();
            let (mut parts, _) = request(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").unwrap();
            let values: Result<Vec<_>, _> = raw
                .iter()
                .map(|line| HeaderValue::from_bytes(line.as_bytes()))
                .collect();
            let Ok(values) = values else {
                assert!(case["must_fail"] == true, "{file}: {name}");
                no_header += 1;
                continue;
            };
            for value in values {
                parts.headers.append(&field, value);
            }
            let kind = match text(case, "header_type") {
                "item" => StructuredType::Item,
                "list" => StructuredType::List,
                "dictionary" => StructuredType::Dictionary,
                other => panic!("{other}"),
            };
            let settings = lenient("https").with_structured_field(field.clone(), kind);
            let is_trimmed = TRIMMED.contains(&name) && case["must_fail"] == true;
            let mut expected = lines("canonical").unwrap_or(raw).join(", ");
            if is_trimmed {
                expected = expected.trim().to_owned();
            }
            let found = component(&parts, settings, "\"x-field\";sf", &expected);
            if is_trimmed {
                assert_eq!(found, Ok(()), "{file}: {name}");
                trimmed += 1;
            } else if case["must_fail"] == true {
                assert_eq!(found, Err(RejectionKind::Malformed), "{file}: {name}");
                refused += 1;
            } else if case["can_fail"] == true {
                open += 1;
            } else {
                assert_eq!(found, Ok(()), "{file}: {name}: {expected}");
                canonical += 1;
            }
        }
    }
    let counts = [canonical, refused, trimmed, open, no_header];
    assert_counts(
        "structured-fields",
        counts,
        [479, 382, 4, 4, 191],
        counts.iter().sum(),
    );
    if is_known_set() {
        assert_eq!(trimmed, TRIMMED.len());
    }
}

/// An entry of the tables that is no case says nothing true.
#[test]
fn every_listed_difference_is_a_case() {
    let mut ids = BTreeSet::new();
    for file in [
        "rfc9421/examples",
        "rfc9421/generated",
        "rfc9421/components",
        "rfc9421/mutations",
        "rfc9530/rfc9530",
    ] {
        let Some(data) = shared(&format!("{file}.json")) else {
            return;
        };
        let lists = [
            &data,
            &data["cases"],
            &data["examples"],
            &data["field_checks"],
        ];
        for case in lists.into_iter().filter_map(Value::as_array).flatten() {
            for member in ["id", "mutation"] {
                ids.extend(case[member].as_str().map(str::to_owned));
            }
        }
    }
    if !is_known_set() {
        return;
    }
    let differences = DIFFERENCES.iter().map(|(id, ..)| *id);
    let taken = TAKEN.iter().map(|(id, _)| *id);
    for id in differences.chain(taken).chain(RESPONSES) {
        assert!(ids.contains(id), "{id}: no case has this name");
    }
}
