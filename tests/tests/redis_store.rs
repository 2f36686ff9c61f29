//! The replay store on a real Redis: the conformance suite, the commands sent, and claims during an
//! outage.

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

#[path = "redis_store/acl.rs"]
mod acl;

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use countersign::{
    ClaimOutcome, ReplayClaim, ReplayStore, Timestamp, Unavailable, replay_conformance,
};
use countersign_redis::{RedisReplayStore, WarningKind};
use tests::redis::{RedisServer, RedisStores, claim};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const LIFE: Duration = Duration::from_secs(335);

fn store(server: &RedisServer) -> RedisReplayStore {
    RedisReplayStore::from_url(&server.url()).unwrap()
}

async fn decide(store: &RedisReplayStore, claim: &ReplayClaim) -> Result<ClaimOutcome, String> {
    store
        .claim(claim.clone())
        .await
        .map_err(|error| why(&error))
}

/// Returns the claim of a verifier whose clock shows `now`.
fn at(claim: &ReplayClaim, now: Timestamp) -> ReplayClaim {
    let mut claim = claim.clone();
    claim.now = now;
    claim
}

fn why(error: &Unavailable) -> String {
    let source = error.source().map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn the_store_passes_the_suite() {
    let server = RedisServer::start(&[]);
    replay_conformance::run_all(&RedisStores::at(&server.url())).await;
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_claim_is_one_command_with_a_relative_life() {
    let server = RedisServer::start(&[]);
    let store = store(&server);
    for (name, life, millis) in [
        ("the shortest", Duration::from_micros(1), 5001),
        ("an ordinary one", LIFE, 340_000),
    ] {
        let claim = claim(name, life);
        let before = server.calls("set");
        assert_eq!(
            decide(&store, &claim).await,
            Ok(ClaimOutcome::Fresh),
            "{name}"
        );
        let entry = base16ct::lower::encode_string(claim.key.as_bytes());
        let left = server.cli(&["pttl", &format!("countersign:replay:{entry}")]);
        let left: i64 = left.parse().unwrap();
        assert!((millis - 2000..=millis).contains(&left), "{name}: {left}");
        assert_eq!(server.calls("set"), before + 1, "{name}");
    }
    // An expired claim sends no command.
    let mut expired = claim("expired", LIFE);
    expired.expires_at = expired.now;
    assert_eq!(decide(&store, &expired).await, Ok(ClaimOutcome::Replayed));
    assert_eq!(server.calls("set"), 2);
}

/// The replicas' clocks differ by 5 seconds, and claims come at the limits of those clocks.
async fn expect_nothing_twice(
    server: &RedisServer,
    case: &str,
    shift: impl Fn(Timestamp) -> Timestamp,
) {
    let difference = Duration::from_secs(5);
    let replicas = [store(server), store(server)];
    let shifted = |name: &str, life| {
        let mut claim = claim(&format!("{case}: {name}"), life);
        claim.now = shift(claim.now);
        claim.signed_at = shift(claim.signed_at);
        claim.expires_at = shift(claim.expires_at);
        claim
    };
    for (name, life) in [
        ("the shortest", Duration::from_micros(1)),
        ("a short one", Duration::from_secs(5)),
        ("an ordinary one", LIFE),
        ("dated ahead", LIFE * 2),
    ] {
        let first = shifted(name, life);
        let behind = at(&first, first.now.saturating_sub(difference));
        let ahead = at(&first, first.now.saturating_add(difference));
        assert_eq!(
            decide(&replicas[0], &first).await,
            Ok(ClaimOutcome::Fresh),
            "{case}: {name}"
        );
        for copy in [&first, &behind, &ahead] {
            assert_eq!(
                decide(&replicas[1], copy).await,
                Ok(ClaimOutcome::Replayed),
                "{case}: {name}"
            );
        }
    }
    // The last possible claim of the other replica, plus the longest time it may take to reach the
    // server.
    let edge = shifted("edge", Duration::from_millis(500));
    assert_eq!(decide(&replicas[0], &edge).await, Ok(ClaimOutcome::Fresh));
    tokio::time::sleep(Duration::from_millis(4500)).await;
    let last = edge.expires_at.saturating_sub(Duration::from_micros(1));
    assert_eq!(
        decide(&store(server), &at(&edge, last)).await,
        Ok(ClaimOutcome::Replayed),
        "{case}"
    );
}

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Only differences are sent, so the distance between the verifiers' clocks and the server's does
/// not matter.
#[tokio::test]
#[ignore = "needs redis"]
async fn verifiers_ten_minutes_off_change_nothing() {
    let server = RedisServer::start(&[]);
    expect_nothing_twice(&server, "right", |now| now).await;
    expect_nothing_twice(&server, "ahead", |now| now.saturating_add(TEN_MINUTES)).await;
    expect_nothing_twice(&server, "late", |now| now.saturating_sub(TEN_MINUTES)).await;
}

#[tokio::test]
#[ignore = "needs valkey and libfaketime"]
async fn a_server_ten_minutes_off_changes_nothing() {
    let now = Timestamp::from(SystemTime::now());
    for (by, earliest) in [
        ("+600s", now.saturating_add(TEN_MINUTES)),
        ("-600s", now.saturating_sub(TEN_MINUTES)),
    ] {
        let server = RedisServer::start_with_clock_off(by);
        let clock = server.cli(&["time"]);
        let seconds: i64 = clock.lines().next().unwrap().parse().unwrap();
        let clock = Timestamp::from_unix_seconds(seconds.checked_add(1).unwrap());
        let latest = earliest.saturating_add(Duration::from_secs(300));
        assert!(earliest <= clock && clock <= latest, "{by}: {clock:?}");
        expect_nothing_twice(&server, by, |now| now).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn a_server_killed_under_load_refuses_and_comes_back_and_forgets_nothing() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = store(&server);
    let stop = Arc::new(AtomicBool::new(false));
    let [fresh, down] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..16)
        .map(|worker| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            let (fresh, down) = (Arc::clone(&fresh), Arc::clone(&down));
            tokio::spawn(async move {
                let mut accepted = Vec::new();
                for request in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let claim = claim(&format!("{worker} {request}"), LIFE);
                    // Longer than any claim may take: by then there must be an answer.
                    let answer =
                        tokio::time::timeout(Duration::from_secs(10), decide(&store, &claim));
                    match answer.await.expect("every claim is answered") {
                        Ok(ClaimOutcome::Fresh) => {
                            fresh.fetch_add(1, Ordering::SeqCst);
                            accepted.push(claim);
                        }
                        Ok(other) => panic!("an honest claim was {other:?}"),
                        Err(_) => {
                            down.fetch_add(1, Ordering::SeqCst);
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                    }
                }
                accepted
            })
        })
        .collect();
    let grown = async |count: &AtomicUsize| {
        let before = count.load(Ordering::SeqCst);
        while count.load(Ordering::SeqCst) < before + 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..2 {
        grown(&fresh).await;
        server.kill();
        grown(&down).await;
        server.restart();
        grown(&fresh).await;
    }
    stop.store(true, Ordering::SeqCst);
    for worker in workers {
        for claim in worker.await.unwrap() {
            assert_eq!(decide(&store, &claim).await, Ok(ClaimOutcome::Replayed));
        }
    }
}

/// A store without persistence keeps nothing across a restart. This shows that the test above can
/// fail.
#[tokio::test]
#[ignore = "needs redis"]
async fn a_server_without_persistence_forgets_on_restart_and_check_reports_it() {
    for (settings, expected) in [
        (&[][..], vec![WarningKind::ForgetsOnRestart]),
        (
            &["--appendonly", "yes", "--appendfsync", "everysec"],
            vec![WarningKind::ForgetsLastWrites],
        ),
        (&["--appendonly", "yes", "--appendfsync", "always"], vec![]),
    ] {
        let mut server = RedisServer::start(settings);
        let store = store(&server);
        let warnings = store.check().await.unwrap();
        let kinds: Vec<_> = warnings.iter().map(|warning| warning.kind).collect();
        assert_eq!(kinds, expected);
        let claim = claim("through a restart", LIFE);
        assert_eq!(decide(&store, &claim).await, Ok(ClaimOutcome::Fresh));
        server.restart();
        let answer = match decide(&store, &claim).await {
            // Entries that are still being loaded are missing.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                decide(&store, &claim).await
            }
            answer => answer,
        };
        let forgets = expected == [WarningKind::ForgetsOnRestart];
        let after = if forgets {
            ClaimOutcome::Fresh
        } else {
            ClaimOutcome::Replayed
        };
        assert_eq!(answer, Ok(after), "{settings:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_hanging_server_is_unavailable_until_it_continues() {
    let server = RedisServer::start(&[]);
    let store = store(&server);
    assert_eq!(
        decide(&store, &claim("before", LIFE)).await,
        Ok(ClaimOutcome::Fresh)
    );
    server.signal("STOP");
    for _ in 0..3 {
        assert!(decide(&store, &claim("hanging", LIFE)).await.is_err());
    }
    server.signal("CONT");
    let answer = loop {
        let answer = decide(&store, &claim("after", LIFE)).await;
        if answer.is_ok() {
            break answer;
        }
    };
    assert_eq!(answer, Ok(ClaimOutcome::Fresh));
    assert_eq!(
        decide(&store, &claim("before", LIFE)).await,
        Ok(ClaimOutcome::Replayed)
    );
}

/// The behaviour of a proxy on answers to `SET`.
#[derive(Clone, Copy)]
enum Swallow {
    First,
    All,
}

/// A proxy that breaks a connection when the answer to a `SET` has arrived.
async fn swallowing(server: u16, swallow: Swallow) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let swallowed = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let swallowed = Arc::clone(&swallowed);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (mut asked, mut answered) = ([0; 4096], [0; 16384]);
                loop {
                    tokio::select! {
                        read = client.read(&mut asked) => {
                            let Ok(read @ 1..) = read else { return };
                            server.write_all(&asked[..read]).await.unwrap();
                            let is_set = asked[..read].windows(3).any(|word| word == b"SET");
                            let breaks = match swallow {
                                Swallow::First => swallowed.load(Ordering::SeqCst) == 0,
                                Swallow::All => true,
                            };
                            if is_set && breaks {
                                swallowed.fetch_add(1, Ordering::SeqCst);
                                assert!(server.read(&mut answered).await.unwrap() > 0);
                                return;
                            }
                        }
                        read = server.read(&mut answered) => {
                            let Ok(read @ 1..) = read else { return };
                            client.write_all(&answered[..read]).await.unwrap();
                        }
                    }
                }
            });
        }
    });
    addr
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_claim_with_a_lost_answer_is_retried_once_and_is_fresh() {
    let server = RedisServer::start(&[]);
    let proxy = swallowing(server.port(), Swallow::First).await;
    let store = RedisReplayStore::from_url(&format!("redis://{proxy}")).unwrap();
    let claim = claim("lost", LIFE);
    assert_eq!(decide(&store, &claim).await, Ok(ClaimOutcome::Fresh));
    assert_eq!(server.calls("set"), 2, "it was executed twice");
    assert_eq!(decide(&store, &claim).await, Ok(ClaimOutcome::Replayed));
}

