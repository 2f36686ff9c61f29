//! Step 11: the claim of the nonce in the replay store.

use countersign::{
    ClaimOutcome, KeyStore, Rejection, RejectionKind, ReplayClaim, ReplayKey, ReplayStore,
    ReplayStoreId, Timestamp,
};
use http::request::Parts;
use smallvec::SmallVec;

use super::{
    decide::Authenticated,
    store_answer::{counted, within},
    verification::Verification,
};
use crate::{metrics::Store, mode::Mode, refusal::Refusal};

/// Claims of outer layers for this request.
#[derive(Clone, Debug, Default)]
struct OuterClaims(SmallVec<[OuterClaim; 2]>);

#[derive(Clone, Copy, Debug)]
struct OuterClaim {
    store: ReplayStoreId,
    key: ReplayKey,
    /// The mode of the layer that made the claim.
    mode: Mode,
    expires_at: Timestamp,
}

impl OuterClaim {
    /// Returns whether no replay can pass after this claim has expired. An enforcing layer refuses
    /// the replay by its date. A report-only layer passes it on.
    fn protects_until(&self, expires_at: Timestamp) -> bool {
        match self.mode {
            Mode::Enforced => true,
            Mode::ReportOnly => self.expires_at >= expires_at,
        }
    }
}

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Claims the nonce. No later step may refuse the request.
    ///
    /// Returns `true` if this request is the first with its nonce, and `false` if it has no nonce
    /// or the store was bypassed.
    pub(super) async fn claim(
        &self,
        parts: &mut Parts,
        request: &Authenticated,
        mode: Mode,
    ) -> Result<bool, Refusal> {
        let head = request.head();
        let Some(key) = request.replay_key else {
            return Ok(false);
        };
        let expires_at = head
            .fresh_until()
            .saturating_add(request.body_deadline)
            .saturating_add(self.settings.clock_difference);
        match self.outer_claim(parts, key) {
            Some(claim) if claim.protects_until(expires_at) => return Ok(true),
            Some(_) => return Err(expires_too_soon()),
            None => {}
        }
        let claim = ReplayClaim::new(
            key,
            head.caller().clone(),
            head.signed_at(),
            expires_at,
            self.settings.clock.now(),
        );
        if claim.now >= claim.expires_at {
            return Err(claimed_too_late(&claim).into());
        }
        let answer = if let Some(answer) = self.replay.try_claim(&claim) {
            counted(Store::Replay, answer)
        } else {
            let claim = self.replay.claim(claim);
            Box::pin(within(self.settings.store_deadline, Store::Replay, claim)).await
        };
        self.settings
            .metrics
            .replay_answer(answer.as_ref().ok().copied());
        self.settings
            .metrics
            .replay_entries(&self.audience, || self.replay.entries());
        let answer = match answer {
            Ok(answer) => answer,
            Err(outage) => {
                return self.settings.outages.decide(
                    outage,
                    head.caller(),
                    &self.settings.events,
                    mode,
                    self.settings.clock.now(),
                );
            }
        };
        match answer {
            ClaimOutcome::Fresh => {
                let store = self.replay.id();
                let OuterClaims(claims) = parts.extensions.get_or_insert_default();
                claims.push(OuterClaim {
                    store,
                    key,
                    mode,
                    expires_at,
                });
                Ok(true)
            }
            ClaimOutcome::OverQuota => Err(OVER_QUOTA.into()),
            // The enum is non-exhaustive. Only `Fresh` accepts a request.
            _ => Err(head.replayed().into()),
        }
    }

    /// Returns whether the store holds the nonce and no outer layer claimed it for this request.
    pub(super) fn is_replayed(&self, parts: &Parts, key: ReplayKey) -> bool {
        self.outer_claim(parts, key).is_none() && self.replay.seen(&key)
    }

    /// Returns the claim of this key that an outer layer with the same store made for this request.
    fn outer_claim(&self, parts: &Parts, key: ReplayKey) -> Option<OuterClaim> {
        let store = self.replay.id();
        let OuterClaims(claims) = parts.extensions.get()?;
        claims
            .iter()
            .find(|claim| claim.store == store && claim.key == key)
            .copied()
    }
}

/// Only the operator can correct this, so not even a layer that continues without the store may
/// accept the request.
fn expires_too_soon() -> Refusal {
    Refusal::Unavailable {
        what: Store::Replay.name(),
        reason: "an outer report-only layer claims nonces for a shorter time than this layer: \
                 expected different stores or audiences, found the same"
            .to_owned(),
    }
}

/// Refuses a claim that has expired before it is made: the store may have purged an earlier claim
/// of the same nonce.
#[cold]
fn claimed_too_late(claim: &ReplayClaim) -> Rejection {
    Rejection::naming(
        RejectionKind::Replayed,
        format_args!(
            "claim of the nonce: expected before {}, when the date is over, found at {}",
            claim.expires_at, claim.now
        ),
    )
}

const OVER_QUOTA: Rejection = Rejection::new(
    RejectionKind::OverQuota,
    "replay store: expected the caller within its quota of live nonces, found it used up; the \
     quota is a setting of the store, such as MemoryReplayStoreBuilder::quota_per_caller",
);
