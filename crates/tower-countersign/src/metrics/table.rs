//! The names, kinds, labels, buckets and descriptions of the metrics.

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    description: &'static str,
}

/// How the values of a metric are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A count that only rises, from 0 at the start of the process.
    Counter,
    /// The last value.
    Gauge,
    /// A count of values per [bucket](Metric::buckets).
    Histogram,
}

impl Metric {
    /// Returns the name. It ends in the unit, `_seconds` or `_bytes`. A counter's name ends in
    /// `_total`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the names of the labels. Every value has all of them.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// Returns the suggested upper bounds of the buckets, ascending, in the metric's unit. Empty
    /// unless the metric is a histogram. Configure them in the exporter: without buckets an
    /// exporter may use quantiles, which cannot be summed over replicas.
    pub const fn buckets(&self) -> &'static [f64] {
        self.buckets
    }

    /// Returns a description of one sentence.
    pub const fn description(&self) -> &'static str {
        self.description
    }
}

/// Every metric.
pub const ALL: &[Metric] = &[
    DECISIONS,
    VERIFY_DURATION,
    HEAD_DURATION,
    DATE_SKEW,
    BODY_BYTES,
    BODY_OUTCOMES,
    REPLAY_STORE_ENTRIES,
    REPLAY_CLAIMS,
    REPLAY_STORE_BYPASSED,
    STORE_ERRORS,
    STORE_WAIT,
    KEY_LAST_USE,
    KEY_RELOADS,
    POLICY_RELOADS,
    BAD_SOURCES,
    AUTHORIZATION_DECISIONS,
    MISMATCH_HINTS,
];

/// Decisions on requests.
pub const DECISIONS: Metric = Metric {
    name: "countersign_decisions_total",
    kind: Kind::Counter,
    labels: &["scheme", "outcome", "code", "caller", "mode"],
    buckets: &[],
    description: "Requests by decision; in report-only mode, by the decision of enforcement.",
};

/// The time from a request's head to the decision, including the body.
pub const VERIFY_DURATION: Metric = Metric {
    name: "countersign_verify_duration_seconds",
    kind: Kind::Histogram,
    labels: &["scheme", "outcome", "mode"],
    buckets: DURATIONS,
    description: "Time from a request's head to the decision, including body and stores.",
};

/// The time until the signature over the head matched, before the body is read.
pub const HEAD_DURATION: Metric = Metric {
    name: "countersign_verify_head_duration_seconds",
    kind: Kind::Histogram,
    labels: &["scheme", "mode"],
    buckets: DURATIONS,
    description: "Time from a request's head to its verified signature, including the key store.",
};

/// The distance of signed dates from the verifier's clock.
pub const DATE_SKEW: Metric = Metric {
    name: "countersign_date_skew_seconds",
    kind: Kind::Histogram,
    labels: &["outcome", "direction", "caller"],
    buckets: &[
        0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3_600.0,
    ],
    description: "Distance of the signed date from the clock, at most one day; of accepted \
                  requests and of those refused for their date.",
};

/// The length of accepted bodies.
pub const BODY_BYTES: Metric = Metric {
    name: "countersign_body_bytes",
    kind: Kind::Histogram,
    labels: &["caller"],
    buckets: &[
        0.0,
        256.0,
        1_024.0,
        4_096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        2_097_152.0,
        8_388_608.0,
    ],
    description: "Length of the bodies of accepted requests.",
};

/// What became of the bodies that the handler reads while they are verified.
///
/// `outcome` is `verified`, `body_mismatch`, `too_large`, `timeout`, `broken_off`, `storage` or
/// `unread`. The decision on the head is counted apart, in [`DECISIONS`].
pub const BODY_OUTCOMES: Metric = Metric {
    name: "countersign_body_outcomes_total",
    kind: Kind::Counter,
    labels: &["body_mode", "outcome"],
    buckets: &[],
    description: "Bodies of accepted requests on streamed routes, by what became of them.",
};

/// The number of nonces in a replay store.
pub const REPLAY_STORE_ENTRIES: Metric = Metric {
    name: "countersign_replay_store_entries",
    kind: Kind::Gauge,
    labels: &["audience"],
    buckets: &[],
    description: "Entries of the replay store at its last claim, if the store counts them.",
};

