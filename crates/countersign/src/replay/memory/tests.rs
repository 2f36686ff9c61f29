use std::{
    collections::HashSet,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    MemoryReplayStore,
    shard::PURGED_PER_CLAIM,
    store::{CLAIMS_PER_VISIT, SHARDS},
};
use crate::{
    key_id::KeyId,
    replay::{ClaimOutcome, ReplayClaim, ReplayKey, ReplayStore},
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

fn decide(store: &MemoryReplayStore, claim: &ReplayClaim) -> Result<ClaimOutcome, &'static str> {
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
    assert_eq!(decide(&store, &claim), Ok(ClaimOutcome::Fresh));
    assert!(store.seen(&claim.key));
    assert_eq!(decide(&store, &claim), Ok(ClaimOutcome::Replayed));
    assert_eq!(store.len(), 1);
}

#[test]
fn remembers_to_the_last_moment_of_an_entrys_life() {
    let store = store(10, 2);
    decide(&store, &claim("a", "n", 1000, 700)).unwrap();
    // Another caller's claims advance the clock and trigger the purge.
    assert_eq!(
        decide(&store, &claim("b", "1", 1400, 1000)),
        Ok(ClaimOutcome::Fresh)
    );
    assert_eq!(
        decide(&store, &claim("a", "n", 1000, 1000)),
        Ok(ClaimOutcome::Replayed)
    );
}

/// Returns the first of these nonces whose key is in the same shard.
fn beside(key: &ReplayKey, caller: &str, nonce: &str) -> String {
    let shard = |key: &ReplayKey| usize::from(key.as_bytes()[0]) % SHARDS;
    (0..10_000)
        .map(|number| format!("{nonce} {number}"))
        .find(|nonce| shard(&ReplayKey::new("", caller, nonce)) == shard(key))
        .unwrap()
}

#[test]
fn a_clock_set_back_reopens_nothing() {
    let store = store(10, 2);
    let first = claim("a", "n", 1000, 700);
    decide(&store, &first).unwrap();
    let other = beside(&first.key, "b", "1");
    decide(&store, &claim("b", &other, 3000, 2000)).unwrap();
    assert_eq!(store.len(), 1, "the expired entry was cleared away");
    assert_eq!(
        decide(&store, &claim("a", "n", 1000, 700)),
        Ok(ClaimOutcome::Replayed)
    );
    let never_seen = beside(&first.key, "a", "never seen");
    assert_eq!(
        decide(&store, &claim("a", &never_seen, 1001, 700)),
        Ok(ClaimOutcome::Replayed)
    );
    assert_eq!(
        decide(&store, &claim("a", &never_seen, 1002, 700)),
        Ok(ClaimOutcome::Fresh)
    );
}

#[test]
fn a_caller_over_its_quota_takes_nothing_from_another() {
    let store = store(2, 2);
    assert_eq!(store.capacity(), 4);
    for nonce in ["1", "2"] {
        assert_eq!(
            decide(&store, &claim("a", nonce, 1000, 700)),
            Ok(ClaimOutcome::Fresh)
        );
    }
    assert_eq!(
        decide(&store, &claim("a", "3", 1000, 700)),
        Ok(ClaimOutcome::OverQuota)
    );
    assert_eq!(
        decide(&store, &claim("a", "1", 1000, 700)),
        Ok(ClaimOutcome::Replayed),
        "nothing was evicted"
    );
    for nonce in ["1", "2"] {
        assert_eq!(
            decide(&store, &claim("b", nonce, 1000, 700)),
            Ok(ClaimOutcome::Fresh)
        );
    }
    assert_eq!(
        decide(&store, &claim("c", "1", 1000, 700)),
        Err("replay store"),
        "full is never fresh"
    );
}

#[test]
fn a_quota_comes_back_when_entries_expire_in_whatever_shard() {
    for (next, callers) in [("a", 2), ("b", 1)] {
        let store = store(40, callers);
        for nonce in 0..40 {
            decide(&store, &claim("a", &nonce.to_string(), 1000, 700)).unwrap();
        }
        for nonce in 40..80 {
            let nonce = nonce.to_string();
            assert_ne!(
                decide(&store, &claim(next, &nonce, 1300, 1000)),
                Ok(ClaimOutcome::Fresh)
            );
        }
        for nonce in 40..80 {
            let nonce = nonce.to_string();
            assert_eq!(
                decide(&store, &claim(next, &nonce, 1300, 1001)),
                Ok(ClaimOutcome::Fresh)
            );
        }
        assert_eq!(store.len(), 40);
    }
}

#[test]
fn each_caller_has_its_own_entries_back_when_they_expire_together() {
    let store = store(1, 2);
    let first = claim("a", "n", 1000, 700);
    assert_eq!(decide(&store, &first), Ok(ClaimOutcome::Fresh));
    let other = beside(&first.key, "b", "n");
    let other = claim("b", &other, 1000, 700);
    assert_eq!(decide(&store, &other), Ok(ClaimOutcome::Fresh));
    for caller in ["b", "a"] {
        let nonce = beside(&first.key, caller, "later");
        let later = claim(caller, &nonce, 2305, 2000);
        assert_eq!(decide(&store, &later), Ok(ClaimOutcome::Fresh), "{caller}");
    }
}

