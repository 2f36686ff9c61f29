use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    thread,
    time::Duration,
};

use super::{Subject, join};
use crate::{
    error::Unavailable,
    key_id::KeyId,
    replay::{ClaimOutcome, ReplayClaim, ReplayKey, ReplayStore},
    timestamp::Timestamp,
};

/// The usual lifetime of an entry: the sum of window, body deadline and clock difference.
const LIFE: Duration = Duration::from_secs(335);
/// Long enough to observe, and short enough to wait for.
const SHORT_LIFE: Duration = Duration::from_millis(1500);
const STEP: Duration = Duration::from_millis(100);
/// The time in which a store must detect that it is cut off.
const OUTAGE: Duration = Duration::from_secs(30);

type Outcome = Result<(), String>;

pub(super) async fn the_first_claim_is_fresh_and_every_later_one_replayed(
    subject: &impl Subject,
) -> Outcome {
    let store = subject.fresh().await;
    let claim = lasting(subject, key("once"), LIFE)?;
    expect("the first claim", &store, &claim, ClaimOutcome::Fresh).await?;
    for _ in 0..3 {
        expect("a later claim", &store, &claim, ClaimOutcome::Replayed).await?;
    }
    let other = lasting(subject, key("twice"), LIFE)?;
    expect("another identity", &store, &other, ClaimOutcome::Fresh).await
}

pub(super) async fn another_replica_knows_what_was_claimed(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let replica = subject.replica(&store).await;
    for (nonce, first, second) in [("here", &store, &replica), ("there", &replica, &store)] {
        let claim = lasting(subject, key(nonce), LIFE)?;
        expect("the first claim", first, &claim, ClaimOutcome::Fresh).await?;
        expect(
            "the other replica's",
            second,
            &claim,
            ClaimOutcome::Replayed,
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn of_claims_at_once_exactly_one_is_fresh(subject: &impl Subject) -> Outcome {
    const ROUNDS: usize = 50;
    const COPIES: usize = 16;
    let store = subject.fresh().await;
    let replica = subject.replica(&store).await;
    for round in 0..ROUNDS {
        let claim = lasting(subject, key(&format!("taking turns {round}")), LIFE)?;
        let answers = join::all((0..COPIES).map(|copy| {
            let store = if copy % 2 == 0 { &store } else { &replica };
            decide(store, &claim)
        }));
        exactly_one("copies that take turns", answers.await)?;

        // Stores that answer at once are asked by threads, which do not take turns.
        let claim = lasting(subject, key(&format!("by threads {round}")), LIFE)?;
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| store.try_claim(&claim)))
                .collect();
            let answers = threads.into_iter().map(thread::ScopedJoinHandle::join);
            answers.filter_map(Result::ok).flatten().collect()
        });
        if !answers.is_empty() {
            exactly_one("copies by threads", answers.into_iter().map(told))?;
        }
    }
    Ok(())
}

pub(super) async fn keys_that_differ_in_one_bit_are_two_identities(
    subject: &impl Subject,
) -> Outcome {
    let store = subject.fresh().await;
    let bytes = *key("bits").as_bytes();
    let claim = lasting(subject, ReplayKey::of_bytes(bytes), LIFE)?;
    expect("the key", &store, &claim, ClaimOutcome::Fresh).await?;
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes;
            if let Some(byte) = other.get_mut(place) {
                *byte ^= 1 << bit;
            }
            let what = format!("bit {bit} of byte {place} changed");
            let claim = lasting(subject, ReplayKey::of_bytes(other), LIFE)?;
            expect(&what, &store, &claim, ClaimOutcome::Fresh).await?;
        }
    }
    expect("the key again", &store, &claim, ClaimOutcome::Replayed).await
}

pub(super) async fn the_key_alone_is_the_identity(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let claim = lasting(subject, key("identity"), LIFE)?;
    expect("the first claim", &store, &claim, ClaimOutcome::Fresh).await?;
    let second = Duration::from_secs(1);
    for (what, changed) in [
        (
            "under another caller",
            ReplayClaim {
                caller: caller("orders")?,
                ..claim.clone()
            },
        ),
        (
            "dated otherwise",
            ReplayClaim {
                signed_at: claim.signed_at.saturating_sub(second),
                ..claim.clone()
            },
        ),
        (
            "with another end",
            ReplayClaim {
                expires_at: claim.expires_at.saturating_add(second),
                ..claim.clone()
            },
        ),
        (
            "a moment later",
            ReplayClaim {
                now: claim.now.saturating_add(second),
                ..claim.clone()
            },
        ),
    ] {
        expect(what, &store, &changed, ClaimOutcome::Replayed).await?;
    }
    Ok(())
}