/// A proxy that forwards nothing on the first connection after a `SET` was sent.
async fn falling_silent(server: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut is_first = true;
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let falls_silent = std::mem::take(&mut is_first);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (mut asked, mut answered) = ([0; 4096], [0; 16384]);
                loop {
                    tokio::select! {
                        read = client.read(&mut asked) => {
                            let Ok(read @ 1..) = read else { return };
                            if falls_silent && asked[..read].windows(3).any(|word| word == b"SET") {
                                std::future::pending::<()>().await;
                            }
                            server.write_all(&asked[..read]).await.unwrap();
                        }
                        read = server.read(&mut answered) => {
                            let Ok(read @ 1..) = read else { return };
                            client.write_all(&answered[..read]).await.unwrap();
                        }
                    }
                }
            });
        }
    });
    addr
}

/// Through a layer whose deadline is shorter than the store's time limit for a connection.
#[tokio::test]
#[ignore = "needs redis"]
async fn a_silent_connection_is_replaced_even_if_every_claim_is_dropped_early() {
    for deadline in [150, 20] {
        let server = RedisServer::start(&[]);
        let proxy = falling_silent(server.port()).await;
        let store = RedisReplayStore::from_url(&format!("redis://{proxy}")).unwrap();
        store.check().await.unwrap();
        let deadline = Duration::from_millis(deadline);
        let mut answers = Vec::new();
        for number in 0..50 {
            let claim = claim(&format!("given up {number}"), LIFE);
            let answer = tokio::time::timeout(deadline, decide(&store, &claim)).await;
            answers.push(answer.is_ok_and(|answer| answer == Ok(ClaimOutcome::Fresh)));
        }
        assert!(!answers[0], "the first claim is dropped");
        assert!(answers[49], "{deadline:?}: {answers:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_claim_is_sent_twice_at_most() {
    let server = RedisServer::start(&[]);
    let proxy = swallowing(server.port(), Swallow::All).await;
    let store = RedisReplayStore::from_url(&format!("redis://{proxy}")).unwrap();
    let answer = decide(&store, &claim("lost", LIFE)).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(server.calls("set"), 2);
}

#[tokio::test]
#[ignore = "needs redis"]
async fn an_evicting_server_is_refused_unless_allowed() {
    let server = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]);
    let claim = claim("evicted", LIFE);
    let refused = decide(&store(&server), &claim).await.unwrap_err();
    assert!(
        refused.contains("expected maxmemory-policy noeviction, found allkeys-lru"),
        "{refused}"
    );
    let builder = RedisReplayStore::builder(&server.url()).unwrap();
    let allowed = builder.insecure_allow_eviction().build().unwrap();
    assert_eq!(decide(&allowed, &claim).await, Ok(ClaimOutcome::Fresh));
    let warnings = allowed.check().await.unwrap();
    assert_eq!(warnings[0].kind, WarningKind::Evicts);
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_server_with_an_unknown_policy_is_treated_as_evicting() {
    let server = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]);
    server.cli(&[
        "acl", "setuser", "verifier", "on", ">pass", "~*", "+@all", "-info",
    ]);
    let url = format!("redis://verifier:pass@127.0.0.1:{}", server.port());
    let store = RedisReplayStore::from_url(&url).unwrap();
    let error = store.claim(claim("evicted", LIFE)).await.unwrap_err();
    assert!(why(&error).contains("maxmemory-policy"), "{}", why(&error));
    let builder = RedisReplayStore::builder(&url).unwrap();
    let store = builder.insecure_allow_eviction().build().unwrap();
    assert_eq!(
        decide(&store, &claim("allowed", LIFE)).await,
        Ok(ClaimOutcome::Fresh)
    );
    let warnings = store.check().await.unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.kind == WarningKind::EvictionUnknown),
        "{warnings:?}"
    );
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_full_server_is_unavailable_and_evicts_nothing() {
    let server = RedisServer::start(&["--maxmemory", "3mb"]);
    let store = store(&server);
    let mut accepted = Vec::new();
    let full = loop {
        let claim = claim(&format!("{}", accepted.len()), LIFE);
        match decide(&store, &claim).await {
            Ok(ClaimOutcome::Fresh) => accepted.push(claim),
            Ok(other) => panic!("{other:?}"),
            Err(full) => break full,
        }
        assert!(accepted.len() < 100_000, "the server never gets full");
    };
    assert!(full.contains("OOM"), "{full}");
    assert!(accepted.len() > 100);
    for claim in &accepted {
        // A full server refuses the command. Any answer of such a server must refuse a copy.
        let answer = decide(&store, claim).await;
        assert!(
            matches!(answer, Err(_) | Ok(ClaimOutcome::Replayed)),
            "{answer:?}"
        );
    }
    server.cli(&["config", "set", "maxmemory", "0"]);
    for claim in &accepted {
        assert_eq!(decide(&store, claim).await, Ok(ClaimOutcome::Replayed));
    }
}
