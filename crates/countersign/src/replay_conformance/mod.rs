//! A conformance suite for every [`ReplayStore`]: one case for each **must** of the trait.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use countersign::{MemoryReplayStore, Timestamp, replay_conformance::{Subject, run_all}};
//!
//! struct InMemory;
//!
//! impl Subject for InMemory {
//!     type Store = MemoryReplayStore;
//!
//!     async fn fresh(&self) -> MemoryReplayStore {
//!         MemoryReplayStore::new()
//!     }
//!
//!     async fn replica(&self, store: &MemoryReplayStore) -> MemoryReplayStore {
//!         store.clone()
//!     }
//!
//!     fn now(&self) -> Timestamp {
//!         SystemTime::now().into()
//!     }
//!
//!     async fn sleep(&self, duration: Duration) {
//!         tokio::time::sleep(duration).await;
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! run_all(&InMemory).await;
//! # });
//! ```
//!
//! The suite needs no particular runtime and reads no clock: the [`Subject`] sleeps and returns the
//! time. It takes some seconds, to observe when a store forgets. It needs the feature
//! `replay-conformance` and is meant for the tests of a store.
//!
//! # The cases
//!
//! | case | a store that fails |
//! |---|---|
//! | `the_first_claim_is_fresh_and_every_later_one_replayed` | remembers nothing |
//! | `another_replica_knows_what_was_claimed` | remembers in one process only |
//! | `of_claims_at_once_exactly_one_is_fresh` | reads first and writes later |
//! | `keys_that_differ_in_one_bit_are_two_identities` | truncates keys, or reads them as text |
//! | `the_key_alone_is_the_identity` | adds the caller or the date to the key |
//! | `an_expired_claim_is_replayed` | ignores `now` |
//! | `the_shortest_life_is_taken` | rounds a lifetime down to zero |
//! | `an_identity_is_remembered_until_it_expires` | forgets early |
//! | `a_claim_that_comes_again_shortens_no_life` | overwrites the expiry with that of a copy |
//! | `nothing_is_evicted` | keeps only the latest entries |
//! | `a_clock_set_back_reopens_nothing` | does not record how far it purged |
//! | `a_long_life_is_kept` | overflows, or limits the lifetime |
//! | `seen_knows_only_what_was_claimed` | refuses valid requests |
//! | `a_claim_without_an_answer_at_once_was_not_made` | claims, then wants another call |
//! | `an_abandoned_claim_lets_nothing_through_twice` | releases a later request's claim |
//! | `a_store_cut_off_is_unavailable` | accepts everything in an outage, or never answers |
//! | `each_store_has_an_id_of_its_own` | takes two stores for one |
//!
//! The suite cannot check whether a store keeps its entries through a restart or failover of its
//! backend. Check that in the store's own tests and documentation.

mod cases;
mod join;

use std::{fmt, future::Future, time::Duration};

use crate::{replay::ReplayStore, timestamp::Timestamp};

/// A store under test, and its clock.
pub trait Subject: Sync {
    /// The type of the store.
    type Store: ReplayStore;

    /// Makes an empty store that shares no entries with earlier ones.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// Returns the same entries as another replica sees them: another connection, or another handle
    /// if the store lives in one process.
    fn replica(&self, store: &Self::Store) -> impl Future<Output = Self::Store> + Send;

    /// Returns the present moment by the clock of the verifiers.
    fn now(&self) -> Timestamp;

    /// Waits, by the same clock.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// Returns a store that cannot reach its backend. `None`, the default, if there is no backend;
    /// the outage case is then skipped.
    fn cut_off(&self) -> impl Future<Output = Option<Self::Store>> + Send {
        std::future::ready(None)
    }

    /// Returns the longest time for which an entry may remain after its expiry. The suite waits
    /// this long before it checks. Default: 2 seconds.
    fn forgotten_after(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// Returns the number of entries for the eviction case. Default: 5,000.
    fn entries(&self) -> usize {
        5000
    }
}

/// A violated requirement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The case that failed.
    pub case: &'static str,
    /// The expected and the found value.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.found)
    }
}

macro_rules! suite {
    ($($case:ident)*) => {
        /// The names of all cases in running order.
        pub const CASES: &[&str] = &[$(stringify!($case)),*];

        /// Runs every case, each on a new store, and returns the failures.
        pub async fn violations<S: Subject>(subject: &S) -> Vec<Violation> {
            let mut violations = Vec::new();
            $(
                if let Err(found) = cases::$case(subject).await {
                    violations.push(Violation { case: stringify!($case), found });
                }
            )*
            violations
        }
    };
}

suite! {
    the_first_claim_is_fresh_and_every_later_one_replayed
    another_replica_knows_what_was_claimed
    of_claims_at_once_exactly_one_is_fresh
    keys_that_differ_in_one_bit_are_two_identities
    the_key_alone_is_the_identity
    an_expired_claim_is_replayed
    the_shortest_life_is_taken
    an_identity_is_remembered_until_it_expires
    a_claim_that_comes_again_shortens_no_life
    nothing_is_evicted
    a_clock_set_back_reopens_nothing
    a_long_life_is_kept
    seen_knows_only_what_was_claimed
    a_claim_without_an_answer_at_once_was_not_made
    an_abandoned_claim_lets_nothing_through_twice
    a_store_cut_off_is_unavailable
    each_store_has_an_id_of_its_own
}

/// Runs every case, each on a new store.
///
/// # Panics
///
/// Panics if a case fails, with the names and findings of all failed cases.
#[expect(clippy::panic, reason = "this is how a test says that it failed")]
pub async fn run_all<S: Subject>(subject: &S) {
    let violations = violations(subject).await;
    if !violations.is_empty() {
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        panic!("not a replay store:\n{}", lines.join("\n"));
    }
}
