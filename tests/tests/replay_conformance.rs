//! The suite of all replay stores. The in-memory store passes, and each store with one fault fails
//! in the case for that fault.

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

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use countersign::{
    ClaimOutcome, MemoryReplayStore, ReplayClaim, ReplayKey, ReplayStore, ReplayStoreId, Timestamp,
    Unavailable,
    replay_conformance::{self, CASES, Subject},
};

/// A clock that moves only while the suite sleeps. The verdict of a case then does not depend on
/// how long a loaded machine takes.
#[derive(Clone)]
struct SteppedClock(Arc<Mutex<Timestamp>>);

impl SteppedClock {
    fn new() -> Self {
        let start = Timestamp::from_unix_seconds(1_767_323_045);
        Self(Arc::new(Mutex::new(start)))
    }

    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        // The other half of a race is polled first.
        tokio::task::yield_now().await;
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(duration);
    }
}

struct InMemory {
    clock: SteppedClock,
}

impl Subject for InMemory {
    type Store = MemoryReplayStore;

    async fn fresh(&self) -> MemoryReplayStore {
        MemoryReplayStore::new()
    }

    async fn replica(&self, store: &MemoryReplayStore) -> MemoryReplayStore {
        store.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

#[tokio::test]
async fn the_store_in_memory_passes() {
    let clock = SteppedClock::new();
    replay_conformance::run_all(&InMemory { clock }).await;
}

/// The fault of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    RemembersNothing,
    NotShared,
    NotAtomic,
    NotAtomicInThreads,
    CutsKeys,
    KeysByCaller,
    KeysByDate,
    AcceptsExpired,
    RoundsDown,
    ForgetsEarly,
    ShortensLives,
    Evicts,
    ForgetsWithoutKnowing,
    KeepsAMinuteAtMost,
    SeesEverything,
    ClaimsWithoutAnswer,
    UndoesAbandoned,
    FreshInAnOutage,
    SilentInAnOutage,
    OneIdForAll,
}

#[derive(Clone)]
struct Faulty {
    fault: Fault,
    clock: SteppedClock,
    id: ReplayStoreId,
    out: bool,
    entries: Arc<Mutex<Entries>>,
}

#[derive(Default)]
struct Entries {
    ends: HashMap<Vec<u8>, Timestamp>,
    order: VecDeque<Vec<u8>>,
    purged: Option<Timestamp>,
    /// Entries that are removed as soon as they exist.
    doomed: HashSet<Vec<u8>>,
}

impl Faulty {
    fn name(&self, claim: &ReplayClaim) -> Vec<u8> {
        let key = claim.key.as_bytes();
        match self.fault {
            Fault::CutsKeys => key[..15].to_vec(),
            Fault::KeysByCaller => [key, claim.caller.as_str().as_bytes()].concat(),
            Fault::KeysByDate => {
                [&key[..], &claim.signed_at.as_unix_micros().to_be_bytes()].concat()
            }
            _ => key.to_vec(),
        }
    }

    fn has(&self, claim: &ReplayClaim) -> bool {
        let entries = self.entries.lock().unwrap();
        entries.ends.contains_key(&self.name(claim))
    }

    fn add(&self, claim: &ReplayClaim) {
        if self.fault == Fault::RemembersNothing {
            return;
        }
        let life = claim.expires_at.abs_diff(claim.now);
        let end = match self.fault {
            Fault::ForgetsEarly => claim.now.saturating_add(life / 2),
            Fault::KeepsAMinuteAtMost if life > Duration::from_secs(3600) => claim.now,
            _ => claim.expires_at,
        };
        let mut entries = self.entries.lock().unwrap();
        let name = self.name(claim);
        if entries.doomed.contains(&name) {
            return;
        }
        entries.order.push_back(name.clone());
        entries.ends.insert(name, end);
        if self.fault == Fault::Evicts && entries.order.len() > 1000 {
            let oldest = entries.order.pop_front().unwrap();
            entries.ends.remove(&oldest);
        }
    }

