//! The application selects the TLS provider. This test has its own file, because a process has one
//! provider.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use countersign::ReplayStore;
use countersign_redis::RedisReplayStore;
use rustls::crypto::{CryptoProvider, GetRandomFailed, SecureRandom, ring};
use tests::redis::claim;
use tokio::{io::AsyncReadExt, net::TcpListener};

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Counts the calls for random bytes.
#[derive(Debug)]
struct Counting;

impl SecureRandom for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        ASKED.fetch_add(1, Ordering::Relaxed);
        ring::default_provider().secure_random.fill(bytes)
    }
}

#[tokio::test]
async fn a_store_uses_the_provider_that_the_application_installed() {
    let provider = CryptoProvider {
        secure_random: &Counting,
        ..ring::default_provider()
    };
    provider.install_default().expect("the first provider");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = RedisReplayStore::from_url(&format!("rediss://127.0.0.1:{port}")).unwrap();
    let server = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_u8().await.unwrap()
    };
    let claims = async {
        loop {
            let _ = store
                .claim(claim("a provider", Duration::from_secs(335)))
                .await;
            tokio::task::yield_now().await;
        }
    };
    let first_byte = tokio::select! {
        byte = server => byte,
        () = claims => unreachable!("claims are repeated without end"),
    };
    assert_eq!(first_byte, 22, "the type of a TLS handshake record");
    assert_ne!(ASKED.load(Ordering::Relaxed), 0);
}
