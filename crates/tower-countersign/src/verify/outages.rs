use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use countersign::{KeyId, Timestamp};

use super::events::Events;
use crate::{metrics, mode::Mode, refusal::Refusal};

/// Decides on requests while the replay store cannot answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Outages {
    insecure_continue: bool,
    /// The number of requests accepted without a claim, by this layer and its clones.
    unclaimed: Arc<AtomicU64>,
}

impl Outages {
    /// Accepts requests without a claim.
    pub(super) fn insecure_continue(&mut self) {
        self.insecure_continue = true;
    }

    pub(super) fn unclaimed(&self) -> u64 {
        self.unclaimed.load(Ordering::Relaxed)
    }

    /// Returns `false` if the request is accepted without replay protection, or the refusal.
    pub(super) fn decide(
        &self,
        outage: Refusal,
        caller: &KeyId,
        events: &Events,
        mode: Mode,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if !self.insecure_continue {
            return Err(outage);
        }
        self.unclaimed.fetch_add(1, Ordering::Relaxed);
        metrics::replay_store_bypassed();
        events.unclaimed(&outage, caller, mode, now);
        Ok(false)
    }
}
