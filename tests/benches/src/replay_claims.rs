//! What a claim takes in the replay store in memory: among few and among many, and while another
//! thread claims as well.
//!
//! The stores are kept at a number of live entries: time goes on with each claim, so that as many
//! expire as are added.

use std::time::Duration;

use countersign::{
    ClaimOutcome, KeyId, MemoryReplayStore, ReplayClaim, ReplayKey, ReplayStore, Timestamp,
};

use crate::case::{Case, Group};

/// The name of the group of one thread.
pub const NAME: &str = "claim a nonce";
/// The name of the case with few entries.
pub const FEW: &str = "1,000 live entries";
/// The name of the case with a thousand times as many.
pub const MANY: &str = "1,000,000 live entries";

/// The name of the case without anybody else.
pub const ALONE: &str = "one thread";
/// The name of the case that shows what the machine gives to two threads.
pub const APART: &str = "two threads, a store each";
/// The name of the case under contention.
pub const TOGETHER: &str = "two threads, one store";

/// The life of an entry with nothing set: window, body deadline and clock difference.
const LIFE: Duration = Duration::from_secs(335);

/// Every group.
pub fn groups() -> Vec<Group> {
    let alone = [(FEW, 1_000), (MANY, 1_000_000)].map(|(name, live)| {
        let mut claims = Claims::new(live, 1);
        Case::consuming(name, move || claims.next(), |claim| claim.make())
    });
    // A thousand times as many entries miss the caches and are not searched one by one.
    let mut groups = vec![Group::new(NAME, alone.into()).at_most(MANY, 10.0, FEW)];
    groups.extend([100_000, 1_000_000].map(contended));
    groups
}

/// Claims of one caller on one thread and on two. Two threads on one store are to get at least 0.7
/// of what one gets: beyond that, they would only wait.
fn contended(live: u64) -> Group {
    let cases = [(ALONE, 1, 1), (APART, 2, 2), (TOGETHER, 2, 1)].map(|(name, threads, stores)| {
        let mut claims = Claims::new(live, stores);
        Case::at_once(name, threads, move || claims.next(), Claim::make)
    });
    Group::new(
        format!("claim nonces at once, {live} live entries"),
        cases.into(),
    )
    .faster_than(TOGETHER, 0.7, ALONE)
}

/// A claim and the store that it is made on.
struct Claim {
    store: MemoryReplayStore,
    claim: ReplayClaim,
}

impl Claim {
    fn make(&self) {
        assert!(matches!(
            self.store.try_claim(&self.claim),
            Some(Ok(ClaimOutcome::Fresh))
        ));
    }
}

/// Claims on stores in turn.
struct Claims {
    stores: Vec<MemoryReplayStore>,
    live: u64,
    next: u64,
    at: usize,
    caller: KeyId,
}

impl Claims {
    fn new(live: u64, stores: usize) -> Self {
        Self {
            stores: (0..stores).map(|_| MemoryReplayStore::new()).collect(),
            live,
            next: 0,
            at: 0,
            caller: KeyId::new("billing").unwrap(),
        }
    }

    /// The next claim. The first one fills the stores, so that a group that nobody asks for costs
    /// nothing.
    fn next(&mut self) -> Claim {
        while self.next < self.live {
            self.following().make();
        }
        self.following()
    }

    fn following(&mut self) -> Claim {
        let micros = self.next * LIFE.as_secs() * 1_000_000 / self.live;
        let now = Timestamp::from_unix_micros(i64::try_from(micros).unwrap());
        let key = ReplayKey::new("user-service", "billing", &self.next.to_string());
        let expires = now.saturating_add(LIFE);
        let store = self.stores.get(self.at).unwrap().clone();
        self.at += 1;
        if self.at == self.stores.len() {
            (self.at, self.next) = (0, self.next + 1);
        }
        Claim {
            store,
            claim: ReplayClaim::new(key, self.caller.clone(), now, expires, now),
        }
    }
}
