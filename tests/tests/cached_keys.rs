//! A cache over a slow, failing and flapping store, while strangers ask for unknown names.
//!
//! Time is the paused clock of tokio, which advances only while a test waits.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    collections::HashSet,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use countersign::{
    CallerKey, CallerKeys, ConfigErrorKind, KeyStore, Secret, Unavailable, VerifyingKey,
};
use futures::future::join_all;
use proptest::prelude::*;
use tokio::time::{Instant, advance, sleep};
use tower_countersign::{CachedKeys, cached_keys::CachedKeysBuilder};

/// The current behaviour of a remote directory of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    Slow(Duration),
    Failing,
    Hanging,
    Panicking,
}

#[derive(Clone)]
struct Remote(Arc<State>);

struct State {
    names: Mutex<HashSet<String>>,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
}

impl Remote {
    fn new(names: &[&str]) -> Self {
        Self(Arc::new(State {
            names: Mutex::new(names.iter().map(|name| (*name).to_owned()).collect()),
            mood: Mutex::new(Mood::Well),
            asked: AtomicUsize::new(0),
        }))
    }

    fn set(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
    }

    fn remove(&self, name: &str) {
        self.0.names.lock().unwrap().remove(name);
    }

    fn add(&self, name: &str) {
        self.0.names.lock().unwrap().insert(name.to_owned());
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl KeyStore for Remote {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.0.mood.lock().unwrap();
        match mood {
            Mood::Well => sleep(Duration::from_millis(10)).await,
            Mood::Slow(time) => sleep(time).await,
            Mood::Failing => {
                sleep(Duration::from_millis(10)).await;
                return Err(Unavailable::new("directory").with_source("down"));
            }
            Mood::Hanging => pending().await,
            Mood::Panicking => panic!("the store has a bug"),
        }
        if !self.0.names.lock().unwrap().contains(key_id) {
            return Ok(CallerKeys::unknown());
        }
        let secret =
            Secret::from_text(&format!("{key_id}: 0123456789 abcdefghijklmnopqrstuvwxyz")).unwrap();
        let key = CallerKey::new("1", VerifyingKey::hmac_sha256(&secret)).unwrap();
        Ok(CallerKeys::new(key_id, [key]).unwrap())
    }
}

const FRESH: u64 = 30;
const REVALIDATE: u64 = 20;
const STALE: u64 = 300;

fn builder(remote: &Remote) -> CachedKeysBuilder<Remote> {
    CachedKeys::builder(remote.clone())
        .fresh_for(Duration::from_secs(FRESH))
        .stale_while_revalidate(Duration::from_secs(REVALIDATE))
        .stale_if_error(Duration::from_secs(STALE))
        .unknown_for(Duration::from_secs(10))
        .retry_after(Duration::from_secs(1))
        .lookup_deadline(Duration::from_secs(2))
        .misses(10, 5)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Known,
    Unknown,
    Unavailable,
}

fn read(answer: Result<CallerKeys, Unavailable>) -> Answer {
    match answer {
        Ok(keys) if keys.is_unknown() => Answer::Unknown,
        Ok(_) => Answer::Known,
        Err(_) => Answer::Unavailable,
    }
}

/// Looks up a name as the layer does.
async fn ask(keys: &CachedKeys<Remote>, name: &str) -> Answer {
    match keys.try_lookup(name) {
        Some(answer) => read(answer),
        None => read(keys.lookup(name).await),
    }
}

/// Lets background lookups end.
async fn settle() {
    sleep(Duration::from_millis(50)).await;
}

async fn seconds(seconds: u64) {
    settle().await;
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_answer_needs_no_store_and_no_waiting() {
    let remote = Remote::new(&["billing"]);
    let keys = builder(&remote).build().unwrap();
    assert!(keys.try_lookup("billing").is_none(), "no name is known yet");
    assert_eq!(ask(&keys, "billing").await, Answer::Known);
    remote.set(Mood::Failing);
    seconds(FRESH - 1).await;
    let answer = keys.try_lookup("billing").map(read);
    assert_eq!(answer, Some(Answer::Known));
    assert_eq!(remote.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_for_one_name_wait_for_one_lookup() {
    for (name, expected) in [("billing", Answer::Known), ("nobody", Answer::Unknown)] {
        let remote = Remote::new(&["billing"]);
        let keys = builder(&remote).build().unwrap();
        let answers = join_all((0..100).map(|_| ask(&keys, name))).await;
        assert!(answers.iter().all(|answer| *answer == expected), "{name}");
        assert_eq!(remote.asked(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_does_not_affect_others() {
    let remote = Remote::new(&["billing"]);
    remote.set(Mood::Slow(Duration::from_secs(1)));
    let keys = builder(&remote).build().unwrap();
    let first = tokio::spawn({
        let keys = keys.clone();
        async move { ask(&keys, "billing").await }
    });
    settle().await;
    assert_eq!(remote.asked(), 1);
    let second = tokio::spawn({
        let keys = keys.clone();
        async move { ask(&keys, "billing").await }
    });
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(second.await.unwrap(), Answer::Known);
    assert_eq!(remote.asked(), 1, "the lookup of the first continued");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_or_panics_is_a_store_that_fails() {
    for mood in [Mood::Hanging, Mood::Panicking, Mood::Failing] {
        let remote = Remote::new(&["billing"]);
        remote.set(mood);
        let keys = builder(&remote).build().unwrap();
        let began = Instant::now();
        assert_eq!(ask(&keys, "billing").await, Answer::Unavailable, "{mood:?}");
        assert!(began.elapsed() <= Duration::from_secs(2), "{mood:?}");
        assert_eq!(keys.status().failures, 1, "{mood:?}");
        remote.set(Mood::Well);
        seconds(1).await;
        assert_eq!(ask(&keys, "billing").await, Answer::Known, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn invented_names_are_looked_up_within_the_limit() {
    let remote = Remote::new(&["billing"]);
    let keys = builder(&remote).build().unwrap();
    let names: Vec<String> = (0..1000).map(|number| format!("nobody-{number}")).collect();
    let answers = join_all(names.iter().map(|name| ask(&keys, name))).await;
    assert!(answers.iter().all(|answer| *answer == Answer::Unknown));
    assert_eq!(remote.asked(), 5, "the burst");
    assert_eq!(keys.status().refused_without_lookup, 995);
    seconds(1).await;
    join_all(names.iter().map(|name| ask(&keys, name))).await;
    assert_eq!(remote.asked(), 10, "no more than a burst after a second");
    advance(Duration::from_millis(200)).await;
    join_all(names.iter().map(|name| ask(&keys, name))).await;
    assert_eq!(remote.asked(), 12, "ten a second");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_invented_names_does_not_block_known_callers() {
    let remote = Remote::new(&["billing", "audit"]);
    let keys = builder(&remote).build().unwrap();
    assert_eq!(keys.warm(["billing", "audit", "nobody"]).await.unwrap(), 2);
    let mut number = 0;
    // Passes every age of an entry, beyond all limits.
    for wait in [1, FRESH, FRESH + REVALIDATE, FRESH + STALE + 1] {
        for _ in 0..20 {
            number += 1;
            ask(&keys, &format!("nobody-{number}")).await;
        }
        advance(Duration::from_secs(wait)).await;
        let flood: Vec<String> = (0..20).map(|more| format!("{wait}-{more}")).collect();
        join_all(flood.iter().map(|name| ask(&keys, name))).await;
        assert_eq!(ask(&keys, "new-in-the-flood").await, Answer::Unknown);
        for name in ["billing", "audit"] {
            assert_eq!(
                ask(&keys, name).await,
                Answer::Known,
                "{name} after {wait} s"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn warming_is_not_subject_to_the_limit() {
    let names: Vec<String> = (0..50).map(|number| format!("caller-{number}")).collect();
    let remote = Remote::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let keys = builder(&remote).misses(1, 1).build().unwrap();
    assert_eq!(keys.warm(&names).await.unwrap(), 50);
    remote.set(Mood::Failing);
    assert!(keys.warm(["another"]).await.is_err());
    assert_eq!(keys.warm(&names).await.unwrap(), 50, "from memory");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_name_is_remembered_for_a_while_and_within_bounds() {
    let remote = Remote::new(&[]);
    let keys = builder(&remote)
        .misses(1000, 1000)
        .unknown_capacity(3)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&keys, "later").await, Answer::Unknown);
    }
    assert_eq!(remote.asked(), 1);
    for number in 0..10 {
        ask(&keys, &format!("nobody-{number}")).await;
        assert!(keys.status().unknown <= 3);
    }
    remote.add("later");
    seconds(10).await;
    assert_eq!(
        ask(&keys, "later").await,
        Answer::Known,
        "a caller that was added"
    );
    for _ in 0..2 {
        for name in ["a", "b", "c"] {
            ask(&keys, name).await;
        }
    }
    assert_eq!(keys.status().unknown, 3);
    assert_eq!(
        remote.asked(),
        1 + 10 + 1 + 3,
        "ended entries made room for three"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stale_answer_is_returned_at_once_while_the_store_is_asked() {
    let remote = Remote::new(&["billing"]);
    let keys = builder(&remote).build().unwrap();
    ask(&keys, "billing").await;
    remote.set(Mood::Slow(Duration::from_secs(1)));
    seconds(FRESH).await;
    for _ in 0..10 {
        let answer = keys.try_lookup("billing").map(read);
        assert_eq!(answer, Some(Answer::Known));
    }
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(remote.asked(), 2, "once in the background");
    seconds(FRESH - 5).await;
    assert_eq!(keys.try_lookup("billing").map(read), Some(Answer::Known));
    assert_eq!(remote.asked(), 2, "fresh again");
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_stops_within_the_first_two_limits() {
    let remote = Remote::new(&["billing", "quiet"]);
    let keys = builder(&remote).build().unwrap();
    ask(&keys, "billing").await;
    ask(&keys, "quiet").await;
    remote.remove("billing");
    remote.remove("quiet");
    seconds(FRESH).await;
    assert_eq!(
        ask(&keys, "billing").await,
        Answer::Known,
        "while the store is asked"
    );
    settle().await;
    assert_eq!(ask(&keys, "billing").await, Answer::Unknown);
    // A caller that did not call in the meantime is not accepted again.
    advance(Duration::from_secs(REVALIDATE)).await;
    assert_eq!(ask(&keys, "quiet").await, Answer::Unknown);
}

/// The answer of a slow store may be as old as the question: a key removed meanwhile stays valid no
/// longer.
#[tokio::test(start_paused = true)]
async fn the_age_of_an_answer_counts_from_the_question() {
    let answer_after = Duration::from_millis(1500);
    let short = Duration::from_millis(500);
    let start = async |name| {
        let remote = Remote::new(&["billing"]);
        remote.set(Mood::Slow(answer_after));
        let keys = builder(&remote).build().unwrap();
        let asked_at = Instant::now();
        let answer = ask(&keys, name).await;
        assert_eq!(asked_at.elapsed(), answer_after);
        (remote, keys, asked_at, answer)
    };
    // Fresh for the set time, and then asked for again.
    let (remote, keys, asked_at, answer) = start("billing").await;
    assert_eq!(answer, Answer::Known);
    let fresh_until = asked_at + Duration::from_secs(FRESH);
    advance(fresh_until - short - Instant::now()).await;
    assert_eq!(ask(&keys, "billing").await, Answer::Known);
    settle().await;
    assert_eq!(remote.asked(), 1, "still fresh");
    advance(fresh_until + short - Instant::now()).await;
    assert_eq!(ask(&keys, "billing").await, Answer::Known);
    settle().await;
    assert_eq!(remote.asked(), 2, "no longer fresh");

    // Used while the store fails, up to the limit.
    let (remote, keys, asked_at, _) = start("billing").await;
    remote.set(Mood::Failing);
    let usable_until = asked_at + Duration::from_secs(FRESH + STALE);
    advance(usable_until - short - Instant::now()).await;
    assert_eq!(ask(&keys, "billing").await, Answer::Known, "still usable");
    advance(usable_until + short - Instant::now()).await;
    let answer = ask(&keys, "billing").await;
    assert_eq!(answer, Answer::Unavailable, "no longer usable");

    // Unknown for the set time, and then looked up.
    let (remote, keys, asked_at, answer) = start("nobody").await;
    assert_eq!(answer, Answer::Unknown);
    let unknown_until = asked_at + Duration::from_secs(10);
    advance(unknown_until - short - Instant::now()).await;
    assert_eq!(ask(&keys, "nobody").await, Answer::Unknown);
    assert_eq!(remote.asked(), 1, "still unknown");
    advance(unknown_until + short - Instant::now()).await;
    assert_eq!(ask(&keys, "nobody").await, Answer::Unknown);
    assert_eq!(remote.asked(), 2, "no longer unknown");
}

#[tokio::test(start_paused = true)]
async fn stale_answers_replace_a_failing_store_up_to_the_limit() {
    for mood in [Mood::Failing, Mood::Hanging, Mood::Panicking] {
        let remote = Remote::new(&["billing"]);
        let keys = builder(&remote).build().unwrap();
        let read_at = Instant::now();
        ask(&keys, "billing").await;
        remote.set(mood);
        while read_at.elapsed() < Duration::from_secs(FRESH + STALE - 3) {
            assert_eq!(
                ask(&keys, "billing").await,
                Answer::Known,
                "{mood:?} after {:?}",
                read_at.elapsed()
            );
            seconds(7).await;
        }
        seconds(10).await;
        assert!(read_at.elapsed() >= Duration::from_secs(FRESH + STALE));
        // Not once more, even if a request waited for the store past the limit.
        assert_eq!(ask(&keys, "billing").await, Answer::Unavailable, "{mood:?}");
        assert_eq!(ask(&keys, "billing").await, Answer::Unavailable, "{mood:?}");
        remote.set(Mood::Well);
        seconds(1).await;
        assert_eq!(ask(&keys, "billing").await, Answer::Known, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_store_is_not_asked_again_for_a_while() {
    let remote = Remote::new(&["billing"]);
    let keys = builder(&remote).build().unwrap();
    ask(&keys, "billing").await;
    remote.set(Mood::Failing);
    seconds(FRESH + REVALIDATE).await;
    let before = remote.asked();
    for _ in 0..100 {
        assert_eq!(ask(&keys, "billing").await, Answer::Known);
    }
    assert_eq!(remote.asked(), before + 1);
    seconds(1).await;
    ask(&keys, "billing").await;
    assert_eq!(remote.asked(), before + 2);
    assert!(keys.status().stale_answers >= 100);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_never_taken_for_an_unknown_name() {
    let remote = Remote::new(&["billing"]);
    let keys = builder(&remote).build().unwrap();
    remote.set(Mood::Failing);
    assert_eq!(ask(&keys, "billing").await, Answer::Unavailable);
    assert_eq!(keys.status().unknown, 0);
    remote.set(Mood::Well);
    seconds(1).await;
    assert_eq!(ask(&keys, "billing").await, Answer::Known);
}

/// A store that is down at the start: no caller is known yet, and none is refused as unknown.
#[tokio::test(start_paused = true)]
async fn a_caller_that_was_never_seen_is_not_called_unknown_while_the_store_fails() {
    let names: Vec<String> = (0..20).map(|number| format!("caller-{number}")).collect();
    let remote = Remote::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let keys = builder(&remote).build().unwrap();
    remote.set(Mood::Failing);
    for _ in 0..20 {
        assert_eq!(ask(&keys, "caller-0").await, Answer::Unavailable);
    }
    assert_eq!(remote.asked(), 1, "the store is not asked for a while");
    // More callers than the limit of lookups.
    for name in &names {
        assert_eq!(ask(&keys, name).await, Answer::Unavailable, "{name}");
    }
    assert!(remote.asked() <= 10, "the limit of misses holds");
    remote.set(Mood::Well);
    seconds(2).await;
    for name in &names {
        assert_eq!(ask(&keys, name).await, Answer::Known, "{name}");
        seconds(1).await;
    }
}

/// A lookup that starts during the shutdown of the runtime is dropped at once.
#[test]
fn a_lookup_without_a_runtime_does_not_hang() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        drop(runtime);
        let _entered = handle.enter();
        let remote = Remote::new(&["billing"]);
        let keys = builder(&remote).build().unwrap();
        let answer = futures::executor::block_on(ask(&keys, "billing"));
        done.send(answer).unwrap();
    });
    let answer = ended.recv_timeout(Duration::from_secs(30));
    assert_eq!(answer, Ok(Answer::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_limit_beyond_the_resolution_of_the_clock_still_holds() {
    let remote = Remote::new(&[]);
    let keys = builder(&remote).misses(u32::MAX, 3).build().unwrap();
    for number in 0..10 {
        ask(&keys, &format!("nobody-{number}")).await;
    }
    assert_eq!(
        remote.asked(),
        10,
        "each waits longer than the lookup deadline"
    );
}

#[tokio::test(start_paused = true)]
async fn known_names_are_kept_within_their_bound() {
    let names: Vec<String> = (0..20).map(|number| format!("caller-{number}")).collect();
    let remote = Remote::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let keys = builder(&remote)
        .misses(1000, 1000)
        .capacity(10)
        .build()
        .unwrap();
    for name in &names {
        assert_eq!(ask(&keys, name).await, Answer::Known);
        assert!(keys.status().known <= 10);
    }
    assert!(keys.try_lookup("caller-19").is_some(), "the latest is kept");
    assert!(keys.try_lookup("caller-0").is_none(), "the oldest is not");
}

#[test]
fn contradictory_settings_are_refused() {
    let remote = Remote::new(&[]);
    for (name, builder) in [
        (
            "no deadline",
            builder(&remote).lookup_deadline(Duration::ZERO),
        ),
        ("no misses", builder(&remote).misses(0, 5)),
        ("no burst", builder(&remote).misses(5, 0)),
        ("no room", builder(&remote).capacity(0)),
        (
            "limits in the wrong order",
            builder(&remote).stale_if_error(Duration::from_secs(1)),
        ),
    ] {
        assert_eq!(
            builder.build().unwrap_err().kind(),
            ConfigErrorKind::Setting,
            "{name}"
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Mood(Mood),
    Flood(u8),
    Remove,
    Add,
    Ask,
}

fn step() -> impl Strategy<Value = Step> {
    let mood = prop_oneof![
        2 => Just(Mood::Well),
        1 => Just(Mood::Failing),
        1 => Just(Mood::Hanging),
        1 => Just(Mood::Panicking),
        1 => (1_u64..3000).prop_map(|millis| Mood::Slow(Duration::from_millis(millis))),
    ];
    prop_oneof![
        4 => (1_u64..100).prop_map(Step::Wait),
        3 => mood.prop_map(Step::Mood),
        1 => (1_u8..50).prop_map(Step::Flood),
        1 => Just(Step::Remove),
        1 => Just(Step::Add),
        6 => Just(Step::Ask),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// With any behaviour of the store and any requests: a removed key stays valid no longer than
    /// the limits, and a known caller is never refused as unknown.
    #[test]
    fn removed_keys_are_refused_and_known_callers_accepted(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let remote = Remote::new(&["steady", "billing"]);
            let keys = builder(&remote).build().unwrap();
            keys.warm(["steady", "billing"]).await.unwrap();
            let (mut removed_at, mut well_since) = (None, Some(Instant::now()));
            let mut flooded = 0_u32;
            for step in steps {
                match step {
                    Step::Wait(time) => seconds(time).await,
                    Step::Mood(mood) => {
                        remote.set(mood);
                        well_since = (mood == Mood::Well).then(Instant::now);
                    }
                    Step::Flood(names) => {
                        for _ in 0..names {
                            flooded += 1;
                            let name = format!("nobody-{flooded}");
                            assert_ne!(ask(&keys, &name).await, Answer::Known);
                        }
                    }
                    Step::Remove => {
                        remote.remove("billing");
                        removed_at.get_or_insert(Instant::now());
                    }
                    Step::Add => {
                        remote.add("billing");
                        removed_at = None;
                    }
                    Step::Ask => {
                        assert_ne!(ask(&keys, "steady").await, Answer::Unknown);
                        let asked_at = Instant::now();
                        let answer = ask(&keys, "billing").await;
                        if let (Answer::Known, Some(removed_at)) = (answer, removed_at) {
                            let gone_for = asked_at - removed_at;
                            // A lookup that started before the removal may end after it, at most
                            // one deadline later.
                            assert!(gone_for <= Duration::from_secs(FRESH + STALE + 2), "{gone_for:?}");
                            if let Some(well_since) = well_since {
                                let both = gone_for.min(asked_at - well_since);
                                assert!(both <= Duration::from_secs(FRESH + REVALIDATE + 3), "{both:?}");
                            }
                        }
                    }
                }
            }
        });
    }
}
