//! Refusals that come before the body has arrived reach peers that send first and read later.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests panic where a constant is wrong"
)]

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tests::{
    client,
    keys::{SECRET, hmac_key, keyring},
    raw,
    server::Server,
    signed::{self, billing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tower_countersign::VerifyLayer;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A server with the default settings, and the number of body bytes that it has read.
async fn server() -> (Server, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counting = from_fn({
        let read = Arc::clone(&read);
        move |request: Request, next: Next| {
            let read = Arc::clone(&read);
            next.run(request.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let len = frame.data_ref().map_or(0, Bytes::len);
                    read.fetch_add(len, Ordering::SeqCst);
                    frame
                }))
            }))
        }
    });
    let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)));
    let app = Router::new()
        .fallback(async || "handled")
        .layer(layer)
        .layer(counting);
    (Server::axum(app).await, read)
}

async fn within<F: Future>(name: &str, future: F) -> F::Output {
    timeout(Duration::from_secs(30), future)
        .await
        .unwrap_or_else(|_| panic!("{name}: hangs"))
}

/// Writes everything, piece by piece, and then reads.
async fn send_first(server: &Server, request: &http::Request<Bytes>) -> String {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let bytes = signed::bytes(request);
    for piece in bytes.chunks(64 * KIB) {
        stream.write_all(piece).await.unwrap();
        sleep(Duration::from_millis(2)).await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Source: field report F10.
#[tokio::test]
async fn a_peer_that_sends_first_and_reads_later_sees_why_it_is_refused() {
    let (server, _) = server().await;
    let body = vec![b'x'; 1_500_000];
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    let unsigned = signed::post("/", body.clone());
    let stale = signed::at(hour_ago.into(), &billing(), unsigned.clone());
    for (request, code) in [(unsigned, "missing_signature"), (stale, "expired")] {
        for _ in 0..8 {
            let answer = within(code, send_first(&server, &request)).await;
            assert_eq!(raw::status(&answer), 401, "{answer}");
            assert!(answer.contains(code), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_refused_body_is_read_up_to_the_bound_and_only_where_that_helps() {
    let (server, read) = server().await;
    let read = || read.swap(0, Ordering::SeqCst);
    let head = |len: usize, more: &str| {
        let (parts, ()) = signed::post("/", "").map(|_| ()).into_parts();
        let head = signed::head(&parts);
        format!("{head}{more}content-length: {len}\r\nconnection: close\r\n\r\n").into_bytes()
    };
    let exchange = async |name: &str, mut bytes: Vec<u8>, body: usize| {
        bytes.resize(bytes.len() + body, b'x');
        let mut stream = TcpStream::connect(server.addr()).await.unwrap();
        // A server that does not read resets the connection.
        let _: Result<(), _> = stream.write_all(&bytes).await;
        let mut answer = Vec::new();
        let _: Result<usize, _> = within(name, stream.read_to_end(&mut answer)).await;
        String::from_utf8(answer).unwrap()
    };
    let answer = exchange("the bound", head(2 * MIB, ""), 2 * MIB).await;
    assert_eq!(raw::status(&answer), 401);
    assert_eq!(read(), 2 * MIB, "read to the end");

    let answer = exchange("over the bound", head(2 * MIB + 1, ""), 0).await;
    assert_eq!(raw::status(&answer), 401);
    exchange("over the bound", head(2 * MIB + 1, ""), 100 * KIB).await;
    assert_eq!(read(), 0, "a longer body is not read");

    let expects = head(100 * KIB, "expect: 100-continue\r\n");
    let answer = exchange("sends expect: 100-continue", expects, 0).await;
    assert_eq!(raw::status(&answer), 401, "and not 100: {answer}");
    assert_eq!(read(), 0);

    // A peer that sends nothing gets its answer as well.
    let answer = exchange("silent", head(100 * KIB, ""), 10).await;
    assert_eq!(raw::status(&answer), 401);
    assert_eq!(read(), 10);

    // A body without a declared length and without an end is cut off.
    let (parts, ()) = signed::post("/", "").map(|_| ()).into_parts();
    let head = format!("{}transfer-encoding: chunked\r\n\r\n", signed::head(&parts));
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(64 * KIB)).into_bytes();
    let endless = async { while stream.write_all(&chunk).await.is_ok() {} };
    within("endless", endless).await;
    let read = read();
    assert!((2 * MIB..4 * MIB).contains(&read), "{read} bytes");
}

#[tokio::test]
async fn over_http2_a_refused_body_is_not_read() {
    let (server, read) = server().await;
    let client = client::http2::<Full<Bytes>>(server.addr());
    let request = signed::post("/", vec![b'x'; 1_500_000]).map(Full::new);
    let answer = within("HTTP/2", client.request(request)).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(read.load(Ordering::SeqCst), 0);
}
