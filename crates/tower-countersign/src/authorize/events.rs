//! The events of the authorization layers.
//!
//! All have the target `countersign`.
//!
//! | level | when | fields |
//! |---|---|---|
//! | `debug` | a request was let through | `outcome = "allowed"`, `caller`, `method`, and `statement`, the one of the policy that allows it |
//! | `warn` | a request was refused | `outcome = "forbidden"`, `reason`, `method`, `caller` if one was proven, `statement` if one denies it, `suppressed` |
//! | `warn` | a layer that [only reports](crate::AuthorizeLayer::insecure_report_only) would have refused it | the same with `outcome = "would_forbid"` |
//!
//! Refusals are written at most ten times a second: separately for each verified caller, and for all requests together that
//! have none. `suppressed` counts those left out since the last one. The text of `method` is the peer's: it is cut to 64 bytes and every character but visible ASCII is
//! escaped. No event holds a path or a query.

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
