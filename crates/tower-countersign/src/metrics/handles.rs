//! Caches handles of registered series, so that no lookup by name and labels is needed.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use countersign::{ClaimOutcome, KeyId};
use metrics::{Counter, Gauge, Histogram, Recorder};

use super::{
    record::{METADATA, key, with_recorder},
    table::{
        BODY_BYTES, BODY_OUTCOMES, DATE_SKEW, DECISIONS, HEAD_DURATION, KEY_LAST_USE, Metric,
        REPLAY_CLAIMS, REPLAY_STORE_ENTRIES, VERIFY_DURATION,
    },
};
#[cfg(feature = "policy")]
use crate::{metrics::record::Authorization, mode::Mode};

/// The lifetime of a cached handle. An exporter may drop an idle series, and a handle to a dropped
/// series loses its values.
const KEPT: Duration = Duration::from_secs(15);

/// The number of shards per metric. Requests contend only within a shard.
const PARTS: u64 = 16;

/// The maximum number of handles in a shard. A full shard is cleared. In total: 65,536 handles per
/// metric, about 3 MiB.
const ROOM: usize = 4096;

/// The handles of one layer, for the metrics of every request.
#[derive(Debug)]
pub(crate) struct Handles {
    pub(super) decisions: Series<Counter>,
    pub(super) verify_duration: Series<Histogram>,
    pub(super) head_duration: Series<Histogram>,
    pub(super) date_skew: Series<Histogram>,
    pub(super) body_bytes: Series<Histogram>,
    body_outcomes: Series<Counter>,
    pub(super) key_last_use: Series<Gauge>,
    pub(super) replay_claims: Series<Counter>,
    pub(super) replay_entries: Series<Gauge>,
    #[cfg(feature = "policy")]
    pub(super) authorization: Series<Counter>,
}

impl Default for Handles {
    fn default() -> Self {
        Self {
            decisions: Series::new(&DECISIONS),
            verify_duration: Series::new(&VERIFY_DURATION),
            head_duration: Series::new(&HEAD_DURATION),
            date_skew: Series::new(&DATE_SKEW),
            body_bytes: Series::new(&BODY_BYTES),
            body_outcomes: Series::new(&BODY_OUTCOMES),
            key_last_use: Series::new(&KEY_LAST_USE),
            replay_claims: Series::new(&REPLAY_CLAIMS),
            replay_entries: Series::new(&REPLAY_STORE_ENTRIES),
            #[cfg(feature = "policy")]
            authorization: Series::new(&super::table::AUTHORIZATION_DECISIONS),
        }
    }
}

impl Handles {
    /// Counts the decision of an authorization layer.
    #[cfg(feature = "policy")]
    pub(crate) fn authorization_decision(
        &self,
        decided: Authorization,
        caller: Option<&KeyId>,
        mode: Mode,
    ) {
        with_recorder(|recorder| {
            let caller = caller.map_or("", KeyId::as_str);
            let labels = [decided.as_str(), caller, mode.as_str()];
            self.authorization.count(recorder, labels, Instant::now());
        });
    }

    /// Counts a body that the handler reads while it is verified.
    pub(crate) fn body_outcome(&self, mode: &str, outcome: &str) {
        with_recorder(|recorder| {
            self.body_outcomes
                .count(recorder, [mode, outcome], Instant::now());
        });
    }

    /// Measures the length of a verified body.
    pub(crate) fn body_bytes(&self, caller: &KeyId, bytes: u64) {
        with_recorder(|recorder| {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            self.body_bytes
                .measure(recorder, [caller.as_str()], bytes.into(), Instant::now());
        });
    }

    /// Counts the answer of the replay store. `None` means no answer.
    pub(crate) fn replay_answer(&self, answer: Option<ClaimOutcome>) {
        let answer = match answer {
            Some(ClaimOutcome::Fresh) => "fresh",
            Some(ClaimOutcome::OverQuota) => "over_quota",
            Some(_) => "replayed",
            None => "error",
        };
        with_recorder(|recorder| {
            self.replay_claims.count(recorder, [answer], Instant::now());
        });
    }

    pub(crate) fn replay_entries(&self, audience: &str, entries: impl FnOnce() -> Option<usize>) {
        with_recorder(|recorder| {
            if let Some(entries) = entries() {
                let entries = u32::try_from(entries).unwrap_or(u32::MAX);
                let now = Instant::now();
                self.replay_entries
                    .set(recorder, [audience], entries.into(), now);
            }
        });
    }
}

/// The cached handles of one metric, one for each recent series.
pub(super) struct Series<H> {
    metric: &'static Metric,
    parts: Box<[Part<H>]>,
    hasher: RandomState,
}