/// The answers of replay stores.
pub const REPLAY_CLAIMS: Metric = Metric {
    name: "countersign_replay_claims_total",
    kind: Kind::Counter,
    labels: &["answer"],
    buckets: &[],
    description: "Claims of nonces by the replay store's answer.",
};

/// Requests accepted without an answer of the replay store.
pub const REPLAY_STORE_BYPASSED: Metric = Metric {
    name: "countersign_replay_store_bypassed_total",
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
    description: "Requests accepted without replay protection because the store did not answer.",
};

/// The failures of stores and of the body buffer.
pub const STORE_ERRORS: Metric = Metric {
    name: "countersign_store_errors_total",
    kind: Kind::Counter,
    labels: &["store", "error"],
    buckets: &[],
    description: "Requests that a key store, a replay store or the body buffer could not serve.",
};

/// The response time of stores that do not answer at once.
pub const STORE_WAIT: Metric = Metric {
    name: "countersign_store_wait_seconds",
    kind: Kind::Histogram,
    labels: &["store"],
    buckets: DURATIONS,
    description: "Time that stores took to answer, without the answers given at once.",
};

/// The time when each key last verified a request.
pub const KEY_LAST_USE: Metric = Metric {
    name: "countersign_key_last_use_timestamp_seconds",
    kind: Kind::Gauge,
    labels: &["caller", "key_version"],
    buckets: &[],
    description: "Unix time of the last request that this process accepted with the key.",
};

/// Reloads of keys.
pub const KEY_RELOADS: Metric = Metric {
    name: "countersign_key_reloads_total",
    kind: Kind::Counter,
    labels: &["result"],
    buckets: &[],
    description: "Reloads of keys; after a failure the old keys stay in use.",
};

/// Reloads of policies.
pub const POLICY_RELOADS: Metric = Metric {
    name: "countersign_policy_reloads_total",
    kind: Kind::Counter,
    labels: &["result"],
    buckets: &[],
    description: "Reloads of authorization policies; after a failure the old policy stays in use.",
};

/// Sources that are bad now.
pub const BAD_SOURCES: Metric = Metric {
    name: "countersign_bad_sources",
    kind: Kind::Gauge,
    labels: &["source"],
    buckets: &[],
    description: "Watched key or policy sources that are bad now; their old content stays in use.",
};

/// The decisions of authorization layers.
pub const AUTHORIZATION_DECISIONS: Metric = Metric {
    name: "countersign_authorization_decisions_total",
    kind: Kind::Counter,
    labels: &["outcome", "caller", "mode"],
    buckets: &[],
    description: "Requests by an authorization layer's decision; in report-only mode, by the \
                  decision of enforcement.",
};

/// Hints on refused requests of known callers, if a layer [makes
/// hints](crate::VerifyLayer::with_mismatch_hints).
pub const MISMATCH_HINTS: Metric = Metric {
    name: "countersign_mismatch_hints_total",
    kind: Kind::Counter,
    labels: &["hint", "scheme", "caller"],
    buckets: &[],
    description: "Refused requests of known callers by the mistake that explains them, at most one \
                  a second per caller.",
};

const DURATIONS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 1.0,
    5.0, 30.0,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_say_what_they_count_in() {
        let names: BTreeSet<_> = ALL.iter().map(Metric::name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let name = metric.name();
            assert!(name.starts_with("countersign_"), "{name}");
            assert_eq!(
                name.ends_with("_total"),
                metric.kind() == Kind::Counter,
                "{name}"
            );
            if metric.kind() == Kind::Histogram {
                assert!(
                    name.ends_with("_seconds") || name.ends_with("_bytes"),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn histograms_have_ascending_buckets_and_nothing_else_has_any() {
        for metric in ALL {
            let (name, buckets) = (metric.name(), metric.buckets());
            assert_eq!(
                !buckets.is_empty(),
                metric.kind() == Kind::Histogram,
                "{name}"
            );
            assert!(buckets.is_sorted_by(|a, b| a < b), "{name}");
        }
    }
}
