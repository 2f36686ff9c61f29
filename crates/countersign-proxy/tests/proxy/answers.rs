//! What the upstream answers, and what of it arrives.

use std::time::Duration;

use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::support::{
    proxy::Proxy,
    raw::{exchange, status, values},
    signed::{get, post},
    upstream::Upstream,
};

#[tokio::test]
async fn an_answer_loses_our_names_and_the_headers_of_its_connection() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncountersign-caller: evil\r\n\
         X_Countersign.Proof: evil\r\nkeep-alive: timeout=5\r\nproxy-authenticate: Basic\r\n\
         upgrade: h2c\r\nconnection: x-internal\r\nx-internal: evil\r\nset-cookie: a=1\r\n\
         set-cookie: b=2\r\nx-kept: 1\r\n\r\nok",
    )
    .await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let answer = exchange(proxy.addr(), &get("/").closing()).await;
    assert_eq!(status(&answer), 200);
    assert!(!answer.contains("evil"), "{answer}");
    for gone in ["keep-alive", "proxy-authenticate", "upgrade"] {
        assert!(values(&answer, gone).is_empty(), "{gone}: {answer}");
    }
    assert_eq!(values(&answer, "set-cookie"), ["a=1", "b=2"]);
    assert_eq!(values(&answer, "x-kept"), ["1"]);
}

#[tokio::test]
async fn the_trailers_of_an_answer_arrive_without_our_names() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\
         trailer: x-checksum, countersign-caller\r\n\r\n2\r\nok\r\n0\r\nx-checksum: 7\r\n\
         countersign-caller: evil\r\n\r\n",
    )
    .await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = get("/").with("te", "trailers").with("connection", "te");
    let answer = exchange(proxy.addr(), &request.closing()).await;
    assert!(answer.contains("x-checksum: 7"), "{answer}");
    assert!(!answer.contains("evil"), "{answer}");
}

#[tokio::test]
async fn the_trailers_of_a_request_are_dropped() {
    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let request = post("/", b"body")
        .without("content-length")
        .with("transfer-encoding", "chunked")
        .with("trailer", "x-evil")
        .with_body(b"4\r\nbody\r\n0\r\nx-evil: 1\r\n\r\n");
    let answer = exchange(proxy.addr(), &request.closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = upstream.one();
    assert_eq!(seen.body, b"body");
    assert!(!seen.head.contains("x-evil"), "{}", seen.head);
}

#[tokio::test]
async fn redirects_go_to_the_client() {
    let upstream = Upstream::answering(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\
         content-length: 0\r\n\r\n",
    )
    .await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let answer = exchange(proxy.addr(), &get("/").closing()).await;
    assert_eq!(status(&answer), 307);
    assert_eq!(values(&answer, "location"), ["http://127.0.0.1:1/"]);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_breaks_off_is_a_502() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = nobody.local_addr().unwrap();
    drop(nobody);
    let proxy = Proxy::verify_all(&format!("http://{addr}")).await;
    let answer = exchange(proxy.addr(), &get("/").closing()).await;
    assert_eq!(status(&answer), 502);
    assert!(
        answer.ends_with("{\"error\":\"upstream_unreachable\"}"),
        "{answer}"
    );

    for garbage in ["", "HTTP/1.1 2", "SSH-2.0\r\n\r\n"] {
        let upstream = Upstream::answering(&format!("{garbage}connection: close")).await;
        let upstream = if garbage.is_empty() {
            Upstream::answering("").await
        } else {
            upstream
        };
        let proxy = Proxy::verify_all(&upstream.url()).await;
        let answer = exchange(proxy.addr(), &post("/", b"x").closing()).await;
        assert_eq!(status(&answer), 502, "{garbage:?}: {answer}");
        assert_eq!(upstream.seen().len(), 1, "not sent again");
    }
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_a_504() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let proxy = Proxy::of(&format!(
        "{}limits = {{ upstream = {{ answer = \"200ms\" }} }}\n[[verify]]\n\
         listen = \"127.0.0.1:0\"\nupstream = \"{url}\"\nexpected_hosts = [\"orders:8443\"]\n\
         allow_every_caller = true\n",
        crate::support::proxy::KEYS
    ))
    .await;
    let answer = exchange(proxy.addr(), &get("/").closing()).await;
    assert_eq!(status(&answer), 504, "{answer}");
    assert!(
        answer.ends_with("{\"error\":\"upstream_timeout\"}"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_stays_broken() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nx-a: connection: close\r\n\r\nhalf",
    )
    .await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let answer = exchange(proxy.addr(), &get("/").closing()).await;
    assert_eq!(values(&answer, "content-length"), ["100"], "{answer}");
    assert!(answer.ends_with("half"), "{answer}");
}

/// Source: maw-js#2658. A pool that outlives the keep-alive of the upstream.
#[tokio::test]
async fn a_connection_that_the_upstream_closed_costs_at_most_one_failed_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let upstream = tokio::spawn(async move {
        let mut seen = 0_u32;
        // Answers one request for each connection, and closes while the pool keeps it.
        for _ in 0..20 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\nx") {
                head.push(stream.read_u8().await.unwrap());
            }
            seen += 1;
            let ok = crate::support::upstream::OK.as_bytes();
            tokio::io::AsyncWriteExt::write_all(&mut stream, ok)
                .await
                .unwrap();
        }
        seen
    });
    let proxy = Proxy::verify_all(&url).await;
    let mut answered = 0;
    for _ in 0..20 {
        let answer = exchange(proxy.addr(), &post("/", b"x").closing()).await;
        match status(&answer) {
            200 => answered += 1,
            502 => {}
            other => panic!("{other}: {answer}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    upstream.abort();
    assert!(answered >= 10, "{answered}");
}
