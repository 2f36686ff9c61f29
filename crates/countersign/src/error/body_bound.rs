use std::{fmt, time::Duration};

use super::RejectionKind;

/// A limit on request bodies that a body exceeded.
///
/// [`Rejection::body`](super::Rejection::body) makes a rejection of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyBound {
    /// The greatest length in bytes.
    Length(u64),
    /// The time in which the whole body must arrive.
    Deadline(Duration),
    /// The longest time without a byte.
    Idle(Duration),
    /// The least rate in bytes per second.
    Rate(u64),
}

impl BodyBound {
    /// Returns [`TooLarge`](RejectionKind::TooLarge) for a length, and
    /// [`Timeout`](RejectionKind::Timeout) for every other limit.
    pub(super) const fn kind(self) -> RejectionKind {
        match self {
            Self::Length(_) => RejectionKind::TooLarge,
            Self::Deadline(_) | Self::Idle(_) | Self::Rate(_) => RejectionKind::Timeout,
        }
    }
}

impl fmt::Display for BodyBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => write!(f, "at most {bytes} bytes"),
            Self::Deadline(time) => write!(f, "its end within {time:?}"),
            Self::Idle(time) => write!(f, "a byte every {time:?}"),
            Self::Rate(bytes) => write!(f, "{bytes} bytes a second"),
        }
    }
}
