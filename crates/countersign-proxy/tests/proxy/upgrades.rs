//! WebSockets on listed routes.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    proxy::Proxy,
    raw::{exchange, head, status, until_closed, values},
    signed::{Signed, get},
    upstream::Upstream,
};

const SETTINGS: &str = "allow_every_caller = true\nupgrades = [\"GET /ws\"]";

fn handshake(target: &str) -> Signed {
    get(target)
        .with("upgrade", "websocket")
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

/// As a client sends it.
fn bytes(request: &Signed) -> Vec<u8> {
    request.clone().with("connection", "Upgrade").bytes()
}

const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
                      connection: upgrade\r\nsec-websocket-accept: x\r\n\r\n";

#[tokio::test]
async fn a_verified_handshake_on_a_listed_route_becomes_a_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let seen = head(&mut stream).await;
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let mut received = [0; 5];
        stream.read_exact(&mut received).await.unwrap();
        (seen, received)
    });
    let proxy = Proxy::verify(&url, SETTINGS).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    // The bytes behind the handshake belong to the tunnel.
    let mut sent = bytes(&handshake("/ws"));
    sent.extend(b"ea");
    client.write_all(&sent).await.unwrap();
    let answer = head(&mut client).await;
    assert_eq!(status(&answer), 101, "{answer}");
    assert_eq!(values(&answer, "upgrade"), ["websocket"]);
    assert_eq!(values(&answer, "sec-websocket-accept"), ["x"]);
    let mut hello = [0; 5];
    client.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hello");
    client.write_all(b"rly").await.unwrap();
    let (seen, received) = upstream.await.unwrap();
    assert_eq!(&received, b"early");
    assert_eq!(values(&seen, "upgrade"), ["websocket"]);
    assert_eq!(values(&seen, "countersign-caller"), ["billing"]);
}

#[tokio::test]
async fn a_handshake_is_refused_or_forwarded_plain_where_it_is_no_tunnel() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify(&upstream.url(), SETTINGS).await;
    let with_body = handshake("/ws").with("content-length", "1").with_body(b"x");
    let chunked = handshake("/ws")
        .with("transfer-encoding", "chunked")
        .with_body(b"0\r\n\r\n");
    for (name, request, expected) in [
        ("unverified", handshake("/ws").without("authorization"), 401),
        ("a body", with_body, 400),
        ("a chunked body", chunked, 400),
    ] {
        let answer = exchange(proxy.addr(), &bytes(&request)).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    assert_eq!(upstream.connections(), 0);
    let answer = exchange(proxy.addr(), &bytes(&handshake("/other"))).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = upstream.one();
    assert!(seen.values("upgrade").is_empty(), "{}", seen.head);
    assert!(seen.values("connection").is_empty(), "{}", seen.head);
}

/// Sources: CVE-2026-2833, CVE-2026-58055. Bytes behind a handshake that is no tunnel are no
/// request.
#[tokio::test]
async fn what_follows_a_handshake_without_a_tunnel_is_never_read_as_a_request() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify(&upstream.url(), SETTINGS).await;
    for target in ["/ws", "/other"] {
        let mut sent = bytes(&handshake(target));
        sent.extend(get("/smuggled").closing());
        let answers = exchange(proxy.addr(), &sent).await;
        assert_eq!(
            answers.matches("HTTP/1.1 ").count(),
            1,
            "{target}: {answers}"
        );
        assert_eq!(
            values(&answers, "connection"),
            ["close"],
            "{target}: {answers}"
        );
    }
    for seen in upstream.seen() {
        assert!(!seen.head.contains("smuggled"), "{}", seen.head);
    }
}

#[tokio::test]
async fn a_switch_that_nobody_asked_for_is_a_502() {
    let upstream = Upstream::answering(SWITCH).await;
    let proxy = Proxy::verify(&upstream.url(), SETTINGS).await;
    for request in [get("/"), handshake("/other")] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), 502, "{answer}");
    }
    let other = Upstream::answering(&SWITCH.replace("websocket", "h2c")).await;
    let proxy = Proxy::verify(&other.url(), SETTINGS).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    client.write_all(&bytes(&handshake("/ws"))).await.unwrap();
    assert_eq!(status(&until_closed(&mut client).await), 502);
}