    fn judge(&self, claim: &ReplayClaim) -> Option<ClaimOutcome> {
        let mut entries = self.entries.lock().unwrap();
        let past: Vec<_> = entries
            .ends
            .iter()
            .filter(|(_, end)| **end <= claim.now)
            .map(|(name, end)| (name.clone(), *end))
            .collect();
        for (name, end) in past {
            entries.ends.remove(&name);
            entries.purged = entries.purged.max(Some(end));
        }
        let forgotten = entries
            .purged
            .is_some_and(|purged| claim.expires_at <= purged)
            && !matches!(
                self.fault,
                Fault::ForgetsWithoutKnowing | Fault::ForgetsEarly
            );
        if forgotten || claim.expires_at <= claim.now && self.fault != Fault::AcceptsExpired {
            return Some(ClaimOutcome::Replayed);
        }
        let life = claim.expires_at.abs_diff(claim.now);
        if self.fault == Fault::RoundsDown && life < Duration::from_millis(1) {
            return Some(ClaimOutcome::Replayed);
        }
        if self.fault == Fault::ShortensLives
            && let Some(end) = entries.ends.get_mut(&self.name(claim))
        {
            // The time left by the copy's clock, counted from now.
            *end = (*end).min(self.clock.now().saturating_add(life));
        }
        None
    }

    fn decide(&self, claim: &ReplayClaim) -> ClaimOutcome {
        if let Some(answer) = self.judge(claim) {
            return answer;
        }
        if self.has(claim) {
            return ClaimOutcome::Replayed;
        }
        if self.fault == Fault::NotAtomicInThreads {
            std::thread::yield_now();
            std::thread::sleep(Duration::from_micros(100));
        }
        self.add(claim);
        ClaimOutcome::Fresh
    }
}

/// Removes an entry unless told otherwise, so late that it also hits the next entry with that name.
struct Undo<'s>(&'s Faulty, Option<Vec<u8>>);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.1 {
            let mut entries = self.0.entries.lock().unwrap();
            entries.ends.remove(name);
            entries.doomed.insert(name.clone());
        }
    }
}

impl ReplayStore for Faulty {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        match (self.out, self.fault) {
            (true, Fault::FreshInAnOutage) => return Ok(ClaimOutcome::Fresh),
            (true, Fault::SilentInAnOutage) => std::future::pending().await,
            (true, _) => return Err(Unavailable::new("replay store")),
            _ => {}
        }
        match self.fault {
            Fault::NotAtomic => {
                if let Some(answer) = self.judge(&claim) {
                    return Ok(answer);
                }
                if self.has(&claim) {
                    return Ok(ClaimOutcome::Replayed);
                }
                tokio::task::yield_now().await;
                self.add(&claim);
                Ok(ClaimOutcome::Fresh)
            }
            Fault::UndoesAbandoned => {
                let answer = self.decide(&claim);
                if answer == ClaimOutcome::Fresh {
                    let mut undo = Undo(self, Some(self.name(&claim)));
                    tokio::task::yield_now().await;
                    undo.1 = None;
                }
                Ok(answer)
            }
            _ => Ok(self.decide(&claim)),
        }
    }

    fn try_claim(&self, claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        match self.fault {
            Fault::ClaimsWithoutAnswer => {
                self.decide(claim);
                None
            }
            Fault::NotAtomicInThreads if !self.out => Some(Ok(self.decide(claim))),
            _ => None,
        }
    }

    fn seen(&self, _key: &ReplayKey) -> bool {
        self.fault == Fault::SeesEverything
    }

    fn id(&self) -> ReplayStoreId {
        self.id
    }
}

struct Faults {
    fault: Fault,
    clock: SteppedClock,
    id: ReplayStoreId,
}

impl Faults {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            clock: SteppedClock::new(),
            id: ReplayStoreId::unique(),
        }
    }

    fn store(&self) -> Faulty {
        Faulty {
            fault: self.fault,
            clock: self.clock.clone(),
            id: match self.fault {
                Fault::OneIdForAll => self.id,
                _ => ReplayStoreId::unique(),
            },
            out: false,
            entries: Arc::default(),
        }
    }
}