#[test]
fn drains_faster_than_it_fills() {
    let store = store(1_000_000, 1);
    for nonce in 0..10_000 {
        decide(&store, &claim("a", &nonce.to_string(), 1000, 700)).unwrap();
    }
    for nonce in 0..400 {
        decide(&store, &claim("a", &format!("later {nonce}"), 5000, 2000)).unwrap();
    }
    assert_eq!(store.len(), 400);
    assert_eq!(store.entries(), Some(400), "told without the lock");
}

#[test]
fn one_claim_clears_away_so_many_entries_and_the_next_the_rest() {
    let store = store(1_000_000, 1);
    let first = ReplayKey::new("", "a", "0");
    for number in 0..=PURGED_PER_CLAIM {
        let nonce = beside(&first, "a", &number.to_string());
        decide(&store, &claim("a", &nonce, 1000, 700)).unwrap();
    }
    for (number, left) in [1, 0, 0].into_iter().enumerate() {
        let nonce = beside(&first, "a", &format!("later {number}"));
        decide(&store, &claim("a", &nonce, 5000, 2000)).unwrap();
        assert_eq!(store.len(), left + number + 1);
    }
}

#[test]
fn an_identity_that_was_cleared_away_can_come_again_with_a_later_date() {
    let store = store(1, 1);
    for now in [1000, 2000, 3000] {
        let claim = claim("a", "n", now + 305, now);
        assert_eq!(decide(&store, &claim), Ok(ClaimOutcome::Fresh));
        assert_eq!(decide(&store, &claim), Ok(ClaimOutcome::Replayed));
    }
}

#[test]
fn a_shard_without_claims_is_drained_by_those_of_another() {
    let store = store(1_000_000, 1);
    for nonce in 0..500 {
        decide(&store, &claim("a", &nonce.to_string(), 1000, 700)).unwrap();
    }
    let claims = SHARDS * CLAIMS_PER_VISIT;
    let first = ReplayKey::new("", "a", "0");
    for number in 0..claims {
        let nonce = beside(&first, "a", &format!("later {number}"));
        decide(&store, &claim("a", &nonce, 5000, 2000)).unwrap();
    }
    assert_eq!(store.len(), claims);
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
        Ok(ClaimOutcome::Replayed)
    );
    assert_eq!(
        decide(&store, &claim("a", "2", 1005, 700)),
        Ok(ClaimOutcome::Fresh)
    );
}

#[test]
fn of_many_claims_at_once_exactly_one_is_fresh() {
    let store = store(10, 1);
    let fresh: usize = thread::scope(|scope| {
        let claims: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                scope.spawn(move || {
                    (0..1000)
                        .filter(|_| {
                            decide(&store, &claim("a", "n", 1000, 700)) == Ok(ClaimOutcome::Fresh)
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

/// Runs `count` on each of these threads, starting all at once, and adds up the results.
fn at_once(threads: usize, count: impl Fn(usize) -> usize + Sync) -> usize {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, count) = (&start, &count);
                scope.spawn(move || {
                    start.wait();
                    count(thread)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

#[test]
fn threads_at_once_fill_a_quota_exactly_and_each_identity_once() {
    for _ in 0..20 {
        let store = store(100, 2);
        // All threads claim the same 150 nonces, each from a different start.
        let fresh = at_once(8, |thread| {
            (0..150)
                .map(|at| claim("a", &((at + thread * 19) % 150).to_string(), 1000, 700))
                .filter(|claim| decide(&store, claim) == Ok(ClaimOutcome::Fresh))
                .count()
        });
        assert_eq!(fresh, 100);
        assert_eq!(store.len(), 100);
        assert_eq!(
            decide(&store, &claim("b", "1", 1000, 700)),
            Ok(ClaimOutcome::Fresh)
        );
    }
}

#[test]
fn threads_at_once_fill_the_store_exactly() {
    for _ in 0..20 {
        let store = store(100, 2);
        let fresh = at_once(6, |thread| {
            let caller = ["a", "b", "c"][thread % 3];
            (0..80)
                .map(|at| claim(caller, &format!("{thread} {at}"), 1000, 700))
                .filter(|claim| decide(&store, claim) == Ok(ClaimOutcome::Fresh))
                .count()
        });
        assert_eq!(fresh, 200);
        assert_eq!(store.len(), store.capacity());
    }
}

#[test]
fn what_threads_at_once_clear_away_comes_back_exactly() {
    let store = store(300, 1);
    let clock = AtomicUsize::new(10_000);
    // The nonce contains its expiry. So each nonce is fresh at most once, however the threads'
    // clocks differ.
    let nonces = Mutex::new(HashSet::new());
    at_once(4, |thread| {
        for number in 0..5_000 {
            let now = clock.fetch_add(usize::from(number % 4 == 0), Ordering::Relaxed);
            let expires = now + 50 + thread % 2;
            let nonce = format!("{expires} {}", number % 7);
            let claim = claim(
                "a",
                &nonce,
                i64::try_from(expires).unwrap(),
                i64::try_from(now).unwrap(),
            );
            if decide(&store, &claim) == Ok(ClaimOutcome::Fresh) {
                assert!(nonces.lock().unwrap().insert(nonce), "fresh twice");
            }
            assert!(store.len() <= 300);
        }
        0
    });
    assert!(nonces.lock().unwrap().len() > 300, "the store was drained");
    // The counts are exact: there is room for the quota, and for no more.
    let fresh = (0..1_000)
        .filter(|number| {
            decide(
                &store,
                &claim("a", &format!("later {number}"), 99_000, 90_000),
            ) == Ok(ClaimOutcome::Fresh)
        })
        .count();
    assert_eq!(fresh, 300);
    assert_eq!(store.len(), 300);
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
