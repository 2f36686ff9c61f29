//! Headers that hops own: none is covered unless it is asked for.

use countersign::{
    ComponentId, ConfigErrorKind, MessageSignaturesSignSettings, Secret, Signer, SigningKey,
};
use http::{HeaderName, HeaderValue};
use tests::{
    keys::NOW,
    signed::{AUTHORITY, billing},
};

use crate::{
    get,
    message::Message,
    name,
    sigv4::{code, settings, signed, signer},
};

/// Every header that the pages name as left out, with a value that a client sends.
const LEFT_OUT: [(&str, &str); 38] = [
    ("accept-encoding", "identity"),
    ("b3", "0"),
    ("baggage", "a=1"),
    ("cache-control", "no-cache"),
    ("cdn-loop", "a"),
    ("connection", "keep-alive"),
    ("content-length", "0"),
    ("early-data", "1"),
    ("expect", "100-continue"),
    ("forwarded", "for=192.0.2.1"),
    ("from", "a"),
    ("keep-alive", "timeout=5"),
    ("max-forwards", "3"),
    ("pragma", "no-cache"),
    ("priority", "u=1"),
    ("proxy-authorization", "Basic a"),
    ("proxy-connection", "close"),
    ("referer", "https://a"),
    ("sec-fetch-mode", "cors"),
    ("sentry-trace", "a"),
    ("te", "trailers"),
    ("traceparent", "00-a"),
    ("tracestate", "a=1"),
    ("trailer", "x-a"),
    ("transfer-encoding", "chunked"),
    ("uber-trace-id", "a"),
    ("upgrade", "h2c"),
    ("user-agent", "a"),
    ("via", "1.1 a"),
    ("x-amzn-trace-id", "Root=1"),
    ("x-b3-traceid", "a"),
    ("x-cloud-trace-context", "a"),
    ("x-envoy-attempt-count", "1"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x-forwarded-host", "a"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "192.0.2.1"),
    ("x-request-id", "a"),
];

fn with_all(message: Message) -> Message {
    let headers = LEFT_OUT.iter();
    headers.fold(message, |message, (name, value)| message.with(name, value))
}

fn covered(signer: &Signer, message: &Message) -> String {
    let signature = signer
        .sign(&message.parts().unwrap(), &b""[..], NOW)
        .unwrap();
    let values = signature
        .headers()
        .map(|(_, value)| value.to_str().unwrap());
    values.collect::<Vec<_>>().join("\n")
}

/// Field report: `sign_accept_encoding.rs`.
#[test]
fn no_scheme_covers_by_default_what_hops_own() {
    let key = SigningKey::message_hmac_sha256(&Secret::generate().unwrap());
    let message_signatures = MessageSignaturesSignSettings::new("billing", key).unwrap();
    let message_signatures = Signer::message_signatures(message_signatures, [AUTHORITY]).unwrap();
    let all = with_all(get("/a"));
    let headers = |list: &str, start: &str, end: &str| {
        let (_, rest) = list.split_once(start).unwrap();
        rest.split_once(end).unwrap().0.to_owned()
    };
    for (name, signer, start, end, expected) in [
        (
            "SigV4",
            signer(),
            "SignedHeaders=",
            ",",
            "host;x-amz-content-sha256;x-amz-date",
        ),
        (
            "native",
            billing(),
            "signed-headers=",
            ",",
            "host;x-date;x-content-sha256;x-nonce",
        ),
        (
            "RFC 9421",
            message_signatures,
            "sig1=(",
            ")",
            r#""@method" "@authority" "@path" "@query""#,
        ),
    ] {
        let found = headers(&covered(&signer, &all), start, end);
        assert_eq!(found, expected, "{name}");
    }
    let presigned = crate::sigv4::presigned(all, &signer(), 60, NOW);
    assert!(presigned.target.contains("X-Amz-SignedHeaders=host&"));
}

/// A hop rewrites every one of them, and the signature still holds.
#[test]
fn a_signature_holds_whatever_hops_do_to_their_headers() {
    let message = signed(with_all(get("/a")), &signer(), NOW);
    assert_eq!(code(&message), "accept");
    let mut removed = message.clone();
    let mut changed = message.clone();
    for (name, _) in LEFT_OUT {
        removed.remove(name);
        changed.set(name, "another");
    }
    assert_eq!(code(&removed), "accept");
    assert_eq!(code(&changed), "accept");
}

#[test]
fn one_of_them_is_covered_where_it_is_asked_for() {
    let with = settings()
        .with_covered_header(name("x-request-id"))
        .unwrap();
    let with = Signer::sigv4(with, [AUTHORITY]).unwrap();
    let message = signed(with_all(get("/a")), &with, NOW);
    assert_eq!(code(&message), "accept");
    let mut changed = message;
    changed.set("x-request-id", "another");
    assert_eq!(code(&changed), "invalid_signature");
    let absent = covered(&with, &get("/a"));
    assert!(!absent.contains("x-request-id"), "{absent}");
}

#[test]
fn what_belongs_to_one_connection_cannot_be_asked_for() {
    for one in [
        "connection",
        "te",
        "transfer-encoding",
        "upgrade",
        "keep-alive",
    ] {
        let asked = || HeaderName::from_static(one);
        let sigv4 = settings().with_covered_header(asked()).map(drop);
        let native = billing().with_covered_header(asked()).map(drop);
        let key = SigningKey::message_hmac_sha256(&Secret::generate().unwrap());
        let message = MessageSignaturesSignSettings::new("billing", key).unwrap();
        let message = message
            .with_covered_component(ComponentId::from(asked()))
            .map(drop);
        for (scheme, found) in [("SigV4", sigv4), ("native", native), ("RFC 9421", message)] {
            let kind = found.map_err(|error| error.kind());
            assert_eq!(kind, Err(ConfigErrorKind::Coverage), "{scheme}: {one}");
        }
    }
    let sigv4 = settings().with_covered_header(http::header::AUTHORIZATION);
    assert!(sigv4.is_err());
}

/// A client that signed `accept-encoding` itself cannot be helped: a hop has removed the signed
/// value.
#[test]
fn a_covered_header_that_a_hop_rewrote_or_removed_is_no_signature() {
    let with = settings()
        .with_covered_header(name("accept-encoding"))
        .unwrap();
    let with = Signer::sigv4(with, [AUTHORITY]).unwrap();
    let message = signed(get("/a").with("accept-encoding", "identity"), &with, NOW);
    assert_eq!(code(&message), "accept");
    let mut rewritten = message.clone();
    rewritten.set("accept-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(code(&rewritten), "invalid_signature");
    let mut removed = message;
    removed.remove("accept-encoding");
    assert_eq!(code(&removed), "malformed");
}