/// The handles under one lock. The alignment keeps two locks off the same cache lines.
#[repr(align(128))]
struct Part<H>(RwLock<Known<H>>);

/// Keys are keyed hashes of the recorder's address and the label values.
type Known<H> = HashMap<u64, (Instant, H)>;

impl<H: Clone> Series<H> {
    fn new(metric: &'static Metric) -> Self {
        Self {
            metric,
            parts: (0..PARTS).map(|_| Part(RwLock::default())).collect(),
            hasher: RandomState::new(),
        }
    }

    fn with<const N: usize>(
        &self,
        recorder: &dyn Recorder,
        labels: [&str; N],
        now: Instant,
        register: impl FnOnce(&metrics::Key) -> H,
        record: impl FnOnce(&H),
    ) {
        let recorder = std::ptr::from_ref(recorder).cast::<()>().addr();
        let series = self.hasher.hash_one((recorder, labels));
        // Invariant: `series % PARTS` is the index of a part.
        let part = usize::try_from(series % PARTS).ok();
        let Some(Part(known)) = part.and_then(|part| self.parts.get(part)) else {
            return;
        };
        let kept = known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, handle)) = kept.get(&series)
            && now.saturating_duration_since(*since) < KEPT
        {
            record(handle);
            return;
        }
        drop(kept);
        let handle = register(&key(self.metric, labels));
        record(&handle);
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ROOM {
            known.clear();
        }
        known.insert(series, (now, handle));
    }
}

impl Series<Counter> {
    pub(super) fn count<const N: usize>(
        &self,
        recorder: &dyn Recorder,
        labels: [&str; N],
        now: Instant,
    ) {
        let register = |key: &_| recorder.register_counter(key, &METADATA);
        self.with(recorder, labels, now, register, |counter| {
            counter.increment(1);
        });
    }
}

impl Series<Gauge> {
    pub(super) fn set<const N: usize>(
        &self,
        recorder: &dyn Recorder,
        labels: [&str; N],
        value: f64,
        now: Instant,
    ) {
        let register = |key: &_| recorder.register_gauge(key, &METADATA);
        self.with(recorder, labels, now, register, |gauge| gauge.set(value));
    }
}

impl Series<Histogram> {
    pub(super) fn measure<const N: usize>(
        &self,
        recorder: &dyn Recorder,
        labels: [&str; N],
        value: f64,
        now: Instant,
    ) {
        let register = |key: &_| recorder.register_histogram(key, &METADATA);
        self.with(recorder, labels, now, register, |histogram| {
            histogram.record(value);
        });
    }
}

impl<H> std::fmt::Debug for Series<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series")
            .field("metric", &self.metric.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics::{Key, KeyName, Metadata, SharedString, Unit};

    use super::*;

    /// A recorder that lists the registered series.
    #[derive(Default)]
    struct Registered(Mutex<Vec<String>>);

    impl Recorder for Registered {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            let labels = key.labels().map(|label| label.value().to_owned());
            let labels = labels.collect::<Vec<_>>().join(",");
            self.0.lock().unwrap().push(labels);
            Counter::from_arc(Arc::new(std::sync::atomic::AtomicU64::new(0)))
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[test]
    fn a_series_is_registered_once_and_again_when_it_may_have_been_forgotten() {
        let (recorder, other) = (Registered::default(), Registered::default());
        let series = Series::<Counter>::new(&REPLAY_CLAIMS);
        let start = Instant::now();
        for _ in 0..3 {
            series.count(&recorder, ["fresh"], start);
            series.count(&recorder, ["replayed"], start);
        }
        series.count(&other, ["fresh"], start);
        series.count(&recorder, ["fresh"], start + KEPT / 2);
        assert_eq!(*recorder.0.lock().unwrap(), ["fresh", "replayed"]);
        assert_eq!(*other.0.lock().unwrap(), ["fresh"]);
        series.count(&recorder, ["fresh"], start + KEPT);
        assert_eq!(*recorder.0.lock().unwrap(), ["fresh", "replayed", "fresh"]);
    }

    #[test]
    fn no_more_handles_are_kept_than_there_is_room_for() {
        let recorder = Registered::default();
        let series = Series::<Counter>::new(&REPLAY_CLAIMS);
        let start = Instant::now();
        let room = usize::try_from(PARTS).unwrap() * ROOM;
        for number in 0..room + room / 2 {
            series.count(&recorder, [&number.to_string()], start);
        }
        for Part(known) in &series.parts {
            let kept = known.read().unwrap().len();
            assert!((1..=ROOM).contains(&kept), "{kept}");
        }
        let registered = recorder.0.lock().unwrap().len();
        assert_eq!(registered, room + room / 2, "each once");
    }
}
