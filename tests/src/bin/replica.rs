//! One replica of a service, in a separate process.
//!
//! Arguments: the URL of the replay store, and by how many seconds its clock is ahead. It prints
//! the port it listens on and ends with its input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    io::{Read, Write},
    time::{Duration, SystemTime},
};

use axum::{Router, routing::any};
use countersign::Timestamp;
use countersign_redis::RedisReplayStore;
use tests::{keys, signed::AUTHORITY};
use tokio::net::TcpListener;
use tower_countersign::VerifyLayer;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let nonces = RedisReplayStore::from_url(&arguments.next().unwrap()).unwrap();
    let ahead: i64 = arguments.next().unwrap().parse().unwrap();
    let clock = move || {
        let now = Timestamp::from(SystemTime::now());
        let by = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 {
            now.saturating_sub(by)
        } else {
            now.saturating_add(by)
        }
    };
    let layer = VerifyLayer::new(keys::keyring("billing", &keys::hmac_key(keys::SECRET)))
        .with_expected_hosts([AUTHORITY])
        .unwrap()
        .with_clock(clock)
        .with_replay_store(nonces);
    let app = Router::new()
        .route("/", any(async || "handled"))
        .layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut output = std::io::stdout();
    writeln!(output, "{port}").unwrap();
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    axum::serve(listener, app).await.unwrap();
}
