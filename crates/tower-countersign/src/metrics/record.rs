//! Sends values to the recorder, if one is installed.

use std::time::{Duration, Instant};

use countersign::{KeyId, Scheme};
use metrics::{Key, Label, Level, Metadata, Recorder, Unit};

use super::table::{
    ALL, AUTHORIZATION_DECISIONS, BAD_SOURCES, KEY_RELOADS, Kind, MISMATCH_HINTS, Metric,
    POLICY_RELOADS, REPLAY_STORE_BYPASSED, STORE_ERRORS, STORE_WAIT,
};
use crate::{mode::Mode, verified_caller::VerifiedCaller};

pub(super) static METADATA: Metadata<'static> = Metadata::new("countersign", Level::INFO, None);

/// Sends the description of each metric to the installed recorder. Layers call this function when
/// they are built. Call it again after you install a recorder later.
pub fn describe() {
    with_recorder(|recorder| {
        for metric in ALL {
            let name = metric.name();
            let text = metric.description();
            let unit = match name {
                _ if name.ends_with("_seconds") => Some(Unit::Seconds),
                _ if name.ends_with("_bytes") => Some(Unit::Bytes),
                _ => None,
            };
            match metric.kind() {
                Kind::Counter => recorder.describe_counter(name.into(), unit, text.into()),
                Kind::Gauge => recorder.describe_gauge(name.into(), unit, text.into()),
                Kind::Histogram => recorder.describe_histogram(name.into(), unit, text.into()),
            }
        }
    });
}

/// The result of a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a reload either succeeds or leaves the old content in use"
)]
pub enum Reload {
    /// The new content is in use.
    Succeeded,
    /// The old content stays in use.
    Failed,
}

impl Reload {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "success",
            Self::Failed => "failure",
        }
    }
}

/// Counts a reload of keys ([`KEY_RELOADS`]), for sources that the application reloads.
pub fn key_reload(result: Reload) {
    with_recorder(|recorder| count(recorder, &KEY_RELOADS, [result.as_str()]));
}

/// Counts a reload of a policy ([`POLICY_RELOADS`]), for sources that the application reloads.
pub fn policy_reload(result: Reload) {
    with_recorder(|recorder| count(recorder, &POLICY_RELOADS, [result.as_str()]));
}

/// The content of a watched source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// Keys of callers or targets.
    Keys,
    /// An authorization policy.
    Policy,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Policy => "policy",
        }
    }
}

/// Sets the number of bad sources of this kind ([`BAD_SOURCES`]), for sources that the application
/// reloads.
pub fn bad_sources(source: Source, bad: u32) {
    with_recorder(|recorder| {
        let key = key(&BAD_SOURCES, [source.as_str()]);
        recorder.register_gauge(&key, &METADATA).set(f64::from(bad));
    });
}

/// Counts a request that was accepted without an answer of the replay store:
/// [`REPLAY_STORE_BYPASSED`].
pub fn replay_store_bypassed() {
    with_recorder(|recorder| count(recorder, &REPLAY_STORE_BYPASSED, []));
}

/// Counts a hint. `caller` is a caller whose key matched a changed copy of the request.
pub(crate) fn mismatch_hint(hint: &str, scheme: Option<Scheme>, caller: Option<&KeyId>) {
    with_recorder(|recorder| {
        let scheme = scheme.map_or("", Scheme::name);
        let caller = caller.map_or("", KeyId::as_str);
        count(recorder, &MISMATCH_HINTS, [hint, scheme, caller]);
    });
}

/// The decision of an authorization layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "each request is allowed or denied")]
pub enum Authorization {
    /// The caller may make the request.
    Allowed,
    /// The caller may not make the request, or no caller was verified.
    Denied,
}

impl Authorization {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
        }
    }
}

/// Counts the decision of an authorization layer:
/// [`AUTHORIZATION_DECISIONS`](super::AUTHORIZATION_DECISIONS). `caller` is `None` for a request
/// without a verified caller.
pub fn authorization_decision(decided: Authorization, caller: Option<&VerifiedCaller>, mode: Mode) {
    with_recorder(|recorder| {
        let caller = caller.map_or("", |caller| caller.id().as_str());
        let labels = [decided.as_str(), caller, mode.as_str()];
        count(recorder, &AUTHORIZATION_DECISIONS, labels);
    });
}

/// A resource that a request needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Store {
    Keys,
    Replay,
    BodyBuffer,
    BodyStorage,
}

impl Store {
    /// Returns the name used in refusals.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keys => "key store",
            Self::Replay => "replay store",
            Self::BodyBuffer => "body buffer",
            Self::BodyStorage => "body storage",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Replay => "replay",
            Self::BodyBuffer => "body_buffer",
            Self::BodyStorage => "body_storage",
        }
    }
}

/// The reason why a resource did not serve a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StoreError {
    Unavailable,
    Timeout,
    Full,
}

impl StoreError {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Full => "full",
        }
    }
}

pub(crate) fn store_error(store: Store, error: StoreError) {
    with_recorder(|recorder| {
        let labels = [store.as_str(), error.as_str()];
        count(recorder, &STORE_ERRORS, labels);
    });
}

/// The time until a store has answered, measured if a recorder is installed.
#[derive(Debug)]
pub(crate) struct Wait {
    store: Store,
    began: Option<Instant>,
}

impl Wait {
    pub(crate) fn begin(store: Store) -> Self {
        Self {
            store,
            began: now_if_recorded(),
        }
    }

    pub(crate) fn end(self) {
        let Some(began) = self.began else { return };
        with_recorder(|recorder| {
            let labels = [self.store.as_str()];
            measure(recorder, &STORE_WAIT, labels, seconds(began.elapsed()));
        });
    }
}

/// Calls `record` if the process has installed a recorder.
///
/// The facade does not tell whether a recorder is installed. Without one, the facade passes its
/// zero-sized `NoopRecorder`. Real recorders hold state or a handle.
pub(super) fn with_recorder(record: impl FnOnce(&dyn Recorder)) {
    metrics::with_recorder(|recorder| {
        if size_of_val(recorder) != 0 {
            record(recorder);
        }
    });
}

/// Returns the current time if a recorder is installed.
pub(super) fn now_if_recorded() -> Option<Instant> {
    let mut now = None;
    with_recorder(|_| now = Some(Instant::now()));
    now
}

pub(super) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn count<const N: usize>(recorder: &dyn Recorder, metric: &Metric, values: [&str; N]) {
    let counter = recorder.register_counter(&key(metric, values), &METADATA);
    counter.increment(1);
}

fn measure<const N: usize>(
    recorder: &dyn Recorder,
    metric: &Metric,
    values: [&str; N],
    value: f64,
) {
    let histogram = recorder.register_histogram(&key(metric, values), &METADATA);
    histogram.record(value);
}

pub(super) fn key<const N: usize>(metric: &Metric, values: [&str; N]) -> Key {
    debug_assert_eq!(metric.labels().len(), N, "{}", metric.name());
    let labels = metric.labels().iter().zip(values);
    let labels: Vec<_> = labels
        .map(|(name, value)| Label::new(*name, value.to_owned()))
        .collect();
    Key::from_parts(metric.name(), labels)
}
