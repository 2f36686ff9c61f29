//! Requests that were changed after they were signed, and the decision on each.

use std::collections::BTreeSet;

use countersign::Timestamp;
use tests::vectors::{assert_count, base64, is_known_set, shared, text};

use crate::{
    case::{Context, judge, keyring, parse_http},
    differences::STRICT,
};

/// DIFFERENCE: changed requests that the reference accepts, by a part of their name and the reason
/// they are refused for.
const REFUSED_MUTATIONS: [(&str, &str, &str); 4] = [
    (
        "mut/botocore-gen/v4-path-double-encode/",
        "path: expected no dot segments",
        "an escaped slash in the path, which a decoder behind the verifier takes for one",
    ),
    (
        "mut/s3-docs/presigned-get/unsigned-body-added",
        "body: expected none, found one of",
        "a presigned GET has no body: whoever was given the URL does not choose one",
    ),
    (
        "mut/botocore-gen/s3q-response-override/unsigned-body-added",
        "body: expected none, found one of",
        "the same",
    ),
    (
        "mut/botocore-gen/s3q-response-override/percent-lowercase",
        "query: expected %3B for a semicolon",
        "a parameter beside the signature's own is escaped in one way",
    ),
];

/// The codes of a changed request, by the change and the reason that the data gives; none for a
/// change that is not known here.
fn codes(mutation: &str, reason: &str) -> &'static [&'static str] {
    match (mutation, reason) {
        // Refused before the signature is compared.
        ("expires-removed" | "signed-header-duplicated" | "scope-terminator", _) => &["malformed"],
        ("content-sha-swapped-to-unsigned", _) => &["insufficient_coverage"],
        // The declared hash is signed, and is no longer the body's.
        ("body-added", _) => &["body_mismatch"],
        (_, "body hash mismatch") => &["body_mismatch", "invalid_signature"],
        (_, "bad algorithm") => &["malformed", "missing_signature"],
        (_, "missing authorization") => &["missing_signature"],
        (_, "signature mismatch" | "bad scope" | "unknown key") => &["invalid_signature"],
        (_, "host not signed" | "x-amz header not signed") => &["insufficient_coverage"],
        (_, "clock skew" | "expired" | "not yet valid") => &["expired"],
        (
            _,
            "malformed"
            | "malformed signature"
            | "bad date"
            | "missing date"
            | "scope date mismatch"
            | "bad expires"
            | "bad signed headers list"
            | "missing signed header"
            | "both header and query auth",
        ) => &["malformed"],
        (_, reason) if reason.starts_with("missing X-Amz-") => &["malformed"],
        (_, reason) if reason.starts_with("duplicate X-Amz-") => &["malformed"],
        _ => &[],
    }
}

/// Source: sigv4_mutations.json, see its README.
#[test]
fn decides_on_every_changed_request_as_it_should() {
    let Some(file) = shared("sigv4/sigv4_mutations.json") else {
        return;
    };
    let cases = file.as_array().unwrap();
    let mut problems = Vec::new();
    let mut count = [0; 4];
    let mut used: BTreeSet<&(&str, &str, &str)> = BTreeSet::new();
    for case in cases {
        let name = text(case, "id");
        let settings = &case["verifier_context"];
        let now = Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap());
        let context = Context {
            access_key_id: String::new(),
            secret: String::new(),
            session_token: None,
            region: text(settings, "region").to_owned(),
            service: text(settings, "service").to_owned(),
            normalize: settings["normalize_path"].as_bool().unwrap(),
            double: text(settings, "path_encoding") == "double",
            unsigned_payload: settings["payload"]["value"] == "UNSIGNED-PAYLOAD",
            expires: None,
            signed_at: now,
            verify_at: now,
        };
        let message = parse_http(&base64(case, "request_b64"));
        let token = token_of(text(case, "based_on"));
        let known = case["keys"].as_object().unwrap();
        let keys = keyring(
            known
                .iter()
                .map(|(id, secret)| (&**id, secret.as_str().unwrap(), token.as_deref())),
        );
        let found = judge(&message, context.strict(), &keys, now);
        let accepted = matches!(found, Some(Ok(_)));
        let reason = match &found {
            Some(Ok(_)) => String::new(),
            Some(Err(rejection)) => rejection.to_string(),
            None => "no HTTP".to_owned(),
        };
        let code = match &found {
            Some(Ok(_)) => "accept",
            Some(Err(rejection)) => rejection.kind().code(),
            None => "no HTTP",
        };
        let is_strict = STRICT.iter().any(|(known, _)| reason.contains(known));
        let difference = REFUSED_MUTATIONS
            .iter()
            .find(|(part, expected, _)| name.contains(part) && reason.contains(expected));
        match (text(case, "expect"), accepted) {
            ("accept", true) => count[0] += 1,
            ("reject", false) => {
                let expected = codes(text(case, "mutation"), text(case, "reason"));
                let unknown = expected.is_empty() && !is_known_set();
                if is_strict || unknown || expected.contains(&code) {
                    count[1] += 1;
                } else {
                    count[3] += 1;
                    problems.push(format!(
                        "{name}: expected {expected:?}, found {code}: {reason:?}"
                    ));
                }
            }
            ("accept", false) if difference.is_some() => {
                count[2] += 1;
                used.extend(difference);
            }
            (expected, _) => {
                count[3] += 1;
                problems.push(format!("{name}: expected {expected}, found {reason:?}"));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let [accepted, rejected, differences, _] = count;
    assert_count("sigv4_mutations.json", cases.len(), 357);
    if is_known_set() {
        assert_eq!(count, [55, 296, 6, 0]);
        assert_eq!(used.len(), REFUSED_MUTATIONS.len(), "{used:?}");
    }
    eprintln!(
        "sigv4_mutations.json: {} cases, {accepted} accepted, {rejected} rejected, {differences} refused here",
        cases.len()
    );
}

/// The session token of a case of the index, which the changed requests do not repeat.
fn token_of(name: &str) -> Option<String> {
    let index = shared("sigv4/sigv4_index.json")?;
    let cases = index["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["id"] == name)?;
    case["context"]["session_token"].as_str().map(str::to_owned)
}
