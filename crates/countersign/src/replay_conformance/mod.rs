//! One suite for every [`ReplayStore`]: what the trait says a store **must** do, as cases that fail where it does not.
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
//! The suite needs no runtime of its own and reads no clock: the [`Subject`] sleeps and tells the time. It takes some seconds,
//! because a store must be seen to remember. It is behind the feature `replay-conformance`, for the tests of a store.
//!
//! # The cases
//!
//! | case | a store that fails it |
//! |---|---|
//! | `the_first_claim_is_fresh_and_every_later_one_replayed` | remembers nothing |
//! | `another_replica_knows_what_was_claimed` | remembers in one process |
//! | `of_claims_at_once_exactly_one_is_fresh` | asks first and writes then |
//! | `keys_that_differ_in_one_bit_are_two_identities` | cuts keys, or reads them as text |
//! | `the_key_alone_is_the_identity` | takes the caller or the date into the key |
//! | `an_expired_claim_is_replayed` | does not look at `now` |
//! | `the_shortest_life_is_taken` | rounds a life down to nothing |
//! | `an_identity_is_remembered_until_it_expires` | forgets early |
//! | `a_claim_that_comes_again_shortens_no_life` | writes the time left of each copy |
//! | `nothing_is_evicted` | keeps the latest so many |
//! | `a_clock_set_back_reopens_nothing` | does not know what it has forgotten |
//! | `a_long_life_is_kept` | overflows, or keeps for so long at most |
//! | `seen_knows_only_what_was_claimed` | turns honest requests away |
//! | `a_claim_without_an_answer_at_once_was_not_made` | claims, and asks to be asked again |
//! | `an_abandoned_claim_lets_nothing_through_twice` | takes back, for a request that went away, what the next one claimed |
//! | `a_store_cut_off_is_unavailable` | lets everything through in an outage, or never answers |
//! | `each_store_has_an_id_of_its_own` | takes two stores for one |
//!
//! What no suite can see from outside: whether a store keeps its promise through a restart or a failover of what it stands
//! on. That is for the store's own tests and documentation.

mod cases;
mod join;

use std::{fmt, future::Future, time::Duration};

use crate::{replay::ReplayStore, timestamp::Timestamp};

/// A kind of store under test, and the time that passes for it.
pub trait Subject: Sync {
    /// The store.
    type Store: ReplayStore;

    /// A store without entries that shares none with those made before.
    fn fresh(&self) -> impl Future<Output = Self::Store> + Send;

    /// The same entries as another replica has them: another connection to them, or where there is one process only, another
    /// handle.
    fn replica(&self, store: &Self::Store) -> impl Future<Output = Self::Store> + Send;

    /// The present moment, by the clock that verifiers go by.
    fn now(&self) -> Timestamp;

    /// Waits, by the same clock.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// A store that cannot reach what it stands on. `None`, the provided answer, if there is nothing it could lose; the
    /// case of an outage is then left out.
    fn cut_off(&self) -> impl Future<Output = Option<Self::Store>> + Send {
        std::future::ready(None)
    }

    /// How long after its end an entry may stay, at most: the suite waits for so long to see what is forgotten. 2 seconds
    /// unless overridden.
    fn forgotten_after(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// How many entries are made to see that none is evicted. 5,000 unless overridden.
    fn entries(&self) -> usize {
        5000
    }
}

/// What a store did that it must not do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The case that failed.
    pub case: &'static str,
    /// What was expected, and what was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.found)
    }
}

macro_rules! suite {
    ($($case:ident)*) => {
        /// The names of all cases, in the order in which they run.
        pub const CASES: &[&str] = &[$(stringify!($case)),*];

        /// Runs every case, each on a store of its own, and says which failed.
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

/// Runs every case, each on a store of its own.
///
/// # Panics
///
/// If a case fails, with the names of those that did and what they found.
#[expect(clippy::panic, reason = "this is how a test says that it failed")]
pub async fn run_all<S: Subject>(subject: &S) {
    let violations = violations(subject).await;
    if !violations.is_empty() {
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        panic!("not a replay store:\n{}", lines.join("\n"));
    }
}
