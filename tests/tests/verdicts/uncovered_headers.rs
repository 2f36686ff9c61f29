//! Headers that are let in although no signature covers them, each because a setting names it.

use axum::{Router, routing::any};
use bytes::Bytes;
use countersign::{SigV4Presigned, SigV4VerifySettings};
use http::{
    HeaderMap, HeaderName, Method,
    header::{CONTENT_TYPE, IF_NONE_MATCH, ORIGIN, RANGE},
};
use tests::{keys::NOW, raw, server::Server};
use tower_countersign::{UncoveredHeaders, VerifyLayer};

use crate::{
    HOST, get,
    message::Message,
    name,
    sigv4::{code_with, keyring, presigned, signed, signer, verifier, verify_settings},
};

/// CloudFront adds `x-amz-cf-id` to every request, and it cannot be turned off.
#[test]
fn an_uncovered_header_of_a_trusted_hop_is_accepted_where_it_is_named() {
    let message = signed(get("/a"), &signer(), NOW).with("x-amz-cf-id", "dmlhIGEgQ0RO==");
    let in_url = presigned(get("/a"), &signer(), 60, NOW).with("x-amz-cf-id", "a");
    let named = || {
        let verify_settings = verify_settings();
        verify_settings
            .insecure_accept_uncovered_headers([name("x-amz-cf-id")])
            .unwrap()
    };
    for message in [&message, &in_url] {
        let found = |verify_settings: SigV4VerifySettings| {
            code_with(message, verify_settings, &keyring(), NOW)
        };
        assert_eq!(found(verify_settings()), "insufficient_coverage");
        assert_eq!(found(named()), "accept");
        let other = message.clone().with("x-amz-copy-source", "/other");
        let found = code_with(&other, named(), &keyring(), NOW);
        assert_eq!(found, "insufficient_coverage", "no other one is meant");
    }
    // Named or not, it is signed if the list has it.
    let mut covered = signed(get("/a").with("x-amz-cf-id", "one"), &signer(), NOW);
    assert_eq!(code_with(&covered, named(), &keyring(), NOW), "accept");
    covered.set("x-amz-cf-id", "another");
    let found = code_with(&covered, named(), &keyring(), NOW);
    assert_eq!(found, "invalid_signature");
}

/// What the handler is given of these headers, by their names.
async fn handled(headers: HeaderMap, _body: Bytes) -> String {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.retain(|name| !["host", "connection", "content-length"].contains(name));
    names.sort_unstable();
    names.join(" ")
}

async fn answer(uncovered: UncoveredHeaders, message: &Message) -> String {
    let put = SigV4Presigned::new().with_method(Method::PUT);
    let layer = VerifyLayer::new(keyring())
        .with_verifier(verifier(verify_settings().with_presigned(put)))
        .with_uncovered_headers(uncovered)
        .with_clock(|| NOW);
    let server = Server::axum(Router::new().route("/a", any(handled)).layer(layer)).await;
    let mut lines = vec![format!("{} {} HTTP/1.1", message.method, message.target)];
    for (name, value) in &message.headers {
        lines.push(format!("{name}: {}", String::from_utf8_lossy(value)));
    }
    lines.push(format!("content-length: {}", message.body.len()));
    lines.push("connection: close\r\n\r\n".to_owned());
    let text = lines.join("\r\n");
    let bytes = [text.as_bytes(), &message.body].concat();
    let answer = raw::exchange(server.addr(), &bytes).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{} {body}", raw::status(head))
}

#[tokio::test]
async fn named_headers_of_a_presigned_request_reach_the_handler_and_no_others() {
    let download = presigned(get("/a"), &signer(), 60, NOW)
        .with("range", "bytes=0-9")
        .with("if-none-match", "\"a\"")
        .with("origin", "https://a")
        .with("x-tenant", "other")
        .with("x-http-method-override", "DELETE");
    let upload = presigned(Message::new("PUT", "/a", HOST, b"text"), &signer(), 60, NOW)
        .with("content-type", "text/plain");
    let reading = || [RANGE, IF_NONE_MATCH, ORIGIN];
    let all = [
        RANGE,
        IF_NONE_MATCH,
        ORIGIN,
        CONTENT_TYPE,
        name("x-http-method-override"),
    ];
    let default = UncoveredHeaders::strip_overrides;
    for (name, message, uncovered, expected) in [
        ("none named", &download, default(), "200 "),
        (
            "named",
            &download,
            default().with_presigned_headers(reading()),
            "200 if-none-match origin range",
        ),
        (
            "one named",
            &download,
            default().with_presigned_headers([RANGE]),
            "200 range",
        ),
        (
            "one that overrides the method",
            &download,
            default().with_presigned_headers(all.clone()),
            "200 if-none-match origin range",
        ),
        (
            "all others stripped",
            &download,
            UncoveredHeaders::strip_all_but([]).with_presigned_headers(reading()),
            "200 if-none-match origin range",
        ),
        (
            "all others refused",
            &download,
            UncoveredHeaders::refuse_all_but([]).with_presigned_headers(all.clone()),
            "200 if-none-match origin range",
        ),
        ("an upload, none named", &upload, default(), "200 "),
        (
            "an upload",
            &upload,
            default().with_presigned_headers([CONTENT_TYPE]),
            "200 content-type",
        ),
    ] {
        assert_eq!(answer(uncovered, message).await, expected, "{name}");
    }
}

/// The setting is for presigned requests: in a header the signer could have covered them.
#[tokio::test]
async fn naming_headers_of_presigned_requests_changes_no_other_request() {
    let message = signed(get("/a"), &signer(), NOW).with("range", "bytes=0-9");
    let named = |policy: UncoveredHeaders| policy.with_presigned_headers([RANGE]);
    let refused = answer(named(UncoveredHeaders::refuse_all_but([])), &message).await;
    assert!(refused.starts_with("401 "), "{refused}");
    let stripped = answer(named(UncoveredHeaders::strip_all_but([])), &message).await;
    assert!(!stripped.contains("range"), "{stripped}");
}
