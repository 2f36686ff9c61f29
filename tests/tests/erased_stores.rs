//! A type-erased store answers as the store itself: each call reaches the store, and each answer
//! returns.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{
    ArcKeyStore, ArcReplayStore, CallerKeys, ClaimOutcome, KeyId, KeyStore, ReplayClaim, ReplayKey,
    ReplayStore, ReplayStoreId, Timestamp, Unavailable,
};
use tests::keys::{NOW, SECRET, hmac_key, keyring};

/// A store that answers every question with yes, or every question with no.
#[derive(Clone, Copy, Debug)]
struct Answers(bool, ReplayStoreId);

impl ReplayStore for Answers {
    async fn claim(&self, _: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Ok(ClaimOutcome::OverQuota)
    }

    fn try_claim(&self, _: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        self.0.then_some(Ok(ClaimOutcome::Replayed))
    }

    fn seen(&self, _: &ReplayKey) -> bool {
        self.0
    }

    fn forgets_on_restart(&self) -> bool {
        self.0
    }

    fn entries(&self) -> Option<usize> {
        self.0.then_some(7)
    }

    fn id(&self) -> ReplayStoreId {
        self.1
    }
}

fn claim() -> ReplayClaim {
    let key = ReplayKey::new("", "billing", "n");
    let until = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + 300);
    ReplayClaim::new(key, KeyId::new("billing").unwrap(), NOW, until, NOW)
}

#[tokio::test]
async fn an_erased_replay_store_answers_as_the_store_does() {
    for answer in [false, true] {
        let id = ReplayStoreId::unique();
        let store = ArcReplayStore::new(Answers(answer, id));
        assert_eq!(store.id(), id);
        assert_eq!(store.claim(claim()).await.unwrap(), ClaimOutcome::OverQuota);
        let found = store.try_claim(&claim()).map(Result::unwrap);
        assert_eq!(found, answer.then_some(ClaimOutcome::Replayed));
        assert_eq!(store.seen(&claim().key), answer);
        assert_eq!(store.forgets_on_restart(), answer);
        assert_eq!(store.entries(), answer.then_some(7));
    }
}

#[tokio::test]
async fn an_erased_key_store_answers_as_the_store_does() {
    struct Elsewhere;

    impl KeyStore for Elsewhere {
        async fn lookup(&self, _: &str) -> Result<CallerKeys, Unavailable> {
            Err(Unavailable::new("elsewhere"))
        }
    }

    let keys = ArcKeyStore::new(keyring("billing", &hmac_key(SECRET)));
    assert_eq!(keys.callers(), Some(1));
    for (name, known) in [("billing", true), ("nobody", false)] {
        for found in [
            keys.try_lookup(name).unwrap().unwrap(),
            keys.lookup(name).await.unwrap(),
        ] {
            assert_eq!(found.is_unknown(), !known);
            let expected = known.then(|| KeyId::new(name).unwrap());
            assert_eq!(found.caller_id(), expected.as_ref());
        }
    }
    let elsewhere = ArcKeyStore::new(Elsewhere);
    assert_eq!(elsewhere.callers(), None);
    assert!(elsewhere.try_lookup("billing").is_none());
    assert!(elsewhere.lookup("billing").await.is_err());
}

#[test]
fn a_keyring_has_callers() {
    let keys = keyring("billing", &hmac_key(SECRET));
    assert!(!keys.is_empty());
    assert_eq!(keys.len(), 1);
    assert_eq!(KeyStore::callers(&keys), Some(1));
}
