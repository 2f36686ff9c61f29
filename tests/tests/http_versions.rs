//! `VerifyLayer` and `SignLayer` over real sockets: HTTP/1.1 and HTTP/2, under axum and bare hyper.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::Request as AxumRequest};
use bytes::Bytes;
use countersign::{Keyring, PayloadDigest, Verifier};
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tests::{
    client,
    keys::{NOW, SECRET, hmac_key, keyring, signer},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, RequestBody, SignLayer, VerifiedCaller, VerifyLayer};

fn layer() -> VerifyLayer<Keyring> {
    let verifier = Verifier::builder()
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET)))
        .with_verifier(verifier)
        .with_clock(|| NOW)
}

fn sign_layer() -> SignLayer {
    SignLayer::new(billing()).with_clock(|| NOW)
}

/// Says who called, how, and with how many bytes.
async fn report(caller: VerifiedCaller, request: AxumRequest) -> String {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().map_or(0, HeaderMap::len);
    format!(
        "{} {:?} {} {} {} bytes {trailers} trailers",
        caller.id(),
        parts.version,
        parts.method,
        parts
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str()),
        body.to_bytes().len(),
    )
}

async fn axum_server() -> Server {
    Server::axum(Router::new().fallback(report).layer(layer())).await
}

/// A server of hyper and nothing else.
async fn hyper_server() -> SocketAddr {
    let handler = service_fn(|request: Request<RequestBody>| async move {
        let caller: VerifiedCaller = request.extensions().get().cloned().unwrap();
        let request = request.map(Body::new);
        let text = report(caller, request).await;
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
    });
    let service = layer().layer(handler);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    addr
}

fn full(body: &Bytes) -> Body {
    Body::from(body.clone())
}

/// A body that does not say how long it is, in chunks of 1000 bytes, with trailers at the end.
fn streamed(body: &Bytes, trailers: bool) -> Body {
    let mut frames: Vec<_> = body
        .chunks(1000)
        .map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    if trailers {
        let mut map = HeaderMap::new();
        map.insert("x-role", HeaderValue::from_static("admin"));
        frames.push(Ok(Frame::trailers(map)));
    }
    Body::new(StreamBody::new(stream::iter(frames)))
}

#[tokio::test]
async fn signed_requests_are_accepted_over_both_versions_of_http() {
    let axum = axum_server().await;
    let hyper = hyper_server().await;
    let body = Bytes::from(vec![b'x'; 300_000]);
    for (server, addr) in [("axum", axum.addr()), ("hyper", hyper)] {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let http = match version {
                Version::HTTP_2 => client::http2(addr),
                _ => client::http1(addr),
            };
            let mut client = sign_layer().layer(http);
            for (method, target, sent) in [
                ("GET", "/account/7", 0),
                ("GET", "/account/7?a=1&a=2&b=%2F&", 0),
                ("GET", "/a//b/../c/%7e", 0),
                ("DELETE", "/account/7", 0),
                ("POST", "/account/7", 300_000),
                ("POST", "/account/7", 1),
                ("PUT", "/", 5000),
                ("PATCH", "/?", 10),
                ("QUERY", "/search", 10),
                ("OPTIONS", "/account/7", 0),
            ] {
                let name = format!("{server} {version:?} {method} {target} {sent}");
                let request = Request::builder()
                    .method(method)
                    .uri(format!("http://{AUTHORITY}{target}"))
                    .body(full(&body.slice(..sent)))
                    .unwrap();
                let response = client.ready().await.unwrap().call(request).await.unwrap();
                let status = response.status();
                let text = response.into_body().collect().await.unwrap().to_bytes();
                let expected =
                    format!("billing {version:?} {method} {target} {sent} bytes 0 trailers");
                assert_eq!(status, 200, "{name}: {text:?}");
                assert_eq!(text, expected, "{name}");
            }
            let unsigned = Request::get(format!("http://{AUTHORITY}/"))
                .body(Body::empty())
                .unwrap();
            let http = match version {
                Version::HTTP_2 => client::http2(addr),
                _ => client::http1(addr),
            };
            let response = http.request(unsigned).await.unwrap();
            assert_eq!(response.status(), 401, "{server} {version:?}");
            let text = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(text, "{\"error\":\"missing_signature\"}");
        }
    }
}

