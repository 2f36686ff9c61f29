//! `sign`: clients without signing code, one target.

use std::fmt::Write as _;

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS, Proxy, config},
    raw::{exchange, status},
    signed::{self, SECRET},
    upstream::Upstream,
};

/// The target that `billing` calls: the verifying proxies of these tests.
fn targets_toml() -> String {
    format!(
        "[[targets]]\nname = \"orders\"\ncaller = \"billing\"\nauthorities = [\"{HOST}\"]\n\
         secret_hex = \"{SECRET}\"\n"
    )
}

fn text(upstream: &str, settings: &str) -> String {
    format!(
        "{KEYS}[[sign]]\nlisten = \"127.0.0.1:0\"\ntarget = \"orders\"\nupstream = \"{upstream}\"\n\
         authority = \"{HOST}\"\n{settings}\n"
    )
}

async fn signing(upstream: &str, settings: &str) -> Proxy {
    let directory = Directory::new();
    directory.write("keys.toml", &targets_toml());
    Proxy::within(directory, &text(upstream, settings)).await
}

fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(text, "content-length: {}\r\n", body.len()).unwrap();
    }
    format!("{text}\r\n{body}").into_bytes()
}

#[tokio::test]
async fn an_unsigned_request_arrives_signed() {
    let upstream = Upstream::careless().await;
    let verify = Proxy::verify_all(&upstream.url()).await;
    let sign = signing(&format!("http://{}", verify.addr()), "").await;
    let own = sign.addr().to_string();
    for (line, body) in [
        ("GET /a?b=c", ""),
        ("POST /pay//x?y=%2F", "body"),
        ("DELETE /a", ""),
    ] {
        let answer = exchange(sign.addr(), &request(line, &[("host", &own)], body)).await;
        assert_eq!(status(&answer), 200, "{line}: {answer}");
        let seen = upstream.seen().pop().unwrap();
        assert_eq!(seen.request_line(), format!("{line} HTTP/1.1"));
        assert_eq!(seen.body, body.as_bytes());
        assert_eq!(seen.values("countersign-caller"), ["billing"]);
        assert_eq!(seen.values("host"), [HOST]);
    }
}

