use std::{error, fmt};

use http::StatusCode;

use crate::error::{Reason, Rejection};

/// A response that does not prove who made it. Do not act on such a response.
///
/// `Display` names the expected and the found value. Text of the peer is escaped and truncated, and
/// no part of a body, no key and no signature is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerError {
    kind: AnswerErrorKind,
    reason: Reason,
    status: Option<StatusCode>,
    clock_offset: Option<i64>,
}

/// The cause of an [`AnswerError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerErrorKind {
    /// No response can be bound to the request: it is not signed, or nothing in it tells it from
    /// other requests, or no key of the service is known.
    Unbound,
    /// The response has no signature of the service. A proxy, or an attacker, may have made it.
    Unsigned,
    /// The signature cannot be read, or there are two.
    Malformed,
    /// The signature leaves out something that it must cover.
    InsufficientCoverage,
    /// No key of the service made the signature for this request and this response.
    InvalidSignature,
    /// The signature is right, but made at another time.
    Expired,
    /// The body differs from the signed one, or did not arrive whole.
    BodyMismatch,
}

impl AnswerErrorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Unbound,
        Self::Unsigned,
        Self::Malformed,
        Self::InsufficientCoverage,
        Self::InvalidSignature,
        Self::Expired,
        Self::BodyMismatch,
    ];

    /// Returns the kind for logs and metrics, in lower case with underscores.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Unsigned => "unsigned",
            Self::Malformed => "malformed",
            Self::InsufficientCoverage => "insufficient_coverage",
            Self::InvalidSignature => "invalid_signature",
            Self::Expired => "expired",
            Self::BodyMismatch => "body_mismatch",
        }
    }
}

impl AnswerError {
    /// Makes an error. `reason` names the expected and the found value.
    pub const fn new(kind: AnswerErrorKind, reason: &'static str) -> Self {
        Self {
            kind,
            reason: Reason::Fixed(reason),
            status: None,
            clock_offset: None,
        }
    }

    /// Makes an error whose reason names the found value. Wrap text from a peer in
    /// [`Escaped`](crate::Escaped).
    ///
    /// Everything but printable ASCII is escaped, and the text is truncated to 1,024 bytes.
    #[cold]
    pub fn naming(kind: AnswerErrorKind, reason: fmt::Arguments<'_>) -> Self {
        Self::because(kind, Reason::composed(reason))
    }

    #[cold]
    pub(crate) fn because(kind: AnswerErrorKind, reason: Reason) -> Self {
        Self {
            kind,
            reason,
            status: None,
            clock_offset: None,
        }
    }

    #[cold]
    pub(super) fn of(kind: AnswerErrorKind, rejection: Rejection) -> Self {
        Self::because(kind, rejection.into_reason())
    }

    /// Adds the status of the response. It is not proven.
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    pub(super) const fn with_clock_offset(mut self, seconds: i64) -> Self {
        self.clock_offset = Some(seconds);
        self
    }

    /// Returns the cause.
    pub const fn kind(&self) -> AnswerErrorKind {
        self.kind
    }

    /// Returns the status of the response. **It is not proven**: anyone who can change packets
    /// can choose it. `None` if there was no response.
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns by how many seconds the service's clock is ahead of this one, or behind it if
    /// negative. Only for [`AnswerErrorKind::Expired`], and proven: the service signed its time.
    pub const fn clock_offset_seconds(&self) -> Option<i64> {
        self.clock_offset
    }
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("answer")?;
        if let Some(status) = self.status {
            write!(f, " with the unproven status {}", status.as_u16())?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl error::Error for AnswerError {}
