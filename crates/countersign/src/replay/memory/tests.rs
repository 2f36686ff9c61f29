use std::{
    collections::HashSet,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{MemoryReplayStore, store::SHARDS};
use crate::{
    key::KeyId,
    replay::{Claimed, ReplayClaim, ReplayKey, ReplayStore},
    timestamp::Timestamp,
};

fn store(quota: usize, callers: usize) -> MemoryReplayStore {
    MemoryReplayStore::builder()
        .quota_per_caller(quota)
        .callers(callers)
        .build()
        .unwrap()
}

fn claim(caller: &str, nonce: &str, expires_at: i64, now: i64) -> ReplayClaim {
    ReplayClaim::new(
        ReplayKey::new("", caller, nonce),
        KeyId::new(caller).unwrap(),
        Timestamp::from_unix_seconds(expires_at - 305),
        Timestamp::from_unix_seconds(expires_at),
        Timestamp::from_unix_seconds(now),
    )
}

fn decide(store: &MemoryReplayStore, claim: &ReplayClaim) -> Result<Claimed, &'static str> {
    store
        .try_claim(claim)
        .unwrap()
        .map_err(|error| error.what())
}

#[test]
fn lets_an_identity_through_once() {
    let store = store(10, 1);
    let claim = claim("a", "n", 1000, 700);
    assert!(!store.seen(&claim.key));
    assert_eq!(decide(&store, &claim), Ok(Claimed::Fresh));
    assert!(store.seen(&claim.key));
    assert_eq!(decide(&store, &claim), Ok(Claimed::Replayed));
    assert_eq!(store.len(), 1);
}

#[test]
fn remembers_to_the_last_moment_of_an_entrys_life() {
    let store = store(10, 2);
    decide(&store, &claim("a", "n", 1000, 700)).unwrap();
    // Another caller's claims move the clock and the purge along.
    assert_eq!(
        decide(&store, &claim("b", "1", 1400, 1000)),
        Ok(Claimed::Fresh)
    );
    assert_eq!(
        decide(&store, &claim("a", "n", 1000, 1000)),
        Ok(Claimed::Replayed)
    );
}

#[test]
fn a_clock_set_back_reopens_nothing() {
    let store = store(10, 2);
    decide(&store, &claim("a", "n", 1000, 700)).unwrap();
    decide(&store, &claim("b", "1", 3000, 2000)).unwrap();
    assert_eq!(store.len(), 1, "the expired entry was cleared away");
    assert_eq!(
        decide(&store, &claim("a", "n", 1000, 700)),
        Ok(Claimed::Replayed)
    );
    assert_eq!(
        decide(&store, &claim("a", "never seen", 1001, 700)),
        Ok(Claimed::Replayed)
    );
    assert_eq!(
        decide(&store, &claim("a", "later", 1002, 700)),
        Ok(Claimed::Fresh)
    );
}

#[test]
fn a_caller_over_its_quota_takes_nothing_from_another() {
    let store = store(2, 2);
    assert_eq!(store.capacity(), 4);
    for nonce in ["1", "2"] {
        assert_eq!(
            decide(&store, &claim("a", nonce, 1000, 700)),
            Ok(Claimed::Fresh)
        );
    }
    assert_eq!(
        decide(&store, &claim("a", "3", 1000, 700)),
        Ok(Claimed::OverQuota)
    );
    assert_eq!(
        decide(&store, &claim("a", "1", 1000, 700)),
        Ok(Claimed::Replayed),
        "nothing was evicted"
    );
    for nonce in ["1", "2"] {
        assert_eq!(
            decide(&store, &claim("b", nonce, 1000, 700)),
            Ok(Claimed::Fresh)
        );
    }
    assert_eq!(
        decide(&store, &claim("c", "1", 1000, 700)),
        Err("replay store"),
        "full is never fresh"
    );
}

#[test]
fn a_quota_comes_back_when_entries_expire() {
    let store = store(2, 1);
    for nonce in ["1", "2"] {
        decide(&store, &claim("a", nonce, 1000, 700)).unwrap();
    }
    assert_eq!(
        decide(&store, &claim("a", "3", 1300, 1000)),
        Ok(Claimed::OverQuota)
    );
    assert_eq!(
        decide(&store, &claim("a", "3", 1300, 1001)),
        Ok(Claimed::Fresh)
    );
}

#[test]
fn drains_faster_than_it_fills() {
    let store = store(1_000_000, 1);
    for nonce in 0..10_000 {
        decide(&store, &claim("a", &nonce.to_string(), 1000, 700)).unwrap();
    }
    for nonce in 0..200 {
        decide(&store, &claim("a", &format!("later {nonce}"), 5000, 2000)).unwrap();
    }
    assert_eq!(store.len(), 200);
    assert_eq!(store.entries(), Some(200), "told without the lock");
}

#[test]
fn refuses_dates_before_the_start_where_asked() {
    let start = Timestamp::from_unix_seconds(700);
    let store = MemoryReplayStore::builder()
        .refuse_dates_before(start)
        .build()
        .unwrap();
    assert_eq!(
        decide(&store, &claim("a", "1", 1004, 700)),
        Ok(Claimed::Replayed)
    );
    assert_eq!(
        decide(&store, &claim("a", "2", 1005, 700)),
        Ok(Claimed::Fresh)
    );
}

#[test]
fn of_many_claims_at_once_exactly_one_is_fresh() {
    let store = store(10, 1);
    let fresh: usize = std::thread::scope(|scope| {
        let claims: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                scope.spawn(move || {
                    (0..1000)
                        .filter(|_| {
                            decide(&store, &claim("a", "n", 1000, 700)) == Ok(Claimed::Fresh)
                        })
                        .count()
                })
            })
            .collect();
        claims
            .into_iter()
            .map(|claims| claims.join().unwrap())
            .sum()
    });
    assert_eq!(fresh, 1);
}

#[test]
fn refuses_sizes_of_nothing() {
    for (quota, callers) in [(0, 1), (1, 0), (usize::MAX, 2)] {
        assert!(
            MemoryReplayStore::builder()
                .quota_per_caller(quota)
                .callers(callers)
                .build()
                .is_err()
        );
    }
}