/// Sources: orbflow#101, orbflow#104.
#[tokio::test]
async fn only_the_proxy_and_its_target_are_hosts() {
    let upstream = Upstream::careless().await;
    let sign = signing(&upstream.url(), "").await;
    let own = sign.addr().to_string();
    let localhost = format!("localhost:{}", sign.addr().port());
    let evil = "evil.example";
    let evil_with_port = format!("evil.example:{}", sign.addr().port());
    for (name, bytes, expected) in [
        ("the proxy", request("GET /", &[("host", &own)], ""), 200),
        (
            "localhost",
            request("GET /", &[("host", &localhost)], ""),
            200,
        ),
        ("the target", request("GET /", &[("host", HOST)], ""), 200),
        (
            "the target in upper case",
            request("GET /", &[("host", "ORDERS:8443")], ""),
            200,
        ),
        (
            "a rebound name",
            request("GET /", &[("host", evil)], ""),
            421,
        ),
        (
            "a rebound name with the port",
            request("GET /", &[("host", &evil_with_port)], ""),
            421,
        ),
        ("no host", request("GET /", &[], ""), 421),
        (
            "two hosts",
            request("GET /", &[("host", &own), ("host", evil)], ""),
            421,
        ),
        (
            "absolute",
            request("GET http://orders:8443/", &[("host", HOST)], ""),
            200,
        ),
        (
            "absolute to another",
            request("GET http://evil.example/", &[("host", &own)], ""),
            421,
        ),
        (
            "absolute and another host",
            request("GET http://orders:8443/", &[("host", evil)], ""),
            421,
        ),
        (
            "connect",
            request("CONNECT evil.example:443", &[("host", evil)], ""),
            405,
        ),
    ] {
        let answer = exchange(sign.addr(), &bytes).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    for seen in upstream.seen() {
        assert_eq!(seen.values("host"), [HOST]);
        assert!(!seen.head.contains("evil"), "{}", seen.head);
    }
    assert_eq!(upstream.seen().len(), 5);
}

/// Sources: CVE-2020-16250, OpenSandbox#1193, CubeSandbox#1410.
#[tokio::test]
async fn nothing_that_the_client_says_chooses_the_destination() {
    let upstream = Upstream::answering(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\
         content-length: 0\r\n\r\n",
    )
    .await;
    let sign = signing(&upstream.url(), "").await;
    let own = sign.addr().to_string();
    for header in [
        "x-forwarded-host",
        "forwarded",
        "x-original-url",
        "x-amz-target-host",
    ] {
        let headers = [("host", &*own), (header, "host=evil.example")];
        let answer = exchange(sign.addr(), &request("GET /a", &headers, "")).await;
        assert_eq!(status(&answer), 307, "{header}: {answer}");
        assert!(answer.contains("location: http://127.0.0.1:1/"), "{answer}");
    }
    for seen in upstream.seen() {
        assert_eq!(seen.request_line(), "GET /a HTTP/1.1");
        assert_eq!(seen.values("host"), [HOST]);
    }
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test]
async fn credentials_of_the_client_are_removed() {
    let upstream = Upstream::careless().await;
    let sign = signing(&upstream.url(), "").await;
    let own = sign.addr().to_string();
    let headers = [
        ("host", &*own),
        ("authorization", "Bearer evil"),
        ("signature", "evil"),
        ("signature-input", "evil"),
        ("x-amz-security-token", "evil"),
        ("x-amz-date", "evil"),
        ("x-date", "evil"),
        ("x-nonce", "evil"),
        ("x-content-sha256", "evil"),
        ("x-hmac-signature", "evil"),
        ("webhook-signature", "evil"),
        ("countersign_caller", "evil"),
        ("proxy-authorization", "evil"),
    ];
    let answer = exchange(sign.addr(), &request("GET /", &headers, "")).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = upstream.one();
    assert!(!seen.head.contains("evil"), "{}", seen.head);
    assert!(seen.values("authorization")[0].starts_with("HMAC-SHA256 credential=billing"));
    for query in [
        "X-Amz-Signature=1",
        "a=b&x-amz-credential=1",
        "X%2DAmz-Date=1",
    ] {
        let line = format!("GET /?{query}");
        let answer = exchange(sign.addr(), &request(&line, &[("host", &own)], "")).await;
        assert_eq!(status(&answer), 400, "{query}: {answer}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_web_page_cannot_use_the_key() {
    let upstream = Upstream::careless().await;
    let sign = signing(&upstream.url(), "").await;
    let own = sign.addr().to_string();
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
    ] {
        let headers = [("host", &*own), (name, value)];
        let answer = exchange(sign.addr(), &request("POST /", &headers, "x")).await;
        assert_eq!(status(&answer), 403, "{name}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
    let open = signing(&upstream.url(), "allow_browsers = true").await;
    let own = open.addr().to_string();
    let headers = [("host", &*own), ("origin", "http://localhost:3000")];
    assert_eq!(
        status(&exchange(open.addr(), &request("GET /", &headers, "")).await),
        200
    );
}

#[tokio::test]
async fn a_unix_socket_is_called_as_localhost() {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
    };

    let upstream = Upstream::careless().await;
    let directory = Directory::new();
    let path = directory.path().join("sign.sock");
    directory.write("keys.toml", &targets_toml());
    let listen = format!("listen = \"unix:{}\"\nmode = \"0660\"", path.display());
    let text = text(&upstream.url(), "").replace("listen = \"127.0.0.1:0\"", &listen);
    let _proxy = Proxy::within(directory, &text).await;
    for (host, expected) in [("localhost", 200), ("evil.example", 421)] {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream
            .write_all(&request("GET /", &[("host", host)], ""))
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(status(&answer), expected, "{host}: {answer}");
    }
}

#[tokio::test]
async fn bodies_are_limited_one_by_one_and_together() {
    let upstream = Upstream::careless().await;
    let limits = "[limits]\nbody = { bytes = \"2 KiB\", memory = \"1 KiB\" }\n[[sign]]";
    let directory = Directory::new();
    directory.write("keys.toml", &targets_toml());
    let text = text(&upstream.url(), "").replace("[[sign]]", limits);
    let sign = Proxy::within(directory, &text).await;
    let own = sign.addr().to_string();
    for (bytes, expected) in [(1024, 200), (1025, 503), (2049, 413)] {
        let body = "a".repeat(bytes);
        let answer = exchange(sign.addr(), &request("POST /", &[("host", &own)], &body)).await;
        assert_eq!(status(&answer), expected, "{bytes}: {answer}");
    }
    assert_eq!(upstream.one().body.len(), 1024);
}

#[test]
fn a_proxy_that_others_could_use_does_not_start() {
    let directory = Directory::new();
    directory.write("keys.toml", &targets_toml());
    let sign = |settings: &str, from: &str, to: &str| {
        let text = text("http://127.0.0.1:1", settings).replace(from, to);
        let config = config(&text, directory.path()).unwrap();
        config
            .check()
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let everywhere = "listen = \"0.0.0.0:0\"";
    let here = "listen = \"127.0.0.1:0\"";
    for (name, found, expected) in [
        ("it starts at all", sign("", "", ""), ""),
        ("any address", sign("", here, everywhere), "public = true"),
        (
            "public without names",
            sign("public = true", here, everywhere),
            "hosts",
        ),
        (
            "public with names",
            sign("public = true\nhosts = [\"signer:7001\"]", here, everywhere),
            "",
        ),
        (
            "a socket of others",
            sign("mode = \"0666\"", here, "listen = \"unix:/tmp/x.sock\""),
            "mode",
        ),
        (
            "an upstream by name",
            sign("", "http://127.0.0.1:1", "http://orders:1"),
            "name service",
        ),
        (
            "an upstream by name, said so",
            sign(
                "insecure_plain_names = true",
                "http://127.0.0.1:1",
                "http://orders:1",
            ),
            "",
        ),
        (
            "an authority that the target does not list",
            sign(
                "",
                &format!("authority = \"{HOST}\""),
                "authority = \"elsewhere\"",
            ),
            "elsewhere",
        ),
        (
            "a target that is not there",
            sign("", "target = \"orders\"", "target = \"x\""),
            "x",
        ),
        (
            "an administration for all",
            sign(
                "",
                "[[sign]]",
                "admin = { listen = \"0.0.0.0:9901\" }\n[[sign]]",
            ),
            "admin",
        ),
        (
            "two sections on one address",
            sign(
                "[[sign]]\nlisten = \"127.0.0.1:7001\"\nupstream = \"http://127.0.0.1:1\"",
                here,
                "listen = \"127.0.0.1:7001\"",
            ),
            "found two",
        ),
    ] {
        assert!(found.contains(expected), "{name}: {found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found}");
    }
}

#[test]
fn a_secret_of_a_caller_is_no_secret_of_a_target() {
    let directory = Directory::new();
    directory.write("keys.toml", &(signed::keys_toml() + &targets_toml()));
    let config = config(&text("http://127.0.0.1:1", ""), directory.path()).unwrap();
    let refused = config.check().unwrap_err();
    assert_eq!(
        refused.kind(),
        countersign::ConfigErrorKind::SharedKey,
        "{refused}"
    );
}
