//! Users with few permissions: those of the README are enough, and missing ones are reported.

use std::{fs, path::Path};

use countersign::{ClaimOutcome, ReplayStore};
use countersign_redis::{RedisReplayStore, Warning, WarningKind};
use tests::redis::{RedisServer, Transport, claim, cluster, replicated_over};

use crate::{LIFE, why};

/// Returns the permissions in the README's row with this first cell.
fn commands(row: &str) -> String {
    let readme =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/countersign-redis/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let start = format!("| {row} |");
    let line = readme.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("the README has a row {start}"));
    // A bar is escaped in a table.
    line.split('`').nth(1).unwrap().replace("\\|", "|")
}

/// Creates a user with these permissions, and returns the part of its URL before the host.
fn user(server: &RedisServer, permissions: &str) -> &'static str {
    let mut command = vec!["acl", "setuser", "verifier", "reset", "on", ">pass"];
    command.extend(permissions.split(' '));
    let answer = server.cli(&command);
    assert_eq!(answer.trim(), "OK", "{permissions}");
    "verifier:pass@"
}

fn url(server: &RedisServer, permissions: &str, path: &str) -> String {
    let user = user(server, permissions);
    format!("redis://{user}127.0.0.1:{}{path}", server.port())
}

async fn expect_claims(store: &RedisReplayStore, name: &str) {
    let claim = claim(name, LIFE);
    for expected in [ClaimOutcome::Fresh, ClaimOutcome::Replayed] {
        match store.claim(claim.clone()).await {
            Ok(found) => assert_eq!(found, expected, "{name}"),
            Err(error) => panic!("{name}: {}", why(&error)),
        }
    }
}

fn kinds(warnings: &[Warning]) -> Vec<WarningKind> {
    warnings.iter().map(|warning| warning.kind).collect()
}

async fn checked(store: &RedisReplayStore) -> Vec<WarningKind> {
    match store.check().await {
        Ok(warnings) => kinds(&warnings),
        Err(error) => panic!("{}", why(&error)),
    }
}

/// Source: `check` failed for the user of the README, who may not run `PING`, and lost its
/// warnings.
#[tokio::test]
#[ignore = "needs redis"]
async fn the_permissions_of_the_readme_are_enough_and_check_reports_missing_ones() {
    let least = commands("every server");
    let further = commands("all warnings of check");
    let complete = format!("{least} {further}");
    for (settings, permissions, expected) in [
        (&[][..], &least, vec![WarningKind::ForgetsOnRestart]),
        (
            &["--appendonly", "yes"],
            &least,
            vec![WarningKind::PersistenceUnknown],
        ),
        (
            &["--appendonly", "yes"],
            &complete,
            vec![WarningKind::ForgetsLastWrites],
        ),
        (
            &["--appendonly", "yes", "--appendfsync", "always"],
            &complete,
            vec![],
        ),
    ] {
        let server = RedisServer::start(settings);
        let store = RedisReplayStore::from_url(&url(&server, permissions, "")).unwrap();
        expect_claims(&store, permissions).await;
        assert_eq!(
            checked(&store).await,
            expected,
            "{settings:?} {permissions}"
        );
    }
}

#[tokio::test]
#[ignore = "needs redis"]
async fn another_database_needs_select_as_the_readme_says() {
    let server = RedisServer::start(&[]);
    let least = commands("every server");
    let selecting = format!("{least} {}", commands("a database other than 0"));
    let store = RedisReplayStore::from_url(&url(&server, &selecting, "/3")).unwrap();
    expect_claims(&store, "selected").await;
    let store = RedisReplayStore::from_url(&url(&server, &least, "/3")).unwrap();
    assert!(store.claim(claim("not selected", LIFE)).await.is_err());
}

#[tokio::test]
#[ignore = "needs redis"]
async fn the_permissions_of_the_readme_are_enough_with_sentinels() {
    let [master, replica, sentinel] = replicated_over(Transport::Plain);
    let least = commands("every server");
    for server in [&master, &replica] {
        user(server, &least);
    }
    let permissions = commands("sentinels, with a separate user");
    let answer = sentinel.cli(
        &[
            &["acl", "setuser", "asker", "reset", "on", ">word"][..],
            &permissions.split(' ').collect::<Vec<_>>(),
        ]
        .concat(),
    );
    assert_eq!(answer.trim(), "OK");
    let url = format!(
        "redis+sentinel://verifier:pass@127.0.0.1:{}/main",
        sentinel.port()
    );
    let store = RedisReplayStore::builder(&url)
        .unwrap()
        .sentinel_username("asker")
        .sentinel_password("word")
        .build()
        .unwrap();
    expect_claims(&store, "by sentinels").await;
    let found = checked(&store).await;
    assert!(
        found.contains(&WarningKind::ReplicationUnknown),
        "there is a replica, and CONFIG GET is not permitted: {found:?}"
    );
}

