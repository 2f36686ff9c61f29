//! One request in, at most one request out.

use crate::support::{
    proxy::Proxy,
    raw::exchange,
    signed::{Signed, post},
    upstream::Upstream,
};

/// Sources: CVE-2026-2835, pingora#945.
#[tokio::test]
async fn no_framing_makes_two_requests_of_one() {
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: orders:8443\r\n\r\n";
    let with = |lines: &[(&str, &str)], body: &str| -> Signed {
        let mut request = post("/", b"body").without("content-length");
        for (name, value) in lines {
            request = request.with(name, value);
        }
        request.with_body(body.as_bytes())
    };
    let chunked = "4\r\nbody\r\n0\r\n\r\n";
    for (name, request) in [
        (
            "both, the length first",
            with(
                &[("content-length", "4"), ("transfer-encoding", "chunked")],
                chunked,
            ),
        ),
        (
            "both, chunked first",
            with(
                &[("transfer-encoding", "chunked"), ("content-length", "4")],
                chunked,
            ),
        ),
        (
            "both, with a request behind",
            with(
                &[("content-length", "70"), ("transfer-encoding", "chunked")],
                smuggled,
            ),
        ),
        (
            "two equal lengths",
            with(&[("content-length", "4"), ("content-length", "4")], "body"),
        ),
        (
            "two lengths",
            with(&[("content-length", "4"), ("content-length", "5")], "body"),
        ),
        (
            "a list of lengths",
            with(&[("content-length", "4, 4")], "body"),
        ),
        ("a signed length", with(&[("content-length", "+4")], "body")),
        (
            "a negative length",
            with(&[("content-length", "-4")], "body"),
        ),
        (
            "a hexadecimal length",
            with(&[("content-length", "0x4")], "body"),
        ),
        (
            "two encodings",
            with(&[("transfer-encoding", "chunked, identity")], chunked),
        ),
        (
            "identity",
            with(&[("transfer-encoding", "identity")], "body"),
        ),
        (
            "a parameter",
            with(&[("transfer-encoding", "chunked;x")], chunked),
        ),
        (
            "two lines",
            with(
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "identity"),
                ],
                chunked,
            ),
        ),
        (
            "chunked twice",
            with(
                &[
                    ("transfer-encoding", "chunked"),
                    ("transfer-encoding", "chunked"),
                ],
                chunked,
            ),
        ),
        (
            "vertical tab",
            with(&[("transfer-encoding", "\u{b}chunked")], chunked),
        ),
        (
            "another name",
            with(
                &[("transfer_encoding", "chunked"), ("content-length", "4")],
                "body",
            ),
        ),
        (
            "a chunk extension with a line end",
            with(
                &[("transfer-encoding", "chunked")],
                "4;x=\"\n\"\r\nbody\r\n0\r\n\r\n",
            ),
        ),
        (
            "a chunk size with a plus",
            with(
                &[("transfer-encoding", "chunked")],
                "+4\r\nbody\r\n0\r\n\r\n",
            ),
        ),
        (
            "a chunk size that overflows",
            with(
                &[("transfer-encoding", "chunked")],
                "10000000000000004\r\nbody\r\n0\r\n\r\n",
            ),
        ),
        (
            "a bare line feed after the size",
            with(&[("transfer-encoding", "chunked")], "4\nbody\r\n0\r\n\r\n"),
        ),
    ] {
        let upstream = Upstream::careless().await;
        let proxy = Proxy::verify_all(&upstream.url()).await;
        let answers = exchange(proxy.addr(), &request.closing()).await;
        let seen = upstream.seen();
        assert!(seen.len() <= 1, "{name}: {seen:#?}\n{answers}");
        if let Some(seen) = seen.first() {
            assert_eq!(seen.body, b"body", "{name}: {seen:#?}");
            assert_eq!(seen.values("content-length"), ["4"], "{name}");
            assert!(seen.values("transfer-encoding").is_empty(), "{name}");
        }
        assert!(
            !seen.iter().any(|seen| seen.head.contains("smuggled")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_chunked_body_is_forwarded_with_its_length() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = post("/", b"body")
        .without("content-length")
        .with("transfer-encoding", "chunked")
        .with_body(b"1\r\nb\r\n3\r\nody\r\n0\r\n\r\n");
    exchange(proxy.addr(), &request.closing()).await;
    let seen = upstream.one();
    assert_eq!(
        (&*seen.body, &*seen.values("content-length")),
        (&b"body"[..], &["4"][..])
    );
}

#[tokio::test]
async fn a_request_behind_another_is_verified_for_itself() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let mut bytes = post("/first", b"1").bytes();
    bytes.extend(b"GET /second HTTP/1.1\r\nhost: orders:8443\r\nconnection: close\r\n\r\n");
    let answers = exchange(proxy.addr(), &bytes).await;
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert!(answers.contains("HTTP/1.1 401"), "{answers}");
    assert_eq!(upstream.one().request_line(), "POST /first HTTP/1.1");
}