pub(super) async fn an_expired_claim_is_replayed(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    for (what, past) in [
        ("at its end", Duration::ZERO),
        ("a microsecond past it", Duration::from_micros(1)),
        ("an hour past it", Duration::from_secs(3600)),
    ] {
        let now = subject.now();
        let end = now.saturating_sub(past);
        let claim = ReplayClaim::new(
            key(what),
            caller("billing")?,
            end.saturating_sub(LIFE),
            end,
            now,
        );
        expect(what, &store, &claim, ClaimOutcome::Replayed).await?;
    }
    Ok(())
}

pub(super) async fn the_shortest_life_is_taken(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    for life in [
        Duration::from_micros(1),
        Duration::from_micros(999),
        Duration::from_millis(1),
    ] {
        let what = format!("a life of {life:?}");
        let claim = lasting(subject, key(&what), life)?;
        expect(&what, &store, &claim, ClaimOutcome::Fresh).await?;
    }
    Ok(())
}

pub(super) async fn an_identity_is_remembered_until_it_expires(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let replica = subject.replica(&store).await;
    let first = lasting(subject, key("to the end"), SHORT_LIFE)?;
    expect("the first claim", &store, &first, ClaimOutcome::Fresh).await?;
    // No claim in between, because a copy must not extend the lifetime.
    subject.sleep(SHORT_LIFE.saturating_sub(STEP)).await;
    for store in [&store, &replica] {
        let now = subject.now();
        let copy = ReplayClaim {
            now,
            ..first.clone()
        };
        let what = format!("{:?} after it", now.abs_diff(first.now));
        expect(&what, store, &copy, ClaimOutcome::Replayed).await?;
    }
    Ok(())
}

pub(super) async fn a_claim_that_comes_again_shortens_no_life(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let first = lasting(subject, key("again and again"), SHORT_LIFE)?;
    expect("the first claim", &store, &first, ClaimOutcome::Fresh).await?;
    // The clock of this verifier is almost at the expiry: the remaining lifetime is almost zero.
    let late = ReplayClaim {
        now: first.expires_at.saturating_sub(Duration::from_millis(1)),
        ..first.clone()
    };
    expect("a late copy", &store, &late, ClaimOutcome::Replayed).await?;
    let mut now = subject.now();
    while now < first.expires_at {
        let copy = ReplayClaim {
            now,
            ..first.clone()
        };
        let what = format!("{:?} after it", now.abs_diff(first.now));
        expect(&what, &store, &copy, ClaimOutcome::Replayed).await?;
        subject.sleep(STEP).await;
        now = subject.now();
    }
    Ok(())
}

pub(super) async fn nothing_is_evicted(subject: &impl Subject) -> Outcome {
    const AT_ONCE: usize = 50;
    let store = subject.fresh().await;
    let claims: Vec<_> = (0..subject.entries())
        .map(|entry| lasting(subject, key(&format!("entry {entry}")), LIFE))
        .collect::<Result<_, _>>()?;
    for (what, expected) in [
        ("a first claim", ClaimOutcome::Fresh),
        ("a copy when all were there", ClaimOutcome::Replayed),
    ] {
        for claims in claims.chunks(AT_ONCE) {
            let claims = claims.iter();
            let answers = join::all(claims.map(|claim| expect(what, &store, claim, expected)));
            answers.await.into_iter().collect::<Outcome>()?;
        }
    }
    Ok(())
}

pub(super) async fn a_clock_set_back_reopens_nothing(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let first = lasting(subject, key("before the step"), SHORT_LIFE)?;
    expect("the first claim", &store, &first, ClaimOutcome::Fresh).await?;
    let past = SHORT_LIFE.saturating_add(subject.forgotten_after());
    subject
        .sleep(past.saturating_add(Duration::from_secs(1)))
        .await;
    // These claims trigger a purge that runs on claims.
    for entry in 0..100 {
        let other = lasting(subject, key(&format!("after the end {entry}")), LIFE)?;
        expect("another identity", &store, &other, ClaimOutcome::Fresh).await?;
    }
    // `now` is that of the first claim, before its expiry.
    expect("the copy", &store, &first, ClaimOutcome::Replayed).await
}

pub(super) async fn a_long_life_is_kept(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let claim = lasting(subject, key("a day"), Duration::from_secs(86_400))?;
    expect("the first claim", &store, &claim, ClaimOutcome::Fresh).await?;
    expect("its copy", &store, &claim, ClaimOutcome::Replayed).await?;

    // Beyond its number range, a store may refuse the claim. It must not accept a claim that it
    // cannot keep.
    let endless = ReplayClaim {
        key: key("for ever"),
        expires_at: Timestamp::from_unix_micros(i64::MAX),
        ..claim
    };
    let first = decide(&store, &endless).await;
    let second = decide(&store, &endless).await;
    if second == Ok(ClaimOutcome::Fresh) {
        return Err(format!(
            "a copy without an end: expected no Fresh, found {first:?} and then {second:?}"
        ));
    }
    Ok(())
}

