use std::{error, fmt, time::Duration};

use http::{HeaderName, StatusCode};

use super::BodyBound;
use crate::{key::KeyId, timestamp::Timestamp};

/// A request that was refused: the peer's fault.
///
/// [`kind`](Self::kind) is what the peer may know and fixes the status and the code on the wire. The `Display` text is
/// the reason for the operator's log. It holds no secret and no expected signature, and nothing of the peer's choosing
/// but a header name, which is a token and is cut to 64 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    kind: RejectionKind,
    reason: Reason,
    caller: Option<KeyId>,
}

/// What a refused peer is told.
///
/// Kinds up to [`InvalidSignature`](Self::InvalidSignature) can be learned by anyone; the others only by a peer whose
/// signature matched (see [`is_after_mac`](Self::is_after_mac)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// No signature in any scheme that is accepted.
    MissingSignature,
    /// Grammar, caps, duplicates, method or target form.
    Malformed,
    /// The request is for an authority that is not this service's.
    Misdirected,
    /// The signature covers too little, or a nonce is missing.
    InsufficientCoverage,
    /// The signed date is outside the window.
    Expired,
    /// Unknown caller, wrong scheme for the key, revoked key or wrong MAC: all alike.
    InvalidSignature,
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive before its deadline, or arrived too slowly.
    Timeout,
    /// The body is not the one that was signed.
    BodyMismatch,
    /// The nonce has been used.
    Replayed,
    /// The caller has used up its own quota.
    OverQuota,
}

impl RejectionKind {
    /// Every kind, in the order in which a verifier comes to them.
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

    /// The code that the peer is told, in lower case with underscores.
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

    /// The status of the refusal.
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

    /// The status of the refusal of a gRPC call, one of gRPC's numeric status codes.
    ///
    /// Only [`Malformed`](Self::Malformed) is `INVALID_ARGUMENT`: no key makes the request
    /// acceptable. [`Timeout`](Self::Timeout) is `UNAVAILABLE`, as a client may call again.
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

    /// Whether only a peer whose signature matched can be told this.
    ///
    /// Where the signature is over the body itself, the body's limits come before it: there, and only there,
    /// [`TooLarge`](Self::TooLarge) and [`Timeout`](Self::Timeout) are told to anyone.
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

/// Why, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Text(&'static str),
    Header {
        name: HeaderName,
        problem: &'static str,
    },
    Stale {
        signed_at: Timestamp,
        now: Timestamp,
        window: Duration,
    },
    Body {
        bound: BodyBound,
        setting: &'static str,
        found: u64,
    },
}

impl Rejection {
    /// A refusal of this kind. `reason` is for the operator and says what was expected and what was found.
    pub const fn new(kind: RejectionKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason: Reason::Text(reason),
            caller: None,
        }
    }

    #[cold]
    pub(crate) const fn malformed(reason: &'static str) -> Self {
        Self::new(RejectionKind::Malformed, reason)
    }

    pub(crate) const fn invalid_signature(reason: &'static str) -> Self {
        Self::new(RejectionKind::InvalidSignature, reason)
    }

    #[cold]
    pub(crate) fn header(kind: RejectionKind, name: &HeaderName, problem: &'static str) -> Self {
        Self {
            kind,
            reason: Reason::Header {
                name: name.clone(),
                problem,
            },
            caller: None,
        }
    }

    pub(crate) const fn stale(signed_at: Timestamp, now: Timestamp, window: Duration) -> Self {
        Self {
            kind: RejectionKind::Expired,
            reason: Reason::Stale {
                signed_at,
                now,
                window,
            },
            caller: None,
        }
    }

    /// Refuses a body that went past a bound: [`TooLarge`](RejectionKind::TooLarge) for a length,
    /// else [`Timeout`](RejectionKind::Timeout).
    ///
    /// The reason names the bound, the bytes that were `found` (declared or received), and the
    /// `setting` that moves the bound, such as `"BodyLimits::with_max_bytes"`.
    pub const fn body(bound: BodyBound, found: u64, setting: &'static str) -> Self {
        Self {
            kind: bound.kind(),
            reason: Reason::Body {
                bound,
                setting,
                found,
            },
            caller: None,
        }
    }

    /// Says who the peer was proven to be: the signature matched, and something else is wrong.
    pub(crate) fn of(mut self, caller: KeyId) -> Self {
        self.caller = Some(caller);
        self
    }

    /// The caller whose key the signature matched, if it was refused for something else than its signature.
    pub fn proven_caller(&self) -> Option<&KeyId> {
        self.caller.as_ref()
    }

    /// The signed date, where it is what the request was refused for. Nothing of it need be proven.
    pub fn stale_date(&self) -> Option<Timestamp> {
        match self.reason {
            Reason::Stale { signed_at, .. } => Some(signed_at),
            Reason::Text(_) | Reason::Header { .. } | Reason::Body { .. } => None,
        }
    }

    /// What the peer is told.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Text(text) => f.write_str(text),
            Reason::Header { name, problem } => {
                write!(f, "header {:.64}: {problem}", name.as_str())
            }
            Reason::Stale {
                signed_at,
                now,
                window,
            } => write!(
                f,
                "signed at {signed_at}, more than {} s from {now}",
                window.as_secs()
            ),
            Reason::Body {
                bound: bound @ BodyBound::Length(_),
                setting,
                found,
            } => write!(
                f,
                "body: expected {bound}, found at least {found} (see {setting})"
            ),
            Reason::Body {
                bound,
                setting,
                found,
            } => write!(
                f,
                "body: expected {bound}, found {found} bytes by then (see {setting})"
            ),
        }
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
            Timestamp::from_unix_seconds(0),
            Timestamp::from_unix_seconds(1000),
            Duration::from_secs(300),
        );
        assert_eq!(
            rejection.to_string(),
            "signed at 1970-01-01T00:00:00Z, more than 300 s from 1970-01-01T00:16:40Z"
        );
        assert_eq!(rejection.kind().code(), "expired");
        assert_eq!(
            rejection.stale_date(),
            Some(Timestamp::from_unix_seconds(0))
        );
    }
}
