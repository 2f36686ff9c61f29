//! The replay store in memory answers as a list of all accepted claims would, whatever is claimed
//! and however the clock moves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests panic where what they set up is wrong"
)]

use countersign::{
    ClaimOutcome, KeyId, MemoryReplayStore, ReplayClaim, ReplayKey, ReplayStore, Timestamp,
};
use proptest::prelude::*;

const QUOTA: usize = 6;
const CALLERS: usize = 2;

/// A claim as the properties make it: three callers where there is room for two, few nonces, and
/// seconds.
#[derive(Clone, Copy, Debug)]
struct Step {
    caller: u8,
    nonce: u8,
    life: i64,
    /// By how much the clock moves before the claim.
    moves: i64,
}

fn steps(moves: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<Step>> {
    let step =
        (0_u8..3, 0_u8..12, -1_i64..20, moves).prop_map(|(caller, nonce, life, moves)| Step {
            caller,
            nonce,
            life,
            moves,
        });
    prop::collection::vec(step, 1..200)
}

/// The accepted claims, and until when each must be remembered. An entry lives to the end of the
/// second in which it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    caller: u8,
    nonce: u8,
    expires: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Fresh,
    Replayed,
    OverQuota,
    Unavailable,
}

fn answer(store: &MemoryReplayStore, step: Step, now: i64) -> Answer {
    let caller = step.caller.to_string();
    let claim = ReplayClaim::new(
        ReplayKey::new("", &caller, &step.nonce.to_string()),
        KeyId::new(&caller).unwrap(),
        Timestamp::from_unix_seconds(now),
        Timestamp::from_unix_seconds(now + step.life),
        Timestamp::from_unix_seconds(now),
    );
    match store.try_claim(&claim).unwrap() {
        Ok(ClaimOutcome::Fresh) => Answer::Fresh,
        Ok(ClaimOutcome::Replayed) => Answer::Replayed,
        Ok(ClaimOutcome::OverQuota) => Answer::OverQuota,
        Ok(other) => panic!("{other:?}"),
        Err(_) => Answer::Unavailable,
    }
}

fn store() -> MemoryReplayStore {
    MemoryReplayStore::builder()
        .quota_per_caller(QUOTA)
        .callers(CALLERS)
        .build()
        .unwrap()
}

/// Entries that are not over at this moment, all of them and those of one caller.
fn live(entries: &[Entry], caller: u8, now: i64) -> (usize, usize) {
    let live = entries.iter().filter(|entry| entry.expires + 1 > now);
    let of_caller = live.clone().filter(|entry| entry.caller == caller);
    (live.count(), of_caller.count())
}

fn same(step: Step) -> impl Fn(&&Entry) -> bool {
    move |entry| entry.caller == step.caller && entry.nonce == step.nonce
}

proptest! {
    /// With a clock that never goes back, every answer is known: but for an identity that is over
    /// and was not yet cleared away, which may still be called a replay.
    #[test]
    fn answers_as_a_list_would_while_the_clock_goes_on(steps in steps(0_i64..6)) {
        let (store, mut entries, mut now) = (store(), Vec::<Entry>::new(), 10_000);
        for step in steps {
            now += step.moves;
            let (all, of_caller) = live(&entries, step.caller, now);
            let claimed = entries.iter().rev().find(same(step)).copied();
            let answer = answer(&store, step, now);
            let expected = if step.life <= 0 || claimed.is_some_and(|entry| entry.expires + 1 > now) {
                Answer::Replayed
            } else if of_caller >= QUOTA {
                Answer::OverQuota
            } else if all >= QUOTA * CALLERS {
                Answer::Unavailable
            } else {
                Answer::Fresh
            };
            let over = claimed.is_some() && answer == Answer::Replayed;
            prop_assert!(answer == expected || over, "{answer:?} for {expected:?}: {step:?} at {now}");
            if answer == Answer::Fresh {
                entries.push(Entry { caller: step.caller, nonce: step.nonce, expires: now + step.life });
            }
            prop_assert!(store.len() >= live(&entries, step.caller, now).0);
            prop_assert!(store.len() <= store.capacity());
            prop_assert_eq!(store.entries(), Some(store.len()));
            prop_assert_eq!(store.is_empty(), store.entries() == Some(0));
        }
    }

    /// However the clock moves, no claim is accepted twice in the time that it lives, no bound is
    /// passed, and nothing is refused without a reason.
    #[test]
    fn reopens_nothing_however_the_clock_moves(steps in steps(-30_i64..30)) {
        let (store, mut entries, mut now) = (store(), Vec::<Entry>::new(), 10_000);
        let mut latest = now;
        for step in steps {
            now += step.moves;
            latest = latest.max(now);
            let expires = now + step.life;
            let claimed = entries.iter().rev().find(same(step)).copied();
            match answer(&store, step, now) {
                Answer::Fresh => {
                    prop_assert!(expires > now);
                    if let Some(entry) = claimed {
                        prop_assert!(entry.expires < latest && entry.expires < expires, "{entry:?} again: {step:?} at {now}");
                    }
                    entries.push(Entry { caller: step.caller, nonce: step.nonce, expires });
                }
                Answer::Replayed => prop_assert!(claimed.is_some() || expires <= latest, "{step:?} at {now}"),
                Answer::OverQuota => prop_assert!(live(&entries, step.caller, now).1 >= QUOTA),
                Answer::Unavailable => prop_assert!(live(&entries, step.caller, now).0 >= QUOTA * CALLERS),
            }
            let (all, of_caller) = live(&entries, step.caller, latest);
            prop_assert!(of_caller <= QUOTA && all <= QUOTA * CALLERS);
            prop_assert!(store.len() >= all && store.len() <= store.capacity());
        }
    }
}
