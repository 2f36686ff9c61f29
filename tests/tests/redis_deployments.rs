//! The replay store on several servers: a failover by a sentinel, a cluster that loses a master,
//! and moving slots.

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

use std::time::Duration;

use countersign::{ClaimOutcome, ReplayClaim, ReplayStore, replay_conformance};
use countersign_redis::{RedisReplayStore, WarningKind};
use tests::redis::{
    RedisServer, RedisStores, Transport, claim, cli, cluster, replicated_over, until,
};

const LIFE: Duration = Duration::from_secs(335);

async fn decide(store: &RedisReplayStore, claim: &ReplayClaim) -> Result<ClaimOutcome, ()> {
    store.claim(claim.clone()).await.map_err(|_| ())
}

/// Returns the first successful answer.
async fn answer(store: &RedisReplayStore, claim: &ReplayClaim) -> ClaimOutcome {
    for _ in 0..600 {
        if let Ok(answer) = decide(store, claim).await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store did not recover");
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_failover_is_followed_without_a_restart_and_what_was_replicated_is_known() {
    let [mut master, replica, sentinel] = replicated_over(Transport::Plain);
    let port = replica.port().to_string();
    // The first sentinel does not run.
    let absent = tests::redis::free_port();
    let url = format!(
        "redis+sentinel://127.0.0.1:{absent},127.0.0.1:{}/main",
        sentinel.port()
    );
    let store = RedisReplayStore::from_url(&url).unwrap();
    let warnings = store.check().await.unwrap();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.kind == WarningKind::ClaimsUnreplicated),
        "{warnings:?}"
    );

    let before = claim("before", LIFE);
    assert_eq!(decide(&store, &before).await, Ok(ClaimOutcome::Fresh));
    until("the claim is replicated", || {
        replica.cli(&["dbsize"]) == "1"
    });
    master.kill();
    let meanwhile = decide(&store, &claim("meanwhile", LIFE)).await;
    assert_eq!(meanwhile, Err(()), "no replica has taken over yet");
    assert_eq!(answer(&store, &before).await, ClaimOutcome::Replayed);
    assert_eq!(
        answer(&store, &claim("after", LIFE)).await,
        ClaimOutcome::Fresh
    );

    // The old master returns and is made a replica, here by hand: sentinels may take minutes. It
    // answers clients accordingly.
    master.restart();
    master.cli(&["replicaof", "127.0.0.1", &port]);
    until("the old master is a replica", || {
        master.cli(&["info", "replication"]).contains("role:slave")
    });
    let old = RedisReplayStore::from_url(&master.url()).unwrap();
    assert_eq!(decide(&old, &claim("at the old one", LIFE)).await, Err(()));
    assert_eq!(decide(&store, &before).await, Ok(ClaimOutcome::Replayed));
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_demoted_master_is_replaced_within_the_claim() {
    let first = RedisServer::start(&[]);
    let second = RedisServer::start(&[]);
    let sentinel = RedisServer::sentinel(first.port());
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port());
    let store = RedisReplayStore::from_url(&url).unwrap();
    assert_eq!(
        decide(&store, &claim("at the first", LIFE)).await,
        Ok(ClaimOutcome::Fresh)
    );
    sentinel.cli(&["sentinel", "remove", "main"]);
    sentinel.cli(&[
        "sentinel",
        "monitor",
        "main",
        "127.0.0.1",
        &second.port().to_string(),
        "1",
    ]);
    first.cli(&["replicaof", "127.0.0.1", &second.port().to_string()]);
    // The connection is alive, and its server answers READONLY.
    assert_eq!(
        decide(&store, &claim("at the second", LIFE)).await,
        Ok(ClaimOutcome::Fresh)
    );
    assert_eq!(second.calls("set"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn the_store_passes_the_suite_on_a_cluster() {
    let servers = cluster(3, &[]);
    let url = format!("redis+cluster://127.0.0.1:{}", servers[1].port());
    replay_conformance::run_all(&RedisStores::at(&url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn a_lost_master_stops_its_own_slots_and_no_others() {
    let mut servers = cluster(3, &["--appendonly", "yes", "--appendfsync", "always"]);
    let seeds: Vec<_> = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}", server.port()))
        .collect();
    let url = format!("redis+cluster://{}", seeds.join(","));
    let store = RedisReplayStore::from_url(&url).unwrap();
    assert_eq!(store.check().await.unwrap(), []);
    let claims: Vec<_> = (0..300).map(|n| claim(&n.to_string(), LIFE)).collect();
    for claim in &claims {
        assert_eq!(decide(&store, claim).await, Ok(ClaimOutcome::Fresh));
    }
    let lost: usize = servers[2].cli(&["dbsize"]).parse().unwrap();
    assert!((50..150).contains(&lost), "{lost}");
    let count = async || {
        let answers = claims.iter().map(|claim| decide(&store, claim));
        let (mut known, mut unavailable) = (0, 0);
        for answer in futures::future::join_all(answers).await {
            match answer {
                Ok(ClaimOutcome::Replayed) => known += 1,
                Err(()) => unavailable += 1,
                Ok(other) => panic!("{other:?}"),
            }
        }
        (known, unavailable)
    };
    // One server hangs, and one does not run.
    servers[2].signal("STOP");
    assert_eq!(count().await, (300 - lost, lost), "hanging");
    assert_eq!(count().await, (300 - lost, lost), "hanging");
    servers[2].signal("CONT");
    servers[2].kill();
    assert_eq!(count().await, (300 - lost, lost), "not running");
    until("the others have noticed", || {
        servers[0].cli(&["cluster", "nodes"]).contains("fail")
    });
    assert_eq!(count().await, (300 - lost, lost), "noticed");
    servers[2].restart();
    for claim in &claims {
        assert_eq!(
            answer(&store, claim).await,
            ClaimOutcome::Replayed,
            "it is back"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis"]
async fn moving_slots_under_load_accept_no_claim_twice() {
    let servers = cluster(3, &[]);
    let url = format!("redis+cluster://127.0.0.1:{}", servers[0].port());
    let store = RedisReplayStore::from_url(&url).unwrap();
    let claims: Vec<_> = (0..500).map(|n| claim(&n.to_string(), LIFE)).collect();
    for claim in &claims {
        assert_eq!(decide(&store, claim).await, Ok(ClaimOutcome::Fresh));
    }
    let id = |server: &RedisServer| server.cli(&["cluster", "myid"]);
    let (from, to, port) = (id(&servers[0]), id(&servers[1]), servers[0].port());
    let moving = tokio::task::spawn_blocking(move || {
        let node = format!("127.0.0.1:{port}");
        cli(
            port,
            &[
                "--cluster",
                "reshard",
                &node,
                "--cluster-from",
                &from,
                "--cluster-to",
                &to,
                "--cluster-slots",
                "1500",
                "--cluster-yes",
            ],
        )
    });
    let mut rounds = 0;
    let mut unused = 0;
    while !moving.is_finished() || rounds < 2 {
        for claim in &claims {
            let answer = decide(&store, claim).await;
            assert_ne!(answer, Ok(ClaimOutcome::Fresh));
        }
        let new = claim(&format!("new {rounds}"), LIFE);
        if decide(&store, &new).await == Ok(ClaimOutcome::Fresh) {
            unused += 1;
            assert_ne!(decide(&store, &new).await, Ok(ClaimOutcome::Fresh));
        }
        rounds += 1;
    }
    moving.await.unwrap();
    assert!(unused > 0);
    for claim in &claims {
        assert_eq!(decide(&store, claim).await, Ok(ClaimOutcome::Replayed));
    }
    // A store that starts with the old map is redirected.
    assert!(servers[1].calls("set") > 0);
}
