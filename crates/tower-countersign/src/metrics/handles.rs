//! What the recorder has registered, kept so that a value need not be looked up by its name and all its labels.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use metrics::{Counter, Gauge, Histogram, Recorder};

use super::{
    record::{METADATA, key},
    table::{
        AUTHORIZATION_DECISIONS, BODY_BYTES, DATE_SKEW, DECISIONS, HEAD_DURATION, KEY_LAST_USE,
        Metric, REPLAY_CLAIMS, REPLAY_STORE_ENTRIES, VERIFY_DURATION,
    },
};

/// A handle is asked for anew after this time: an exporter may have forgotten a series that nothing was heard of for a
/// while, and a handle of it would count into nowhere.
const KEPT: Duration = Duration::from_secs(15);

/// The handles of one layer, for what is counted with every request.
#[derive(Debug)]
pub(crate) struct Handles {
    pub(super) decisions: Series<Counter>,
    pub(super) verify_duration: Series<Histogram>,
    pub(super) head_duration: Series<Histogram>,
    pub(super) date_skew: Series<Histogram>,
    pub(super) body_bytes: Series<Histogram>,
    pub(super) key_last_use: Series<Gauge>,
    pub(super) replay_claims: Series<Counter>,
    pub(super) replay_entries: Series<Gauge>,
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
            key_last_use: Series::new(&KEY_LAST_USE),
            replay_claims: Series::new(&REPLAY_CLAIMS),
            replay_entries: Series::new(&REPLAY_STORE_ENTRIES),
            authorization: Series::new(&AUTHORIZATION_DECISIONS),
        }
    }
}

/// The handles of one metric: as many as its labels have values, which is bounded.
pub(super) struct Series<H> {
    metric: &'static Metric,
    /// By a keyed hash of the recorder and the values of the labels.
    known: ArcSwap<HashMap<u64, (Instant, H)>>,
    hasher: RandomState,
}

impl<H: Clone> Series<H> {
    fn new(metric: &'static Metric) -> Self {
        Self {
            metric,
            known: ArcSwap::default(),
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
        if let Some((since, handle)) = self.known.load().get(&series)
            && now.saturating_duration_since(*since) < KEPT
        {
            record(handle);
            return;
        }
        let handle = register(&key(self.metric, labels));
        record(&handle);
        self.known.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.insert(series, (now, handle.clone()));
            known
        });
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

    /// A recorder that tells what it was asked to register.
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
}
