//! The shared decisions on signed responses.

use countersign::{
    AnswerError, AnswerErrorKind, CallerKey, CallerKeys, ResponseBinding, ResponseSigner,
    ResponseVerifier, Secret, SigningKey, Timestamp, VerifyingKey,
};
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::Value;
use tests::vectors::{assert_count, base64, shared, text};

const FILE: &str = "response-signatures/decisions.json";

/// Splits a message into its first line, its fields and its body.
fn message(raw: &[u8]) -> (String, Vec<(HeaderName, HeaderValue)>, Vec<u8>) {
    let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, body) = raw.split_at(end.expect("a head ends with an empty line"));
    let head = String::from_utf8(head.to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse().unwrap(), value.parse().unwrap())
    });
    (first, fields.collect(), body[4..].to_vec())
}

fn request(case: &Value) -> http::request::Parts {
    let (first, fields, _) = message(&base64(case, "request_b64"));
    let mut first = first.split(' ');
    let mut builder = Request::builder()
        .method(first.next().unwrap())
        .uri(first.next().unwrap());
    for (name, value) in fields {
        builder = builder.header(name, value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn response(case: &Value) -> (http::response::Parts, Vec<u8>) {
    let (first, fields, body) = message(&base64(case, "response_b64"));
    let status = first.split(' ').nth(1).unwrap();
    let mut builder = Response::builder().status(status);
    for (name, value) in fields {
        builder = builder.header(name, value);
    }
    (builder.body(()).unwrap().into_parts().0, body)
}

fn verifier(keys: &Value) -> ResponseVerifier {
    let keys = keys.as_object().unwrap().iter();
    let keys = keys.enumerate().map(|(number, (key_id, key))| {
        let key = if text(key, "alg") == "ed25519" {
            let mut public = [0; 32];
            base16ct::lower::decode(text(key, "public_key_hex"), &mut public).unwrap();
            VerifyingKey::message_ed25519(&public).unwrap()
        } else {
            let pair = Secret::from_hex(text(key, "derived_from_secret_hex")).unwrap();
            let derived = SigningKey::hmac_sha256(&pair).response_verifying_key();
            derived.expect("a shared secret has one")
        };
        let version = number.to_string();
        let key = CallerKey::new(&version, key.insecure_allow_weak_key()).unwrap();
        key.with_key_id(key_id).unwrap()
    });
    let service = CallerKeys::new("user-service", keys).unwrap();
    ResponseVerifier::new()
        .with_service(["user-service:8081", "user-service"], service)
        .unwrap()
}

fn judge(case: &Value, verifier: &ResponseVerifier) -> Result<(), AnswerError> {
    let now = Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap());
    let binding = ResponseBinding::of(&request(case))?;
    let (parts, body) = response(case);
    let mut answer = verifier.authenticate(&binding, &parts, now)?;
    for piece in body.chunks(3) {
        answer.update(piece);
    }
    answer.finish()
}

#[test]
fn every_shared_decision_is_ours() {
    let Some(file) = shared(FILE) else { return };
    let verifier = verifier(&file["keys"]);
    let cases = file["cases"].as_array().unwrap();
    assert_count(FILE, cases.len(), 42);
    let mut wrong = Vec::new();
    for case in cases {
        let (id, expected) = (text(case, "id"), text(case, "expect"));
        let found = judge(case, &verifier);
        if found.is_ok() != (expected == "accept") {
            wrong.push(format!("{id}: expected {expected}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A case must not be refused for another reason than its own.
#[test]
fn a_case_is_refused_for_its_own_reason() {
    use AnswerErrorKind as Kind;

    let Some(file) = shared(FILE) else { return };
    let verifier = verifier(&file["keys"]);
    let cases = file["cases"].as_array().unwrap().iter();
    for case in cases.filter(|case| text(case, "expect") == "reject") {
        let id = text(case, "id");
        let expected = match id {
            "neg/unsigned" | "neg/unsigned-502-of-a-proxy" => Kind::Unsigned,
            "neg/body-changed" => Kind::BodyMismatch,
            "neg/stale" => Kind::Expired,
            "neg/status-not-covered"
            | "neg/request-signature-not-bound"
            | "neg/request-digest-not-bound"
            | "neg/content-type-not-covered" => Kind::InsufficientCoverage,
            "neg/method-without-req"
            | "neg/status-with-req"
            | "neg/component-twice"
            | "neg/no-created"
            | "neg/two-with-the-tag"
            | "neg/md5-digest"
            | "neg/unknown-parameter" => Kind::Malformed,
            _ => Kind::InvalidSignature,
        };
        let found = judge(case, &verifier).map_err(|error| error.kind());
        if tests::vectors::is_known_set() {
            assert_eq!(found, Err(expected), "{id}");
        }
    }
}

/// The signer makes the signature of each case that lists the components in the same order.
#[test]
fn we_sign_what_the_cases_accept() {
    let Some(file) = shared(FILE) else { return };
    let verifier = verifier(&file["keys"]);
    let pair = &file["keys"]["user-service/2026"];
    let pair = Secret::from_hex(text(pair, "derived_from_secret_hex")).unwrap();
    let key = VerifyingKey::hmac_sha256(&pair);
    let key = key.response_signing_key().unwrap();
    let signer = ResponseSigner::new("user-service/2026").unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let mut count: usize = 0;
    for case in cases.filter(|case| text(case, "expect") == "accept") {
        let now = Timestamp::from_unix_seconds(case["now_unix"].as_i64().unwrap());
        let binding = ResponseBinding::of(&request(case)).unwrap();
        let (mut parts, body) = response(case);
        for name in ["signature-input", "signature", "content-digest"] {
            parts.headers.remove(name);
        }
        let digest = countersign::PayloadDigest::of(&body);
        let signature = signer.sign(&key, &binding, &parts, digest, now).unwrap();
        signature.apply(&mut parts);
        let mut answer = verifier.authenticate(&binding, &parts, now).unwrap();
        answer.update(&body);
        answer.finish().unwrap();
        count = count.saturating_add(1);
    }
    assert!(count > 0);
}
