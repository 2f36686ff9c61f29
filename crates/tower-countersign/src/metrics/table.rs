//! The names, kinds, units, labels and buckets.

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    description: &'static str,
}

/// What becomes of the values of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It only rises, from 0 at the start of the process.
    Counter,
    /// The last value holds.
    Gauge,
    /// Values are sorted into [buckets](Metric::buckets).
    Histogram,
}

impl Metric {
    /// The name, which ends in its unit: `_seconds`, `_bytes`; of counters in `_total`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The names of the labels, each of which every value has.
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// The upper bounds of buckets that suit a histogram, ascending, in its unit; empty for other kinds. An exporter has to
    /// be told them, or it may choose quantiles instead, which cannot be summed over replicas.
    pub const fn buckets(&self) -> &'static [f64] {
        self.buckets
    }

    /// One sentence.
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
    description: "Requests by what was decided on them; in report-only mode, by what would have been.",
};

/// The time from a request's head to the decision, its body included.
pub const VERIFY_DURATION: Metric = Metric {
    name: "countersign_verify_duration_seconds",
    kind: Kind::Histogram,
    labels: &["scheme", "outcome", "mode"],
    buckets: DURATIONS,
    description: "Time from a request's head to the decision on it, with its body's arrival and the stores' answers.",
};

/// The time to the check of the signature over the head, before one byte of the body is read.
pub const HEAD_DURATION: Metric = Metric {
    name: "countersign_verify_head_duration_seconds",
    kind: Kind::Histogram,
    labels: &["scheme", "mode"],
    buckets: DURATIONS,
    description: "Time from a request's head to its signature found right, before the body; the key store's answer included.",
};

/// How far signed dates are from the verifier's clock.
pub const DATE_SKEW: Metric = Metric {
    name: "countersign_date_skew_seconds",
    kind: Kind::Histogram,
    labels: &["outcome", "direction", "caller"],
    buckets: &[
        0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3_600.0,
    ],
    description: "Distance of the signed date from the verifier's clock, of accepted requests and of those refused for it; a day at most.",
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

/// How many nonces a replay store holds.
pub const REPLAY_STORE_ENTRIES: Metric = Metric {
    name: "countersign_replay_store_entries",
    kind: Kind::Gauge,
    labels: &["audience"],
    buckets: &[],
    description: "Entries of the replay store at its last claim, for stores that can tell.",
};

/// What replay stores answered.
pub const REPLAY_CLAIMS: Metric = Metric {
    name: "countersign_replay_claims_total",
    kind: Kind::Counter,
    labels: &["answer"],
    buckets: &[],
    description: "Claims of nonces by the replay store's answer.",
};

/// Requests that were let through without an answer of the replay store.
pub const REPLAY_STORE_BYPASSED: Metric = Metric {
    name: "countersign_replay_store_bypassed_total",
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
    description: "Requests let through without replay protection because the store did not answer and the layer is set to go on.",
};

/// What could not answer.
pub const STORE_ERRORS: Metric = Metric {
    name: "countersign_store_errors_total",
    kind: Kind::Counter,
    labels: &["store", "error"],
    buckets: &[],
    description: "Times that a key store, a replay store or the buffer of bodies could not serve a request.",
};

/// How long stores that have to be waited for took to answer.
pub const STORE_WAIT: Metric = Metric {
    name: "countersign_store_wait_seconds",
    kind: Kind::Histogram,
    labels: &["store"],
    buckets: DURATIONS,
    description: "Time that stores took which do not answer at once.",
};

/// When each key was last seen to verify a request.
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
    description: "Reloads of keys; after a failure the old ones stay in force.",
};

/// Reloads of policies.
pub const POLICY_RELOADS: Metric = Metric {
    name: "countersign_policy_reloads_total",
    kind: Kind::Counter,
    labels: &["result"],
    buckets: &[],
    description: "Reloads of authorization policies; after a failure the old one stays in force.",
};

/// Sources that cannot be read now.
pub const BAD_SOURCES: Metric = Metric {
    name: "countersign_bad_sources",
    kind: Kind::Gauge,
    labels: &["source"],
    buckets: &[],
    description: "Watched sources of keys or policies that are bad now; what was read before stays in force.",
};

/// What authorization layers decided.
pub const AUTHORIZATION_DECISIONS: Metric = Metric {
    name: "countersign_authorization_decisions_total",
    kind: Kind::Counter,
    labels: &["outcome", "caller", "mode"],
    buckets: &[],
    description: "Requests by what an authorization layer decided on them; in report-only mode, by what it would have.",
};

/// Hints on refused requests of known callers, where a layer
/// [makes them](crate::VerifyLayer::with_mismatch_hints).
pub const MISMATCH_HINTS: Metric = Metric {
    name: "countersign_mismatch_hints_total",
    kind: Kind::Counter,
    labels: &["hint", "scheme", "caller"],
    buckets: &[],
    description: "Refused requests of known callers by the known mistake that explains them; at most one a second for each caller.",
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
