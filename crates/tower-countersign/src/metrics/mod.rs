//! The metrics of this crate, all listed in one [table](ALL).
//!
//! ```
//! use tower_countersign::metrics;
//!
//! // Dashboards need the names. An exporter needs the buckets.
//! let skew = metrics::DATE_SKEW;
//! assert_eq!(skew.name(), "countersign_date_skew_seconds");
//! assert_eq!(skew.labels(), ["outcome", "direction", "caller"]);
//! assert!(skew.buckets().contains(&300.0), "the default window of a verifier");
//! ```
//!
//! All values go to the facade of the crate `metrics`. Without a recorder, no clock is read and
//! nothing is allocated for metrics. The recorder can be installed at any time, before or after the
//! layers are built. A recorder of a zero-sized type counts as none.
//!
//! Handles of per-request metrics are cached for 15 seconds. An exporter must not drop idle series
//! earlier. At most 65,536 handles per metric are cached, and the work per request does not grow
//! with the number of callers.
//!
//! An exporter keeps one series per caller. Size the exporter for the number of callers, or drop
//! the label `caller` there.
//!
//! # Labels are bounded
//!
//! | label | values |
//! |---|---|
//! | `scheme` | [`Scheme::name`](countersign::Scheme::name); empty if no accepted scheme is named |
//! | `outcome` | `accepted`, `refused`, `undecided`; for authorization `allowed`, `denied` |
//! | `code` | [`Refusal::code`](crate::Refusal::code); empty unless refused |
//! | `caller` | the caller whose signature matched, as its key record names it; otherwise empty |
//! | `key_version` | the version of the key that matched |
//! | `mode` | `enforced`, `report_only` |
//! | `body_mode` | `stream` |
//! | `direction` | `past`, `future` |
//! | `audience` | the [audience of the layer](crate::VerifyLayer::with_audience) |
//! | `answer` | `fresh`, `replayed`, `over_quota`, `error` |
//! | `store` | `keys`, `replay`, `body_buffer`, `body_storage` |
//! | `error` | `unavailable`, `timeout`, `full` |
//! | `result` | `success`, `failure` |
//! | `source` | `keys`, `policy` |
//! | `hint` | [`Cause::as_str`](countersign::diagnose::Cause::as_str) or `none` |
//!
//! No label holds text that a peer wrote: no asserted key id, no method and no path.
//!
//! In the repository, `crates/OPERATIONS.md` explains each metric and what to do when it changes. A
//! Grafana dashboard and Prometheus alerts are in `crates/tower-countersign/operations`.

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
        ALL, AUTHORIZATION_DECISIONS, BAD_SOURCES, BODY_BYTES, BODY_OUTCOMES, DATE_SKEW, DECISIONS,
        HEAD_DURATION, KEY_LAST_USE, KEY_RELOADS, Kind, MISMATCH_HINTS, Metric, POLICY_RELOADS,
        REPLAY_CLAIMS, REPLAY_STORE_BYPASSED, REPLAY_STORE_ENTRIES, STORE_ERRORS, STORE_WAIT,
        VERIFY_DURATION,
    },
};
