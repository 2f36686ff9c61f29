//! Headers that belong to one connection.

use crate::support::{
    proxy::Proxy,
    raw::{exchange, status},
    signed::{get, post},
    upstream::Upstream,
};

/// Sources: CVE-2024-45410, CVE-2025-48865.
#[tokio::test]
async fn a_signed_header_that_connection_names_fails_the_signature() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    for lines in [
        &["x-date"][..],
        &["X-DATE"],
        &["close, x-date"],
        &["keep-alive", "x-date"],
        &["authorization"],
        &["Authorization, close"],
        &["x-nonce"],
        &["x-content-sha256"],
    ] {
        let mut request = get("/");
        for line in lines {
            request = request.with("connection", line);
        }
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 401, "{lines:?}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn connection_cannot_remove_identity_host_or_framing() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    for name in ["countersign-caller", "countersign-proof", "x-forwarded-for"] {
        let request = get("/").with("connection", name).with(name, "evil");
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 200, "{name}: {answer}");
    }
    for seen in upstream.seen() {
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
        assert_eq!(seen.values("countersign-proof").len(), 1);
        assert_eq!(seen.values("x-forwarded-for"), ["127.0.0.1"]);
    }
    for name in ["host", "Content-Length"] {
        let request = post("/", b"body").with("connection", name);
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 400, "{name}: {answer}");
    }
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn headers_of_one_connection_are_not_forwarded() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = get("/")
        .with("keep-alive", "timeout=5")
        .with("te", "trailers")
        .with("proxy-authorization", "Basic x")
        .with("proxy-connection", "close")
        .with("proxy", "http://evil")
        .with("x-listed", "1")
        .with("connection", "x-listed, keep-alive")
        .with("forwarded", "for=evil")
        .with("x-forwarded-for", "evil")
        .with("x-forwarded-host", "evil")
        .with("x-forwarded-proto", "https")
        .with("x-http-method-override", "DELETE");
    let answer = exchange(proxy.addr(), &request.closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = upstream.one();
    let mut names = seen.names();
    names.sort_unstable();
    let expected = [
        "countersign-caller",
        "countersign-proof",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
    ];
    assert_eq!(names, expected);
    assert!(!seen.head.contains("evil"), "{}", seen.head);
}

#[tokio::test]
async fn a_trusted_proxy_in_front_is_appended_to() {
    let upstream = Upstream::careless().await;
    let settings = "allow_every_caller = true\ntrusted_hops = 1";
    let proxy = Proxy::verify(&upstream.url(), settings).await;
    let request = get("/")
        .with("x-forwarded-for", "192.0.2.1")
        .with("x-forwarded-proto", "https");
    let answer = exchange(proxy.addr(), &request.closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = upstream.one();
    assert_eq!(seen.values("x-forwarded-for"), ["192.0.2.1, 127.0.0.1"]);
    assert_eq!(seen.values("x-forwarded-proto"), ["https"]);
}

#[tokio::test]
async fn a_head_that_is_no_http_is_refused() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let signed = String::from_utf8(get("/").closing()).unwrap();
    for (name, line) in [
        ("a space before the colon", "x-a : 1\r\n\r\n"),
        ("a tab before the colon", "x-a\t: 1\r\n\r\n"),
        ("a folded line", "x-a: 1\r\n 2\r\n\r\n"),
        ("a null byte", "x-a: 1\x002\r\n\r\n"),
        ("a name without a value", "x-a\r\n\r\n"),
        ("a bare carriage return", "x-a: 1\r2\r\n\r\n"),
    ] {
        let request = signed.replace("\r\n\r\n", &format!("\r\n{line}"));
        let answer = exchange(proxy.addr(), request.as_bytes()).await;
        assert_eq!(status(&answer), 400, "{name}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn the_answer_to_expect_comes_after_the_head_is_verified() {
    use tokio::{io::AsyncWriteExt, net::TcpStream};

    use crate::support::raw::{head, until_closed};

    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let honest = post("/", b"body").with("expect", "100-continue");
    let wrong = honest.clone().with_target("/other");
    for (request, expected) in [(wrong, 401), (honest, 100)] {
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        let body = request.body.clone();
        stream
            .write_all(&request.with_body(b"").closing())
            .await
            .unwrap();
        let first = head(&mut stream).await;
        assert_eq!(status(&first), expected, "{first}");
        if expected == 100 {
            stream.write_all(&body).await.unwrap();
            assert_eq!(status(&until_closed(&mut stream).await), 200);
        }
    }
    let seen = upstream.one();
    assert_eq!(seen.body, b"body");
    assert!(seen.values("expect").is_empty());
}
