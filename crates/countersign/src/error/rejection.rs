use std::{error, fmt, time::Duration};

use http::{HeaderName, StatusCode};

use super::{
    BodyBound,
    reason::{Detail, Reason, Set, Stale, reason},
};
use crate::{key_id::KeyId, timestamp::Timestamp};

/// A refused request. The cause is with the peer.
///
/// [`kind`](Self::kind) is the part that the peer may know. It determines the status and the code
/// on the wire. The `Display` text is the reason for the operator's log. It names the expected and
/// the found value: headers, hosts, limits with their settings, regions, labels, dates.
///
/// The text never holds a secret, a signature, an expected MAC, a session token, a path, the value
/// of a query parameter, or any part of a body. Text from a peer is [escaped](crate::Escaped) and
/// truncated to 64 bytes. The whole text is printable ASCII of at most 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    kind: RejectionKind,
    reason: Reason,
    caller: Option<KeyId>,
}

/// The part of a rejection that the peer is told.
///
/// Anyone can learn the kinds up to [`InvalidSignature`](Self::InvalidSignature). The others are
/// told only to a peer whose signature matched (see [`is_after_mac`](Self::is_after_mac)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// No signature in an accepted scheme.
    MissingSignature,
    /// Wrong grammar, method or target form, a duplicate, or a head over its limits.
    Malformed,
    /// The request is for an authority of another service.
    Misdirected,
    /// The signature covers too little, or a nonce is missing.
    InsufficientCoverage,
    /// The signed date is outside the window.
    Expired,
    /// Unknown caller, wrong scheme for the key, revoked key or wrong MAC. The peer cannot tell
    /// these apart.
    InvalidSignature,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive before its deadline, or arrived too slowly.
    Timeout,
    /// The body differs from the signed one.
    BodyMismatch,
    /// The nonce has been used.
    Replayed,
    /// The caller has reached its quota.
    OverQuota,
}

impl RejectionKind {
    /// Every kind, in the order in which a verifier checks them.
    pub const ALL: &'static [Self] = &[
        Self::MissingSignature,
        Self::Malformed,
        Self::Misdirected,
        Self::InsufficientCoverage,
        Self::Expired,
        Self::InvalidSignature,
        Self::TooLarge,
        Self::Timeout,
        Self::BodyMismatch,
        Self::Replayed,
        Self::OverQuota,
    ];

    /// Returns the code that the peer is told, in lower case with underscores.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::Malformed => "malformed",
            Self::Misdirected => "misdirected",
            Self::InsufficientCoverage => "insufficient_coverage",
            Self::Expired => "expired",
            Self::InvalidSignature => "invalid_signature",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::BodyMismatch => "body_mismatch",
            Self::Replayed => "replayed",
            Self::OverQuota => "over_quota",
        }
    }

    /// Returns the HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MissingSignature
            | Self::Malformed
            | Self::InsufficientCoverage
            | Self::Expired
            | Self::InvalidSignature
            | Self::BodyMismatch
            | Self::Replayed => StatusCode::UNAUTHORIZED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::OverQuota => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// Returns the gRPC status code.
    ///
    /// Only [`Malformed`](Self::Malformed) is `INVALID_ARGUMENT`: no key makes the request
    /// acceptable. [`Timeout`](Self::Timeout) is `UNAVAILABLE`, because a client may retry.
    pub const fn grpc_status(self) -> u8 {
        match self {
            Self::MissingSignature
            | Self::Misdirected
            | Self::InsufficientCoverage
            | Self::Expired
            | Self::InvalidSignature
            | Self::BodyMismatch
            | Self::Replayed => 16,
            Self::Malformed => 3,
            Self::TooLarge | Self::OverQuota => 8,
            Self::Timeout => 14,
        }
    }

    /// Returns whether only a peer whose signature matched can be told this.
    ///
    /// One exception: if the signature covers the body itself, the body's limits apply before the
    /// signature is checked. [`TooLarge`](Self::TooLarge) and [`Timeout`](Self::Timeout) are then
    /// told to anyone.
    pub const fn is_after_mac(self) -> bool {
        match self {
            Self::MissingSignature
            | Self::Malformed
            | Self::Misdirected
            | Self::InsufficientCoverage
            | Self::Expired
            | Self::InvalidSignature => false,
            Self::TooLarge
            | Self::Timeout
            | Self::BodyMismatch
            | Self::Replayed
            | Self::OverQuota => true,
        }
    }
}

