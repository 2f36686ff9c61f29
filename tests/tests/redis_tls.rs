//! The replay store over TLS: one server, sentinels and a cluster.

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

use std::{error::Error, time::Duration};

use countersign::{ClaimOutcome, ReplayClaim, ReplayStore};
use countersign_redis::RedisReplayStore;
use tests::{
    certificates::Certificates,
    redis::{RedisServer, Transport, claim, cluster_over, replicated_over, until},
};

const LIFE: Duration = Duration::from_secs(335);

async fn decide(store: &RedisReplayStore, claim: &ReplayClaim) -> Result<ClaimOutcome, String> {
    store.claim(claim.clone()).await.map_err(|error| {
        let source = error.source().map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    })
}

/// A store that trusts the authority and presents its certificate.
fn store(url: &str, certificates: &Certificates) -> RedisReplayStore {
    RedisReplayStore::builder(url)
        .unwrap()
        .root_certificates_pem(&certificates.read("ca.pem"))
        .client_certificate_pem(
            &certificates.read("client.pem"),
            &certificates.read("client.key"),
        )
        .build()
        .unwrap()
}

#[tokio::test]
#[ignore = "needs redis and openssl"]
async fn tls_and_passwords_keep_strangers_out_on_both_sides() {
    let certificates = Certificates::new();
    let server = RedisServer::start_over(
        Transport::Tls(&certificates),
        &[
            "--user",
            "default",
            "off",
            "--user",
            "verifier",
            "on",
            ">hunter2",
            "~countersign:replay:*",
            "+set",
            "+hello",
            "+info",
        ],
    );
    let port = server.port();
    let url =
        |scheme: &str, password: &str| format!("{scheme}://verifier:{password}@127.0.0.1:{port}");
    let trusting = |url: &str| {
        RedisReplayStore::builder(url)
            .unwrap()
            .root_certificates_pem(&certificates.read("ca.pem"))
    };
    let right = store(&url("rediss", "hunter2"), &certificates);
    let request = claim("over TLS", LIFE);
    assert_eq!(decide(&right, &request).await, Ok(ClaimOutcome::Fresh));
    assert_eq!(decide(&right, &request).await, Ok(ClaimOutcome::Replayed));
    for (name, store) in [
        (
            "a wrong password",
            store(&url("rediss", "hunter3"), &certificates),
        ),
        (
            "no password",
            store(&format!("rediss://127.0.0.1:{port}"), &certificates),
        ),
        (
            "no certificate",
            trusting(&url("rediss", "hunter2")).build().unwrap(),
        ),
        (
            "an unknown authority",
            RedisReplayStore::builder(&url("rediss", "hunter2"))
                .unwrap()
                .client_certificate_pem(
                    &certificates.read("client.pem"),
                    &certificates.read("client.key"),
                )
                .build()
                .unwrap(),
        ),
        (
            "another name",
            store(
                &format!("rediss://verifier:hunter2@localhost:{port}"),
                &certificates,
            ),
        ),
        (
            "no TLS",
            RedisReplayStore::from_url(&url("redis", "hunter2")).unwrap(),
        ),
    ] {
        let told = decide(&store, &request).await.unwrap_err();
        assert!(!told.contains("hunter"), "{name}: {told}");
        assert_eq!(decide(&right, &request).await, Ok(ClaimOutcome::Replayed));
    }
}

#[tokio::test]
#[ignore = "needs redis and openssl"]
async fn a_failover_is_followed_over_tls() {
    let certificates = Certificates::new();
    let [mut master, replica, sentinel] = replicated_over(Transport::Tls(&certificates));
    let at = |scheme: &str| format!("{scheme}+sentinel://127.0.0.1:{}/main", sentinel.port());
    let shown = store(&at("rediss"), &certificates);
    let before = claim("before", LIFE);
    assert_eq!(decide(&shown, &before).await, Ok(ClaimOutcome::Fresh));
    for (name, store) in [
        (
            "no certificate",
            RedisReplayStore::builder(&at("rediss"))
                .unwrap()
                .root_certificates_pem(&certificates.read("ca.pem"))
                .build()
                .unwrap(),
        ),
        ("no TLS", RedisReplayStore::from_url(&at("redis")).unwrap()),
    ] {
        let told = decide(&store, &before).await;
        assert!(told.is_err(), "{name}: {told:?}");
    }
    until("the claim is replicated", || {
        replica.cli(&["dbsize"]) == "1"
    });
    master.kill();
    let mut answer = decide(&shown, &before).await;
    for _ in 0..600 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = decide(&shown, &before).await;
    }
    assert_eq!(answer, Ok(ClaimOutcome::Replayed));
    let after = claim("after", LIFE);
    assert_eq!(decide(&shown, &after).await, Ok(ClaimOutcome::Fresh));
}

#[tokio::test]
#[ignore = "needs redis and openssl"]
async fn every_master_of_a_cluster_is_reached_over_tls() {
    let certificates = Certificates::new();
    let servers = cluster_over(Transport::Tls(&certificates), 3, &[]);
    let at = |scheme: &str| format!("{scheme}+cluster://127.0.0.1:{}", servers[0].port());
    let shown = store(&at("rediss"), &certificates);
    let claims: Vec<_> = (0..60).map(|n| claim(&n.to_string(), LIFE)).collect();
    for expected in [ClaimOutcome::Fresh, ClaimOutcome::Replayed] {
        for claim in &claims {
            assert_eq!(decide(&shown, claim).await, Ok(expected));
        }
    }
    for server in &servers {
        assert!(server.calls("set") > 0, "a master without a claim");
    }
    let told = decide(
        &RedisReplayStore::from_url(&at("redis")).unwrap(),
        &claims[0],
    )
    .await;
    assert!(told.is_err(), "no TLS: {told:?}");
}
