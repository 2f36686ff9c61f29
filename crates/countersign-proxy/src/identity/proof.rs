//! Writes what was verified.

use countersign::{BodyState, Coverage};
use http::HeaderValue;
use tower_countersign::VerifiedCaller;

/// Returns a dictionary of RFC 9651:
/// `v=1, key="2026-01", scheme="HMAC-SHA256", coverage=request, replay=?1, date=@1795937152,
/// body=verified`.
///
/// - `key`: the version of the key that matched.
/// - `coverage`: `request`, `partial` or `body`: which part of the request is signed.
/// - `replay`: whether the request was the first with its nonce.
/// - `date`: the signed date in seconds since 1970.
/// - `body`: `verified`, `signed` or `unsigned`.
pub(super) fn of(caller: &VerifiedCaller) -> Option<HeaderValue> {
    let coverage = match caller.coverage() {
        Coverage::Request => "request",
        Coverage::BodyOnly => "body",
        // A later kind covers no more than a part, as far as an upstream of today knows.
        _ => "partial",
    };
    let body = match caller.body() {
        BodyState::Verified(_) => "verified",
        BodyState::Signed => "signed",
        _ => "unsigned",
    };
    // The version of a key and the name of a scheme hold no quote and no backslash.
    let proof = format!(
        "v=1, key=\"{}\", scheme=\"{}\", coverage={coverage}, replay=?{}, date=@{}, body={body}",
        caller.key_version().as_str(),
        caller.scheme().name(),
        u8::from(caller.replay_protected()),
        caller.signed_at().as_unix_seconds(),
    );
    HeaderValue::try_from(proof).ok()
}