impl Rejection {
    /// Makes a rejection. `reason` is for the operator and names the expected and the found value.
    pub const fn new(kind: RejectionKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason: Reason::Fixed(reason),
            caller: None,
        }
    }

    /// Makes a rejection whose reason names the found value. Wrap text from a peer in
    /// [`Escaped`](crate::Escaped). The reason **must not** hold anything that [`Rejection`] never
    /// holds.
    ///
    /// Everything but printable ASCII is escaped, and the text is truncated to 1,024 bytes.
    #[cold]
    pub fn naming(kind: RejectionKind, reason: fmt::Arguments<'_>) -> Self {
        Self::because(kind, Reason::composed(reason))
    }

    #[cold]
    pub(crate) fn because(kind: RejectionKind, reason: impl Into<Reason>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            caller: None,
        }
    }

    #[cold]
    pub(crate) fn malformed(reason: impl Into<Reason>) -> Self {
        Self::because(RejectionKind::Malformed, reason)
    }

    #[cold]
    pub(crate) fn invalid_signature(reason: impl Into<Reason>) -> Self {
        Self::because(RejectionKind::InvalidSignature, reason)
    }

    #[cold]
    pub(crate) fn insufficient_coverage(reason: impl Into<Reason>) -> Self {
        Self::because(RejectionKind::InsufficientCoverage, reason)
    }

    #[cold]
    pub(crate) fn header(kind: RejectionKind, name: &HeaderName, problem: &'static str) -> Self {
        Self::because(kind, reason!("header {}: {}", name, problem))
    }

    /// Refuses a date outside the window. `carrier` is the header or parameter that carries the
    /// date.
    #[cold]
    pub(crate) fn stale(
        carrier: &'static str,
        signed_at: Timestamp,
        now: Timestamp,
        window: Duration,
    ) -> Self {
        let stale = Detail::Stale(Stale {
            carrier,
            signed_at,
            now,
            window,
        });
        Self::because(RejectionKind::Expired, stale)
    }

    /// Refuses a body that exceeded a limit: [`TooLarge`](RejectionKind::TooLarge) for a length,
    /// else [`Timeout`](RejectionKind::Timeout).
    ///
    /// The reason names the limit, the bytes `found` (declared or received), and the `setting` that
    /// changes the limit, such as `"BodyLimits::with_max_bytes"`.
    #[cold]
    pub fn body(bound: BodyBound, found: u64, setting: &'static str) -> Self {
        let reason = match bound {
            BodyBound::Length(_) => reason!(
                "body: expected {}, found at least {} (see {})",
                Set(&bound),
                found,
                setting
            ),
            BodyBound::Deadline(_) | BodyBound::Idle(_) | BodyBound::Rate(_) => reason!(
                "body: expected {}, found {} bytes by then (see {})",
                Set(&bound),
                found,
                setting
            ),
        };
        Self::because(bound.kind(), reason)
    }

    /// Adds the authenticated caller: the signature matched, and something else is wrong.
    pub(crate) fn of(mut self, caller: KeyId) -> Self {
        self.caller = Some(caller);
        self
    }

    /// Returns the caller whose key matched, if the request was refused for another reason than its
    /// signature.
    pub fn proven_caller(&self) -> Option<&KeyId> {
        self.caller.as_ref()
    }

    /// Returns the signed date, if it is the reason for the refusal. The date may be
    /// unauthenticated.
    pub fn stale_date(&self) -> Option<Timestamp> {
        let Reason::Detailed(detail) = &self.reason else {
            return None;
        };
        match &**detail {
            Detail::Stale(stale) => Some(stale.signed_at),
            Detail::Composed(_) | Detail::Mismatch(_) => None,
        }
    }

    /// Returns the reason alone.
    pub(crate) fn into_reason(self) -> Reason {
        self.reason
    }

    /// Returns the part that the peer is told.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_code_of_its_own() {
        let mut codes: Vec<_> = RejectionKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), RejectionKind::ALL.len());
    }

    #[test]
    fn a_bound_of_the_body_is_told_to_the_operator_with_what_was_found_and_the_setting() {
        let second = Duration::from_secs(1);
        for (bound, code, reason) in [
            (
                BodyBound::Length(10),
                "too_large",
                "body: expected at most 10 bytes, found at least 11 (see a setting)",
            ),
            (
                BodyBound::Deadline(second),
                "timeout",
                "body: expected its end within 1s, found 11 bytes by then (see a setting)",
            ),
            (
                BodyBound::Idle(second),
                "timeout",
                "body: expected a byte every 1s, found 11 bytes by then (see a setting)",
            ),
            (
                BodyBound::Rate(20),
                "timeout",
                "body: expected 20 bytes a second, found 11 bytes by then (see a setting)",
            ),
        ] {
            let rejection = Rejection::body(bound, 11, "a setting");
            assert_eq!(rejection.kind().code(), code);
            assert_eq!(rejection.to_string(), reason);
        }
    }

    #[test]
    fn a_stale_date_is_told_to_the_operator_with_both_clocks() {
        let rejection = Rejection::stale(
            "x-date",
            Timestamp::from_unix_seconds(0),
            Timestamp::from_unix_seconds(1000),
            Duration::from_secs(300),
        );
        assert_eq!(
            rejection.to_string(),
            "x-date: signed at 1970-01-01T00:00:00Z, more than 300 s from 1970-01-01T00:16:40Z"
        );
        assert_eq!(rejection.kind().code(), "expired");
        assert_eq!(
            rejection.stale_date(),
            Some(Timestamp::from_unix_seconds(0))
        );
    }

    /// Every step of a verifier returns a rejection or its result.
    #[test]
    fn a_rejection_is_small() {
        assert!(size_of::<Rejection>() <= 40, "{}", size_of::<Rejection>());
    }

    #[test]
    fn milliseconds_in_place_of_seconds_are_told_with_what_carried_them() {
        let signed_at = Timestamp::from_unix_seconds(1_795_935_271_891);
        let now = Timestamp::from_unix_seconds(1_795_935_271);
        let rejection = Rejection::stale("created", signed_at, now, Duration::from_secs(300));
        assert_eq!(
            rejection.to_string(),
            "created: expected seconds since 1970-01-01T00:00:00Z, found 1795935271891, which \
            looks like milliseconds; it is 2026-11-29T06:54:31Z"
        );
    }
}
