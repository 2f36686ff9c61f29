//! A server in a separate process, so that a test can watch its memory.
//!
//! Arguments: the greatest body, the budget of all bodies, and one caller's share of it, in bytes.
//! It prints the port it listens on. Each line on its input is answered with one number, how many
//! bytes of bodies the server has read so far. The line `release` also releases the bodies that the
//! handler holds. It ends with its input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    io::{BufRead, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    routing::post,
};
use http_body_util::BodyExt;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tests::{keys, signed::AUTHORITY};
use tokio::{net::TcpListener, sync::Notify};
use tower_countersign::{BodyLimits, VerifyLayer};

/// hyper's own buffer of a connection, which it lets grow to 400 KiB by default: small, so that the
/// measured memory is the memory of bodies.
const CONNECTION_BYTES: usize = 16 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse().unwrap());
    let limits = BodyLimits::default()
        .with_max_bytes(sizes.next().unwrap())
        .with_total_bytes(sizes.next().unwrap())
        .with_caller_bytes(sizes.next().unwrap())
        // Memory is measured: no load of the machine ends an upload.
        .with_deadline(Duration::from_secs(3600));
    let keys = keys::keyring("billing", &keys::hmac_key(keys::SECRET));
    let layer = VerifyLayer::new(keys)
        .with_expected_hosts([AUTHORITY])
        .unwrap()
        .with_body_limits(limits);

    let read = Arc::new(AtomicU64::new(0));
    let release = Arc::new(Notify::new());
    let counting = from_fn({
        let read = Arc::clone(&read);
        move |request: Request, next: Next| {
            let read = Arc::clone(&read);
            let request = request.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let len = frame.data_ref().map_or(0, bytes::Bytes::len);
                    read.fetch_add(u64::try_from(len).unwrap(), Ordering::SeqCst);
                    frame
                }))
            });
            next.run(request)
        }
    });
    let hold = {
        let release = Arc::clone(&release);
        async move |request: Request| {
            let release = Arc::clone(&release);
            let body = request.into_body();
            release.notified().await;
            drop(body);
            "held"
        }
    };
    let app = Router::new()
        .route("/hold", post(hold))
        .route("/", post(async || "handled"))
        .layer(layer)
        .layer(counting);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut output = std::io::stdout();
    writeln!(output, "{port}").unwrap();
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lock().lines() {
            if line.unwrap() == "release" {
                release.notify_waiters();
            }
            writeln!(output, "{}", read.load(Ordering::SeqCst)).unwrap();
        }
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server.http1().max_buf_size(CONNECTION_BYTES);
            // A peer that goes away is the test's own.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