pub(super) async fn seen_knows_only_what_was_claimed(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let claim = lasting(subject, key("seen"), LIFE)?;
    if store.seen(&claim.key) {
        return Err("before any claim: expected not seen, found seen".to_owned());
    }
    expect("the first claim", &store, &claim, ClaimOutcome::Fresh).await?;
    if store.seen(&key("unseen")) {
        return Err("another identity: expected not seen, found seen".to_owned());
    }
    Ok(())
}

pub(super) async fn a_claim_without_an_answer_at_once_was_not_made(
    subject: &impl Subject,
) -> Outcome {
    let store = subject.fresh().await;
    let claim = lasting(subject, key("at once"), LIFE)?;
    let expected = match store.try_claim(&claim).map(told) {
        None => ClaimOutcome::Fresh,
        Some(Ok(ClaimOutcome::Fresh)) => ClaimOutcome::Replayed,
        Some(answer) => return Err(format!("at once: expected Fresh, found {answer:?}")),
    };
    let found = told(store.claim(claim).await);
    if found == Ok(expected) {
        return Ok(());
    }
    Err(format!(
        "asked again: expected {expected:?}, found {found:?}"
    ))
}

pub(super) async fn an_abandoned_claim_lets_nothing_through_twice(
    subject: &impl Subject,
) -> Outcome {
    let store = subject.fresh().await;
    for round in 0..20 {
        let claim = lasting(subject, key(&format!("abandoned {round}")), LIFE)?;
        let mut fresh = 0_usize;
        {
            let mut abandoned = pin!(decide(&store, &claim));
            let polled = abandoned
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            fresh = fresh.saturating_add(usize::from(polled.is_ready()));
            subject.sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..3 {
            let answer = decide(&store, &claim).await?;
            fresh = fresh.saturating_add(usize::from(answer == ClaimOutcome::Fresh));
        }
        if fresh > 1 {
            return Err(format!("expected at most one Fresh, found {fresh}"));
        }
    }
    Ok(())
}

pub(super) async fn a_store_cut_off_is_unavailable(subject: &impl Subject) -> Outcome {
    let Some(store) = subject.cut_off().await else {
        return Ok(());
    };
    let claim = lasting(subject, key("in an outage"), LIFE)?;
    match join::before(decide(&store, &claim), subject.sleep(OUTAGE)).await {
        Some(Err(_)) => Ok(()),
        Some(Ok(found)) => Err(format!("expected unavailable, found {found:?}")),
        None => Err(format!("expected an answer, found none in {OUTAGE:?}")),
    }
}

pub(super) async fn each_store_has_an_id_of_its_own(subject: &impl Subject) -> Outcome {
    let store = subject.fresh().await;
    let other = subject.fresh().await;
    if store.id() != store.id() {
        return Err("expected one id of one store, found two".to_owned());
    }
    if store.id() == other.id() {
        return Err("expected two ids of two stores, found one".to_owned());
    }
    Ok(())
}

fn key(nonce: &str) -> ReplayKey {
    ReplayKey::new("conformance", "billing", nonce)
}

fn caller(name: &str) -> Result<KeyId, String> {
    KeyId::new(name).map_err(|error| error.to_string())
}

/// Makes a claim of `key` that is dated now and expires after `life`.
fn lasting(subject: &impl Subject, key: ReplayKey, life: Duration) -> Result<ReplayClaim, String> {
    let now = subject.now();
    let end = now.saturating_add(life);
    Ok(ReplayClaim::new(key, caller("billing")?, now, end, now))
}

/// Returns the answer as a verifier gets it: at once if possible, else by waiting.
async fn decide(store: &impl ReplayStore, claim: &ReplayClaim) -> Result<ClaimOutcome, String> {
    let answer = match store.try_claim(claim) {
        Some(answer) => answer,
        None => store.claim(claim.clone()).await,
    };
    told(answer)
}

fn told(answer: Result<ClaimOutcome, Unavailable>) -> Result<ClaimOutcome, String> {
    answer.map_err(|error| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    })
}

async fn expect(
    what: &str,
    store: &impl ReplayStore,
    claim: &ReplayClaim,
    expected: ClaimOutcome,
) -> Outcome {
    let found = decide(store, claim).await;
    if found == Ok(expected) {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

fn exactly_one(
    what: &str,
    answers: impl IntoIterator<Item = Result<ClaimOutcome, String>>,
) -> Outcome {
    let mut fresh = 0_usize;
    for answer in answers {
        match answer {
            Ok(ClaimOutcome::Fresh) => fresh = fresh.saturating_add(1),
            Ok(ClaimOutcome::Replayed) => {}
            other => {
                return Err(format!(
                    "{what}: expected Fresh or Replayed, found {other:?}"
                ));
            }
        }
    }
    if fresh == 1 {
        return Ok(());
    }
    Err(format!("{what}: expected one Fresh, found {fresh}"))
}