#[tokio::test]
async fn head_is_answered_without_a_body_accepted_or_refused() {
    let server = axum_server().await;
    let head = || {
        Request::head(format!("http://{AUTHORITY}/account/7"))
            .body(Bytes::new())
            .unwrap()
    };
    for (name, request, status) in [
        ("signed", signed::at(NOW, &billing(), head()), 200),
        ("unsigned", head(), 401),
        (
            "signed as GET",
            {
                let mut request = signed::at(NOW, &billing(), signed::get("/account/7"));
                *request.method_mut() = Method::HEAD;
                request
            },
            401,
        ),
    ] {
        let text = raw::exchange(server.addr(), &signed::bytes(&request)).await;
        assert_eq!(raw::status(&text), status, "{name}: {text}");
        assert!(text.ends_with("\r\n\r\n"), "{name} has a body: {text}");
        let over_http2 = client::http2(server.addr()).request(request.map(Full::new));
        if status == 401 {
            let response = over_http2.await.unwrap();
            assert_eq!(response.status(), status, "{name}");
            assert_eq!(
                response.into_body().collect().await.unwrap().to_bytes(),
                "",
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn options_of_the_whole_server_is_signed_as_an_asterisk() {
    let axum = axum_server().await;
    let hyper = hyper_server().await;
    let asterisk = |method: &str| {
        let mut request = Request::builder()
            .method(method)
            .uri("*")
            .body(Bytes::new())
            .unwrap();
        request
            .headers_mut()
            .insert("host", HeaderValue::from_static(AUTHORITY));
        request
    };
    for (name, addr) in [("axum", axum.addr()), ("hyper", hyper)] {
        let signed = signed::at(NOW, &billing(), asterisk("OPTIONS"));
        let text = raw::exchange(addr, &signed::bytes(&signed)).await;
        assert_eq!(raw::status(&text), 200, "{name}: {text}");
        assert!(
            text.contains("billing HTTP/1.1 OPTIONS *"),
            "{name}: {text}"
        );

        let moved = String::from_utf8(signed::bytes(&signed::at(
            NOW,
            &billing(),
            asterisk("OPTIONS"),
        )))
        .unwrap()
        .replacen("OPTIONS * ", "OPTIONS / ", 1);
        let text = raw::exchange(addr, moved.as_bytes()).await;
        assert_eq!(raw::status(&text), 401, "{name}: {text}");
        assert!(text.contains("invalid_signature"), "{name}: {text}");
    }
}

#[tokio::test]
async fn a_target_in_absolute_form_is_signed_like_one_in_origin_form() {
    let server = axum_server().await;
    let sent = async |line: &str, host: &str| {
        let request = signed::at(NOW, &billing(), signed::get("/account/7?x=1"));
        let head = signed::head(&request.into_parts().0);
        let head = head.replacen("GET /account/7?x=1 ", &format!("GET {line} "), 1);
        let head = head.replacen(&format!("host: {AUTHORITY}\r\n"), host, 1);
        let text = format!("{head}connection: close\r\n\r\n");
        raw::exchange(server.addr(), text.as_bytes()).await
    };
    let host = format!("host: {AUTHORITY}\r\n");
    for (name, line, host, status, said) in [
        ("origin form", "/account/7?x=1", &*host, 200, "billing"),
        (
            "absolute form",
            "http://user-service.internal/account/7?x=1",
            &host,
            200,
            "billing",
        ),
        (
            "https",
            "https://user-service.internal/account/7?x=1",
            &host,
            200,
            "billing",
        ),
        (
            "no Host",
            "http://user-service.internal/account/7?x=1",
            "",
            200,
            "billing",
        ),
        (
            "another Host",
            "http://user-service.internal/account/7?x=1",
            "host: billing.internal\r\n",
            401,
            "malformed",
        ),
        (
            "another authority",
            "http://billing.internal/account/7?x=1",
            &host,
            401,
            "malformed",
        ),
        (
            "another authority and Host",
            "http://billing.internal/account/7?x=1",
            "host: billing.internal\r\n",
            421,
            "misdirected",
        ),
        (
            "another port",
            "http://user-service.internal:80/account/7?x=1",
            "host: user-service.internal:80\r\n",
            421,
            "misdirected",
        ),
        (
            "user information",
            "http://u@user-service.internal/account/7?x=1",
            &host,
            401,
            "malformed",
        ),
        (
            "another scheme",
            "ftp://user-service.internal/account/7?x=1",
            &host,
            401,
            "malformed",
        ),
        (
            "two Hosts",
            "/account/7?x=1",
            &format!("{host}{host}"),
            401,
            "malformed",
        ),
        (
            "an empty Host",
            "/account/7?x=1",
            "host: \r\n",
            401,
            "malformed",
        ),
        ("no Host at all", "/account/7?x=1", "", 401, "malformed"),
        (
            "another target",
            "http://user-service.internal/account/8",
            &host,
            401,
            "invalid_signature",
        ),
    ] {
        let text = sent(line, host).await;
        assert_eq!(raw::status(&text), status, "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
}

#[tokio::test]
async fn http2_is_verified_by_its_authority_and_host_must_agree() {
    let server = axum_server().await;
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let (mut http2, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut answer = async |edit: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = signed::at(NOW, &billing(), signed::get("/account/7"));
        edit(&mut request);
        let response = http2.send_request(request.map(Full::new)).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let host = |host: &'static str| {
        move |request: &mut Request<Bytes>| {
            request
                .headers_mut()
                .insert("host", HeaderValue::from_static(host));
        }
    };
    let as_signed: &dyn Fn(&mut Request<Bytes>) = &|_| {};
    for (name, edit, status, said) in [
        ("authority alone", as_signed, 200, "billing HTTP/2.0 GET"),
        (
            "Host equal to it",
            &host(AUTHORITY),
            200,
            "billing HTTP/2.0 GET",
        ),
        ("another Host", &host("billing.internal"), 401, "malformed"),
        (
            "another Host in case",
            &host("User-Service.internal"),
            401,
            "malformed",
        ),
        (
            "two Hosts",
            &|request: &mut Request<Bytes>| {
                for _ in 0..2 {
                    request
                        .headers_mut()
                        .append("host", HeaderValue::from_static(AUTHORITY));
                }
            },
            401,
            "malformed",
        ),
        (
            "another authority, Host as signed",
            &|request: &mut Request<Bytes>| {
                *request.uri_mut() = "http://billing.internal/account/7".parse().unwrap();
                host(AUTHORITY)(request);
            },
            401,
            "malformed",
        ),
        (
            "another authority",
            &|request: &mut Request<Bytes>| {
                *request.uri_mut() = "http://billing.internal/account/7".parse().unwrap();
            },
            421,
            "misdirected",
        ),
    ] {
        let (found, body) = answer(edit).await;
        assert_eq!(found, status, "{name}: {body}");
        assert!(body.contains(said), "{name}: {body}");
    }
}

/// RFC 9113 section 8.3.1: a request that came over HTTP/1.1 may reach us with `Host` and no
/// `:authority`.
#[tokio::test]
async fn http2_without_an_authority_is_verified_by_its_host() {
    let service = layer().layer(service_fn(|_: Request<RequestBody>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    }));
    let mut request = signed::at(NOW, &billing(), signed::get("/account/7"));
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from_static("/account/7");
    request
        .headers_mut()
        .insert("host", HeaderValue::from_static(AUTHORITY));
    let response = service.oneshot(request.map(Full::new)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn chunked_bodies_are_verified_however_they_are_cut() {
    let axum = axum_server().await;
    let hyper = hyper_server().await;
    let exchanged = async |addr, body: &str| {
        let request = signed::at(NOW, &billing(), signed::post("/echo", "hello world"));
        let head = signed::head(&request.into_parts().0);
        let text = format!("{head}transfer-encoding: chunked\r\nconnection: close\r\n\r\n{body}");
        raw::exchange(addr, text.as_bytes()).await
    };
    for (name, body, status, said) in [
        (
            "one chunk",
            "b\r\nhello world\r\n0\r\n\r\n",
            200,
            "11 bytes 0 trailers",
        ),
        (
            "upper case and zeroes",
            "000B\r\nhello world\r\n0\r\n\r\n",
            200,
            "11 bytes 0 trailers",
        ),
        (
            "bytes",
            "1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n6\r\n world\r\n0\r\n\r\n",
            200,
            "11 bytes",
        ),
        (
            "an extension",
            "b;name=value\r\nhello world\r\n0\r\n\r\n",
            200,
            "11 bytes 0 trailers",
        ),
        (
            "trailers",
            "b\r\nhello world\r\n0\r\nx-role: admin\r\n\r\n",
            200,
            "11 bytes 0 trailers",
        ),
        (
            "chunks reordered",
            "6\r\n world\r\n5\r\nhello\r\n0\r\n\r\n",
            401,
            "body_mismatch",
        ),
        (
            "a chunk missing",
            "5\r\nhello\r\n0\r\n\r\n",
            401,
            "body_mismatch",
        ),
        (
            "a chunk more",
            "b\r\nhello world\r\n1\r\n!\r\n0\r\n\r\n",
            401,
            "body_mismatch",
        ),
        ("no chunk", "0\r\n\r\n", 401, "body_mismatch"),
        (
            "a chunk that is no chunk",
            "b\r\nhello world\r\nxyz\r\n",
            401,
            "body_mismatch",
        ),
        (
            "a length past 64 bits",
            "10000000000000000b\r\nhello world\r\n0\r\n\r\n",
            401,
            "body_mismatch",
        ),
    ] {
        for (server, addr) in [("axum", axum.addr()), ("hyper", hyper)] {
            let text = exchanged(addr, body).await;
            assert_eq!(raw::status(&text), status, "{server}, {name}: {text}");
            assert!(text.contains(said), "{server}, {name}: {text}");
        }
    }
}

#[tokio::test]
async fn request_trailers_never_reach_the_handler() {
    async fn unverified(request: AxumRequest) -> String {
        let body = request.into_body().collect().await.unwrap();
        format!("{} trailers", body.trailers().map_or(0, HeaderMap::len))
    }
    let open = Server::axum(Router::new().fallback(unverified)).await;
    let covered = axum_server().await;
    let body = Bytes::from(vec![b'x'; 5000]);
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for (name, server, said) in [
            ("without a layer they do", &open, "1 trailers"),
            (
                "with a layer they do not",
                &covered,
                "5000 bytes 0 trailers",
            ),
        ] {
            let mut request = Request::post(format!("http://{AUTHORITY}/"))
                .header("trailer", "x-role")
                .body(streamed(&body, true))
                .unwrap();
            // The body's digest is known, so its trailers go out unsigned.
            request.extensions_mut().insert(PayloadDigest::of(&body));
            let http = match version {
                Version::HTTP_2 => client::http2(server.addr()),
                _ => client::http1(server.addr()),
            };
            let response = sign_layer().layer(http).oneshot(request).await.unwrap();
            let text = response.into_body().collect().await.unwrap().to_bytes();
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(text.contains(said), "{version:?}, {name}: {text}");
        }
    }
}

/// How long a test waits for what it expects. It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server says while the client waits for its leave to send the body.
async fn before_the_body(addr: SocketAddr, head: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = timeout(PATIENCE, stream.read(&mut buffer))
        .await
        .expect("the server answers the head")
        .unwrap();
    (
        stream,
        String::from_utf8_lossy(&buffer[..read]).into_owned(),
    )
}

#[tokio::test]
async fn leave_to_send_a_body_is_given_to_those_who_proved_who_they_are() {
    let limits = BodyLimits::default().with_max_bytes(100);
    let app = Router::new()
        .fallback(report)
        .layer(layer().with_body_limits(limits));
    let server = Server::axum(app).await;
    let head = |request: &Request<Bytes>, length: usize| {
        let head = signed::head(&request.clone().into_parts().0);
        format!("{head}content-length: {length}\r\nexpect: 100-continue\r\n\r\n")
    };
    let good = || signed::at(NOW, &billing(), signed::post("/echo", "hello"));
    let bad = signer("billing", hmac_key(tests::keys::OTHER_SECRET), AUTHORITY);
    let unknown = signer("nobody", hmac_key(SECRET), AUTHORITY);
    let seen = good();

    let (mut stream, text) = before_the_body(server.addr(), &head(&seen, 5)).await;
    assert_eq!(text, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    let text = String::from_utf8_lossy(&buffer[..read]);
    assert_eq!(raw::status(&text), 200, "{text}");

    for (name, request, length, status, code) in [
        (
            "bad signature",
            signed::at(NOW, &bad, signed::post("/echo", "hello")),
            5,
            401,
            "invalid_signature",
        ),
        (
            "unknown caller",
            signed::at(NOW, &unknown, signed::post("/echo", "hello")),
            5,
            401,
            "invalid_signature",
        ),
        (
            "no signature",
            signed::post("/echo", "hello"),
            5,
            401,
            "missing_signature",
        ),
        (
            "stale",
            {
                let before = NOW.saturating_sub(Duration::from_secs(1000));
                signed::at(before, &billing(), signed::post("/echo", "hello"))
            },
            5,
            401,
            "expired",
        ),
        ("replayed", seen, 5, 401, "replayed"),
        ("declared too large", good(), 101, 413, "too_large"),
    ] {
        let (mut stream, mut text) = before_the_body(server.addr(), &head(&request, length)).await;
        assert_eq!(raw::status(&text), status, "{name}: {text}");
        let rest = timeout(PATIENCE, async {
            let mut rest = String::new();
            let _: Result<usize, _> = stream.read_to_string(&mut rest).await;
            rest
        });
        text.push_str(&rest.await.expect("the server closes"));
        assert!(text.contains(code), "{name}: {text}");
        assert!(!text.contains("100 Continue"), "{name}: {text}");
    }
}

#[tokio::test]
async fn heads_past_hypers_limits_get_its_own_answer_and_nothing_hangs() {
    let server = axum_server().await;
    let good = signed::at(NOW, &billing(), signed::get("/account/7"));
    let head = signed::head(&good.into_parts().0);
    let more = |lines: &str| format!("{head}{lines}connection: close\r\n\r\n");
    let long = "a".repeat(100_000);
    for (name, text, statuses) in [
        ("200 headers", more(&"x-a: b\r\n".repeat(200)), &[431][..]),
        (
            "a megabyte of one header",
            more(&format!("x-a: {}\r\n", "b".repeat(1_000_000))),
            &[431],
        ),
        (
            "a target of 100 kB",
            more("").replacen("/account/7", &format!("/{long}"), 1),
            &[414],
        ),
        (
            "two lengths",
            more("content-length: 1\r\ncontent-length: 2\r\n"),
            &[400],
        ),
        (
            "a length that is no number",
            more("content-length: x\r\n"),
            &[400],
        ),
        ("a signed length", more("content-length: +5\r\n"), &[400]),
        ("a header name with a space", more("x a: b\r\n"), &[400]),
        ("a folded header", more("x-a: b\r\n c\r\n"), &[400]),
        ("a bare newline in a value", more("x-a: b\nc\r\n"), &[400]),
        ("a nul", more("x-a: b\0\r\n"), &[400]),
        ("no request line", format!("\u{1}\u{2}{}", more("")), &[400]),
        (
            "a target with a space",
            more("").replacen("/account/7", "/account 7", 1),
            &[400],
        ),
        (
            "a version that is none",
            more("").replacen("HTTP/1.1", "HTTP/9.9", 1),
            &[400],
        ),
        // Both are sent by smugglers: the length is ignored (RFC 9112 section 6.3) or the request
        // refused.
        (
            "chunked and a length",
            more("transfer-encoding: chunked\r\ncontent-length: 5\r\n") + "0\r\n\r\n",
            &[200, 400],
        ),
        // Within hyper's limits, past ours.
        (
            "a target of 9 kB",
            more("").replacen("/account/7", &format!("/{}", &long[..9000]), 1),
            &[401],
        ),
        (
            "a signature of 5 kB",
            more("").replacen(
                "credential=billing",
                &format!("credential={}", &long[..5000]),
                1,
            ),
            &[401],
        ),
        (
            "a signature twice",
            {
                let line = head
                    .lines()
                    .find(|line| line.starts_with("authorization"))
                    .unwrap();
                more(&format!("{line}\r\n"))
            },
            &[401],
        ),
    ] {
        let exchanged = async {
            let mut stream = TcpStream::connect(server.addr()).await.unwrap();
            // The server may answer and close while the rest is still on its way.
            let _: Result<(), _> = stream.write_all(text.as_bytes()).await;
            let mut answer = Vec::new();
            let _: Result<usize, _> = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = timeout(PATIENCE, exchanged)
            .await
            .unwrap_or_else(|_| panic!("{name}: hangs"));
        assert!(statuses.contains(&raw::status(&answer)), "{name}: {answer}");
    }
}

#[tokio::test]
async fn heads_past_the_limits_of_http2_are_refused_and_nothing_hangs() {
    let server = axum_server().await;
    for (name, header, value) in [
        ("a large header", "x-a", "b".repeat(30_000)),
        (
            "a large signature",
            "authorization",
            format!("HMAC-SHA256 {}", "c".repeat(30_000)),
        ),
    ] {
        let mut request = signed::at(NOW, &billing(), signed::get("/account/7"));
        request.headers_mut().insert(header, value.parse().unwrap());
        let client = client::http2(server.addr());
        let sent = client.request(request.map(Full::new));
        let answer = timeout(PATIENCE, sent)
            .await
            .unwrap_or_else(|_| panic!("{name}: hangs"));
        if let Ok(response) = answer {
            assert_eq!(
                response.status(),
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn two_requests_on_one_connection_are_verified_each_by_itself() {
    let server = axum_server().await;
    let one = |request: &Request<Bytes>| {
        let head = signed::head(&request.clone().into_parts().0);
        format!("{head}content-length: 5\r\n\r\nhello")
    };
    let good = signed::at(NOW, &billing(), signed::post("/first", "hello"));
    let second = signed::at(NOW, &billing(), signed::post("/second", "hello"));
    let last = signed::bytes(&signed::at(
        NOW,
        &billing(),
        signed::post("/third", "other"),
    ));
    let text = format!(
        "{}{}{}{}",
        one(&good),
        one(&good),
        one(&second),
        String::from_utf8(last).unwrap()
    );
    let answer = raw::exchange(server.addr(), text.as_bytes()).await;
    let statuses: Vec<_> = answer
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answer[at + 9..at + 12])
        .collect();
    let answers = ["200", "401", "200", "200"];
    // "billing HTTP/1.1 POST" in a body is no status line.
    let statuses: Vec<_> = statuses
        .into_iter()
        .filter(|status| status.parse::<u16>().is_ok())
        .collect();
    assert_eq!(statuses, answers, "{answer}");
}
