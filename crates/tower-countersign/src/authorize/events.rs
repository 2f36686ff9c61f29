//! The events of the authorization layers.
//!
//! All have the target `countersign`.
//!
//! | level | `outcome` | when | other fields |
//! |---|---|---|---|
//! | `debug` | `allowed` | a request is allowed | `caller`, `method`, `statement` |
//! | `warn` | `forbidden` | a request is refused | the same, `reason`, `suppressed` |
//! | `warn` | `would_forbid` | a report-only layer would refuse it | as `forbidden` |
//!
//! `caller` is present if one was verified. `statement` is present if a statement of the policy
//! decided.
//!
//! At most ten refusals a second are logged for each verified caller, and ten for all requests
//! without one. `suppressed` counts the refusals not logged since the last event. `method` comes
//! from the peer: the text is cut to 64 bytes, and all but visible ASCII characters are escaped. No
//! event holds a path or a query.

use countersign::{Escaped, KeyId, StatementId, Timestamp};
use http::Method;

use super::forbidden::Forbidden;
use crate::{mode::Mode, verify::events::Events};

pub(super) fn allowed(caller: Option<&KeyId>, method: &Method, statement: Option<&StatementId>) {
    tracing::debug!(
        target: "countersign",
        outcome = "allowed",
        caller = caller.map(tracing::field::display),
        method = %Escaped::text(method.as_str()),
        statement = statement.map(tracing::field::display),
    );
}

pub(super) fn forbidden(
    events: &Events,
    forbidden: &Forbidden,
    mode: Mode,
    method: &Method,
    now: Timestamp,
) {
    let outcome = match mode {
        Mode::Enforced => "forbidden",
        Mode::ReportOnly => "would_forbid",
    };
    let Some(suppressed) = events.admit(forbidden.code(), forbidden.caller(), now) else {
        return;
    };
    tracing::warn!(
        target: "countersign",
        outcome,
        caller = forbidden.caller().map(tracing::field::display),
        method = %Escaped::text(method.as_str()),
        statement = forbidden.reason().statement().map(tracing::field::display),
        suppressed,
        reason = %forbidden.reason(),
    );
}
