//! Requests that were changed after they were signed, and the decision on each.

use countersign::Timestamp;
use tests::vectors::{base64, shared, text};

use crate::case::{Context, judge, keyring, parse_http};

/// DIFFERENCE: changed requests that the reference accepts, by a part of their name and the reason they are refused for.
const REFUSED_MUTATIONS: [(&str, &str, &str); 3] = [
    (
        "mut/botocore-gen/v4-path-double-encode/",
        "path: expected no dot segments",
        "an escaped slash in the path, which a decoder behind the verifier takes for one",
    ),
    (
        "mut/s3-docs/presigned-get/unsigned-body-added",
        "the body is not the one",
        "a presigned GET has no body: whoever was given the URL does not choose one",
    ),
    (
        "mut/botocore-gen/s3q-response-override/unsigned-body-added",
        "the body is not the one",
        "the same",
    ),
];

/// Source: sigv4_mutations.json, see its README.
#[test]
fn decides_on_every_changed_request_as_it_should() {
    let Some(file) = shared("sigv4/sigv4_mutations.json") else {
        return;
    };
    let cases = file.as_array().unwrap();
    let mut problems = Vec::new();
    let mut count = [0; 4];
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
        let difference = REFUSED_MUTATIONS
            .iter()
            .any(|(part, expected, _)| name.contains(part) && reason.contains(expected));
        match (text(case, "expect"), accepted) {
            ("accept", true) => count[0] += 1,
            ("reject", false) => count[1] += 1,
            ("accept", false) if difference => count[2] += 1,
            (expected, _) => {
                count[3] += 1;
                problems.push(format!("{name}: expected {expected}, found {reason:?}"));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let [accepted, rejected, differences, _] = count;
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
