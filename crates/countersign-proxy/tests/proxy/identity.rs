//! The upstream learns who called from the proxy, and from nobody else.

use std::time::SystemTime;

use countersign::{PayloadDigest, Timestamp};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy},
    raw::{exchange, status},
    signed::{get, keys_toml, post, signer},
    upstream::Upstream,
};

#[tokio::test]
async fn an_honest_request_arrives_with_one_identity_and_without_its_signature() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = post("/pay?to=x", b"body bytes").with("x-request-id", "7");
    let answer = exchange(proxy.addr(), &request.closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
    let seen = upstream.one();
    assert_eq!(seen.request_line(), "POST /pay?to=x HTTP/1.1");
    assert_eq!(seen.body, b"body bytes");
    assert_eq!(seen.values("countersign-caller"), ["billing"]);
    let proof = seen.values("countersign-proof");
    let start = "v=1, key=\"2026-01\", scheme=\"HMAC-SHA256\", coverage=request, replay=?1, date=@";
    assert!(
        proof[0].starts_with(start) && proof[0].ends_with(", body=verified"),
        "{proof:?}"
    );
    assert_eq!(seen.values("host"), [HOST]);
    assert_eq!(seen.values("x-request-id"), ["7"]);
    assert_eq!(seen.values("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.values("x-forwarded-proto"), ["http"]);
    for gone in [
        "authorization",
        "x-date",
        "x-nonce",
        "x-content-sha256",
        "connection",
    ] {
        assert!(seen.values(gone).is_empty(), "{gone}");
    }
}

#[tokio::test]
async fn the_upstream_can_be_a_unix_socket() {
    let directory = Directory::new();
    let path = directory.path().join("up.sock");
    let upstream = Upstream::on_unix(&path);
    let proxy = Proxy::verify_all(&format!("unix:{}", path.display())).await;
    let answer = exchange(proxy.addr(), &post("/a", b"body").closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(upstream.one().values("countersign-caller"), ["billing"]);
}

/// Sources: CVE-2025-64484, CVE-2026-39858.
#[tokio::test]
async fn names_that_look_like_the_identity_are_removed() {
    let upstream = Upstream::careless().await;
    let settings = "allow_every_caller = true\nidentity = { also = [\"x-remote-user\"] }";
    let proxy = Proxy::verify(&upstream.url(), settings).await;
    for name in [
        "countersign-caller",
        "Countersign-Caller",
        "COUNTERSIGN_CALLER",
        "X-Countersign.Caller",
        "countersign~caller",
        "countersign-proof",
        "countersign-secret",
        "x_countersign_secret",
        "X-Remote-User",
        "remote_user",
        "x.remote.user",
    ] {
        for lines in [&[""][..], &["evil"], &["evil", "evil"]] {
            let mut request = get("/");
            for line in lines {
                request = request.with(name, line);
            }
            let answer = exchange(proxy.addr(), &request.closing()).await;
            assert_eq!(status(&answer), 200, "{name}: {answer}");
        }
    }
    let expected = [
        "countersign-caller",
        "countersign-proof",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-remote-user",
    ];
    for seen in upstream.seen() {
        let mut names = seen.names();
        names.sort_unstable();
        assert_eq!(names, expected, "{seen:?}");
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
        assert_eq!(seen.values("x-remote-user"), ["billing"]);
    }
}

#[tokio::test]
async fn a_secret_tells_the_upstream_that_the_proxy_asks() {
    let upstream = Upstream::careless().await;
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write("secret", "0123456789abcdef-upstream\n");
    let text = format!(
        "{KEYS}[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n\
         expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\nopen = [\"GET /healthz\"]\n\
         identity = {{ secret_file = \"secret\" }}\n",
        upstream.url()
    );
    let proxy = Proxy::within(directory, &text).await;
    for request in [
        get("/a"),
        get("/a").without("authorization").with_target("/healthz"),
    ] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    for seen in upstream.seen() {
        assert_eq!(
            seen.values("countersign-secret"),
            ["0123456789abcdef-upstream"]
        );
    }
}

#[tokio::test]
async fn an_open_route_is_forwarded_without_identity_and_without_what_could_mean_more() {
    let upstream = Upstream::careless().await;
    let settings = "allow_every_caller = true\nopen = [\"GET /healthz\"]";
    let proxy = Proxy::verify(&upstream.url(), settings).await;
    let unsigned = |target: &str| get("/").without("authorization").with_target(target);
    let open = unsigned("/healthz")
        .with("cookie", "session=1")
        .with("x-http-method-override", "DELETE")
        .with("x-original-url", "/admin")
        .with("countersign-caller", "evil")
        .with("accept", "text/plain");
    let elsewhere = open.clone().without("host").with("host", "admin.internal");
    for request in [open, elsewhere] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    for (name, request) in [
        ("another route", unsigned("/healthz/")),
        ("another spelling", unsigned("//healthz")),
        ("another method", unsigned("/healthz").with_method("POST")),
        (
            "a body",
            unsigned("/healthz")
                .with("content-length", "1")
                .with_body(b"x"),
        ),
        (
            "a chunked body",
            unsigned("/healthz")
                .with("transfer-encoding", "chunked")
                .with_body(b"0\r\n\r\n"),
        ),
    ] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 401, "{name}: {answer}");
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        let mut names = seen.names();
        names.sort_unstable();
        let expected = [
            "accept",
            "host",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
        ];
        assert_eq!(names, expected);
        assert_eq!(
            seen.values("host"),
            [HOST],
            "the client does not choose a virtual host"
        );
    }
}

/// The names are removed before the request is verified: one that a caller signed fails there.
#[tokio::test]
async fn a_signed_look_alike_fails_the_signature() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    for (name, expected) in [("x-tenant", 200), ("countersign-caller", 401)] {
        let signer = signer(HOST)
            .with_covered_header(name.parse().unwrap())
            .unwrap();
        let request = Request::get(format!("http://{HOST}/")).header(name, "evil");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let now = Timestamp::from(SystemTime::now());
        let signature = signer.sign(&parts, PayloadDigest::of(b""), now);
        signature.unwrap().apply(&mut parts);
        let mut bytes = format!("GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
        for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host") {
            bytes.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
        }
        let answer = exchange(proxy.addr(), format!("{bytes}\r\n").as_bytes()).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
}

/// A Unix socket has no address, and the client's word does not take its place.
#[tokio::test]
async fn a_client_without_an_address_cannot_write_one() {
    let upstream = Upstream::careless().await;
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    let path = directory.path().join("verify.sock");
    let text = format!(
        "{KEYS}[[verify]]\nlisten = \"unix:{}\"\nupstream = \"{}\"\n\
         expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n",
        path.display(),
        upstream.url()
    );
    let _proxy = Proxy::within(directory, &text).await;
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    let request = get("/").with("x-forwarded-for", "192.0.2.1");
    stream.write_all(&request.closing()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(upstream.one().values("x-forwarded-for").is_empty());
}
