//! What can be watched: every metric of this crate, with its labels, in one [table](ALL).
//!
//! ```
//! use tower_countersign::metrics;
//!
//! // The names are for dashboards; the buckets are for an exporter, which has to be told them.
//! let skew = metrics::ALL.iter().find(|metric| metric.name() == "countersign_date_skew_seconds").unwrap();
//! assert_eq!(skew.labels(), ["outcome", "direction", "caller"]);
//! assert!(skew.buckets().contains(&300.0), "the window of a verifier that is not told another");
//! ```
//!
//! Everything is counted through the facade of the crate `metrics`. As long as the process has installed no recorder, no
//! clock is read, no label is made and nothing is allocated for it. Install one at any time, before or after the layers
//! are built. A recorder whose type holds nothing at all (that has a size of zero) is taken for none.
//!
//! Handles of what is counted with every request are kept for 15 seconds. An exporter that forgets series which nothing was
//! heard of for a while must not do so earlier. At most 65,536 handles of each metric are kept, and a request costs the same
//! work however many callers there are.
//!
//! An exporter keeps a series for each caller that calls: size it for the number of callers, or drop the label `caller`
//! there.
//!
//! # Labels are bounded
//!
//! | label | values |
//! |---|---|
//! | `scheme` | [`Scheme::name`](countersign::Scheme::name) of those that are accepted; empty where the head names none of them |
//! | `outcome` | `accepted`, `refused`, `undecided`; of authorization `allowed`, `denied` |
//! | `code` | [`Refusal::code`](crate::Refusal::code); empty unless refused |
//! | `caller` | a caller whose signature matched, by the name that its key record gives it; empty for everyone else |
//! | `key_version` | a version of such a caller's keys |
//! | `mode` | `enforced`, `report_only` |
//! | `direction` | `past`, `future` |
//! | `audience` | [that of the layer](crate::VerifyLayer::with_audience) |
//! | `answer` | `fresh`, `replayed`, `over_quota`, `error` |
//! | `store` | `keys`, `replay`, `body_buffer` |
//! | `error` | `unavailable`, `timeout`, `full` |
//! | `result` | `success`, `failure` |
//! | `source` | `keys`, `policy` |
//! | `hint` | [`Cause::as_str`](countersign::diagnose::Cause::as_str), or `none` |
//!
//! Nothing that a peer writes is a label: not the name that an unproven request claims, not its method, not its path.
//!
//! `crates/OPERATIONS.md` of the repository says what each metric means and what to do when it moves; a Grafana dashboard
//! and Prometheus alerts are in `crates/tower-countersign/operations`.

mod decision;
mod handles;
mod record;
mod table;

pub(crate) use self::{
    decision::Decision,
    handles::Handles,
    record::{Store, StoreError, Wait, mismatch_hint, store_error},
};
pub use self::{
    record::{
        Authorization, Reload, Source, authorization_decision, bad_sources, describe, key_reload,
        policy_reload, replay_store_bypassed,
    },
    table::{
        ALL, AUTHORIZATION_DECISIONS, BAD_SOURCES, BODY_BYTES, DATE_SKEW, DECISIONS, HEAD_DURATION,
        KEY_LAST_USE, KEY_RELOADS, Kind, MISMATCH_HINTS, Metric, POLICY_RELOADS, REPLAY_CLAIMS,
        REPLAY_STORE_BYPASSED, REPLAY_STORE_ENTRIES, STORE_ERRORS, STORE_WAIT, VERIFY_DURATION,
    },
};