impl Subject for Faults {
    type Store = Faulty;

    async fn fresh(&self) -> Faulty {
        self.store()
    }

    async fn replica(&self, store: &Faulty) -> Faulty {
        match self.fault {
            Fault::NotShared => self.store(),
            _ => store.clone(),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    async fn cut_off(&self) -> Option<Faulty> {
        Some(Faulty {
            out: true,
            ..self.store()
        })
    }

    fn forgotten_after(&self) -> Duration {
        Duration::ZERO
    }

    fn entries(&self) -> usize {
        1100
    }
}

/// Each fault is found by its case, and by no other case unless that case must notice it too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_faulty_store_fails_in_the_case_for_its_fault() {
    let everything: HashSet<_> = CASES.iter().copied().collect();
    let mut found = HashSet::new();
    let faults = [
        (Fault::None, &[][..]),
        (
            Fault::RemembersNothing,
            &["the_first_claim_is_fresh_and_every_later_one_replayed"],
        ),
        (
            Fault::NotShared,
            &["another_replica_knows_what_was_claimed"],
        ),
        (
            Fault::NotAtomic,
            &["of_claims_at_once_exactly_one_is_fresh"],
        ),
        (
            Fault::NotAtomicInThreads,
            &["of_claims_at_once_exactly_one_is_fresh"],
        ),
        (
            Fault::CutsKeys,
            &["keys_that_differ_in_one_bit_are_two_identities"],
        ),
        (Fault::KeysByCaller, &["the_key_alone_is_the_identity"]),
        (Fault::KeysByDate, &["the_key_alone_is_the_identity"]),
        (Fault::AcceptsExpired, &["an_expired_claim_is_replayed"]),
        (Fault::RoundsDown, &["the_shortest_life_is_taken"]),
        (
            Fault::ForgetsEarly,
            &["an_identity_is_remembered_until_it_expires"],
        ),
        (
            Fault::ShortensLives,
            &["a_claim_that_comes_again_shortens_no_life"],
        ),
        (Fault::Evicts, &["nothing_is_evicted"]),
        (
            Fault::ForgetsWithoutKnowing,
            &["a_clock_set_back_reopens_nothing"],
        ),
        (Fault::KeepsAMinuteAtMost, &["a_long_life_is_kept"]),
        (Fault::SeesEverything, &["seen_knows_only_what_was_claimed"]),
        (
            Fault::ClaimsWithoutAnswer,
            &["a_claim_without_an_answer_at_once_was_not_made"],
        ),
        (
            Fault::UndoesAbandoned,
            &["an_abandoned_claim_lets_nothing_through_twice"],
        ),
        (Fault::FreshInAnOutage, &["a_store_cut_off_is_unavailable"]),
        (Fault::SilentInAnOutage, &["a_store_cut_off_is_unavailable"]),
        (Fault::OneIdForAll, &["each_store_has_an_id_of_its_own"]),
    ];
    let running = faults.map(|(fault, expected)| {
        let faults = Faults::new(fault);
        let violations = tokio::spawn(async move { replay_conformance::violations(&faults).await });
        (fault, expected, violations)
    });
    for (fault, expected, violations) in running {
        let violations = violations.await.unwrap();
        let cases: Vec<_> = violations.iter().map(|violation| violation.case).collect();
        match fault {
            Fault::None => assert!(cases.is_empty(), "{violations:?}"),
            _ => assert!(
                expected.iter().all(|case| cases.contains(case)),
                "{fault:?}: {violations:?}"
            ),
        }
        found.extend(expected.iter().copied());
    }
    assert_eq!(found, everything, "every case has a store that fails it");
}

#[tokio::test]
#[should_panic(expected = "each_store_has_an_id_of_its_own: expected two ids of two stores")]
async fn a_run_says_which_case_failed() {
    replay_conformance::run_all(&Faults::new(Fault::OneIdForAll)).await;
}