#[tokio::test]
#[ignore = "needs redis"]
async fn the_permissions_of_the_readme_are_enough_in_a_cluster() {
    let servers = cluster(3, &[]);
    let least = commands("every server");
    let in_cluster = format!("{least} {}", commands("nodes of a cluster"));
    for server in &servers {
        user(server, &in_cluster);
    }
    let url = format!(
        "redis+cluster://verifier:pass@127.0.0.1:{}",
        servers[0].port()
    );
    let store = RedisReplayStore::from_url(&url).unwrap();
    for number in 0..30 {
        expect_claims(&store, &format!("slot {number}")).await;
    }
    let found = checked(&store).await;
    let of = |kind| found.iter().filter(|found| **found == kind).count();
    assert_eq!(of(WarningKind::CoverageUnknown), 3, "{found:?}");
    assert_eq!(of(WarningKind::ForgetsOnRestart), 3, "{found:?}");

    // Without INFO, claims are refused, and check reports each master.
    for server in &servers {
        user(server, &in_cluster.replace("+info", "-info"));
    }
    let store = RedisReplayStore::from_url(&url).unwrap();
    assert!(store.claim(claim("no info", LIFE)).await.is_err());
    let found = checked(&store).await;
    let refused = found
        .iter()
        .filter(|found| **found == WarningKind::ClaimsRefused);
    assert_eq!(refused.count(), 3, "{found:?}");
}

/// Source: the README promised that such a server is accepted, and the store refused it. Anyone who
/// fills its memory could evict nonces unnoticed, so accepting it needs an explicit setting.
#[tokio::test]
#[ignore = "needs redis"]
async fn a_user_who_may_not_run_info_is_refused_by_name_until_that_is_allowed() {
    let server = RedisServer::start(&[]);
    let least = commands("every server");
    for permissions in [
        least.replace("+info", "-info"),
        "~countersign:replay:* +@all -@dangerous".to_owned(),
    ] {
        let url = url(&server, &permissions, "");
        let store = RedisReplayStore::from_url(&url).unwrap();
        let error = store.claim(claim("refused", LIFE)).await.unwrap_err();
        assert!(
            why(&error).ends_with("expected maxmemory-policy noeviction, found an unknown policy: permit the user INFO, or see insecure_assume_noeviction"),
            "{}",
            why(&error)
        );
        let warnings = store.check().await.unwrap();
        let unknown = [
            WarningKind::PersistenceUnknown,
            WarningKind::ReplicationUnknown,
        ];
        let expected = |first| [&[first][..], &unknown].concat();
        assert_eq!(kinds(&warnings), expected(WarningKind::ClaimsRefused));
        assert_eq!(
            warnings[0].to_string(),
            "claims are refused: maxmemory-policy is unknown, because INFO is not permitted"
        );
        let builder = RedisReplayStore::builder(&url).unwrap();
        let store = builder.insecure_assume_noeviction().build().unwrap();
        expect_claims(&store, &format!("assumed: {permissions}")).await;
        assert_eq!(
            checked(&store).await,
            expected(WarningKind::EvictionUnknown)
        );
    }
}

#[tokio::test]
#[ignore = "needs redis"]
async fn a_server_that_reports_eviction_is_refused_despite_the_assumption() {
    let server = RedisServer::start(&["--maxmemory-policy", "volatile-ttl"]);
    let builder = RedisReplayStore::builder(&server.url()).unwrap();
    let store = builder.insecure_assume_noeviction().build().unwrap();
    let error = store.claim(claim("evicted", LIFE)).await.unwrap_err();
    assert!(
        why(&error).contains("found volatile-ttl"),
        "{}",
        why(&error)
    );
    assert!(store.check().await.is_err());
    // An earlier permission is not withdrawn.
    let builder = RedisReplayStore::builder(&server.url()).unwrap();
    let builder = builder
        .insecure_allow_eviction()
        .insecure_assume_noeviction();
    expect_claims(&builder.build().unwrap(), "allowed").await;
}

#[tokio::test]
#[ignore = "needs redis"]
async fn an_unreachable_server_is_an_error_and_no_warning() {
    let mut server = RedisServer::start(&[]);
    let store = RedisReplayStore::from_url(&url(&server, &commands("every server"), "")).unwrap();
    assert_eq!(checked(&store).await, [WarningKind::ForgetsOnRestart]);
    server.kill();
    assert!(store.check().await.is_err());
}
