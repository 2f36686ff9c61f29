//! Signed responses.

use countersign::{
    AnswerError, CallerKey, CallerKeys, ResponseBinding, ResponseVerifier, Secret, VerifyingKey,
};
use http::{Response, request::Parts};
use tests::keys::{NOW, SECRET};

use crate::head;

/// A request, and the signature of its response.
const REQUEST: &str = "\
GET /account?a=1
host: user-service
x-nonce: 0123456789abcdef
authorization: HMAC-SHA256 credential=billing";

const COMPONENTS: &str =
    "(\"@status\" \"@method\";req \"@authority\";req \"@path\";req \"@query\";req \"x-nonce\";req)";

const PARAMETERS: &str = ";created=1767323045;keyid=\"user-service\";tag=\"countersign-response\"";

/// A name, the `Signature-Input`, and the reason that the client reads.
fn rows() -> Vec<(&'static str, String, &'static str)> {
    let with = |components: &str, parameters: &str| format!("a={components}{parameters}");
    vec![
        (
            "no signature of the service",
            with(COMPONENTS, ";created=1767323045;keyid=\"proxy\""),
            "expected a signature with the tag \"countersign-response\", found none",
        ),
        (
            "two",
            format!("a={COMPONENTS}{PARAMETERS}, b={COMPONENTS}{PARAMETERS}"),
            "expected one signature with the tag \"countersign-response\", found \"a\" and \"b\"",
        ),
        (
            "no created",
            with(
                COMPONENTS,
                ";keyid=\"user-service\";tag=\"countersign-response\"",
            ),
            "signature \"a\": expected the parameter created, found none",
        ),
        (
            "no status",
            with(&COMPONENTS.replace("\"@status\" ", ""), PARAMETERS),
            "signature \"a\": expected @status to be covered, found covered @method;req, @authority;req, @path;req, @query;req, x-nonce;req",
        ),
        (
            "the status of the request",
            with(
                &COMPONENTS.replace("@status\"", "@status\";req"),
                PARAMETERS,
            ),
            "signature \"a\": component: expected @status without req, and req with any other derived one, found in component 1",
        ),
        (
            "a value of req",
            with(
                &COMPONENTS.replace("@method\";req", "@method\";req=\"x\""),
                PARAMETERS,
            ),
            "signature \"a\": component: expected req once and without a value, found in component 2",
        ),
        (
            "another key",
            with(COMPONENTS, PARAMETERS),
            "expected a signature by a key of the service with the key id \"user-service\", found none among 1 keys",
        ),
    ]
}

fn verifier() -> ResponseVerifier {
    let secret = Secret::from_hex(SECRET).unwrap();
    let key = VerifyingKey::message_hmac_sha256(&secret);
    let key = CallerKey::new("1", key).unwrap();
    let service = CallerKeys::new("user-service", [key]).unwrap();
    let verifier = ResponseVerifier::new();
    verifier.with_service(["user-service"], service).unwrap()
}

/// The reason without the words of the error before it.
fn reason(error: &AnswerError) -> String {
    let text = error.to_string();
    let (_, reason) = text.split_once(": ").unwrap();
    reason.to_owned()
}

fn refused(request: &Parts, input: &str) -> String {
    let binding = match ResponseBinding::of(request) {
        Ok(binding) => binding,
        Err(error) => return reason(&error),
    };
    let labels = input.split(", ").map(|label| {
        let (label, _) = label.split_once('=').unwrap();
        format!("{label}=:{}:", "AAAA".repeat(10) + "AAA=")
    });
    let response = Response::builder()
        .header("signature-input", input)
        .header("signature", labels.collect::<Vec<_>>().join(", "));
    let (response, ()) = response.body(()).unwrap().into_parts();
    let judged = verifier().authenticate(&binding, &response, NOW);
    reason(&judged.map(|_| ()).unwrap_err())
}

pub(crate) fn reasons() -> Vec<String> {
    let (mut reasons, mut other) = (Vec::new(), Vec::new());
    let mut row = |name: &str, found: String, expected: &str| {
        if found != expected {
            other.push(format!(
                "{name}:\n  expected {expected}\n  found    {found}"
            ));
        }
        reasons.push(found);
    };
    for (name, input, expected) in rows() {
        row(name, refused(&head(REQUEST), &input), expected);
    }
    let input = format!("a={COMPONENTS}{PARAMETERS}");
    row(
        "a service without keys",
        refused(&head(&REQUEST.replace("user-service", "other")), &input),
        "authority: expected a service whose keys are known, found \"other\"",
    );
    let signed = "sig1=(\"@method\");created=1767323045;keyid=\"a\";nonce=\"b\"";
    let twice = format!(
        "GET /\nhost: user-service\nsignature-input: {signed}, {}\nsignature: sig1=:AA==:, sig2=:AA==:",
        signed.replace("sig1", "sig2")
    );
    row(
        "two signatures of the request",
        refused(&head(&twice), &input),
        "request: expected one signature with a nonce, found 2",
    );
    row(
        "no signature of the request",
        refused(&head("GET /\nhost: user-service"), &input),
        "request: expected a signature with a nonce or one over the request, found none",
    );
    assert!(other.is_empty(), "{}", other.join("\n"));
    reasons
}
