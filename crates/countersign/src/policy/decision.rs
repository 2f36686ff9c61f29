use std::fmt;

use super::statement::StatementId;

/// The result of evaluating a [`Policy`](super::Policy), and the statement that decided.
///
/// `Display` is the reason for the operator's log, not for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision<'p> {
    /// This statement allows the request, and none denies it.
    Allowed(&'p StatementId),
    /// This statement denies the request, even if others allow it.
    Denied(&'p StatementId),
    /// No statement denies the request. None can allow it either, because its path is not in plain
    /// form. Holds the reason.
    NotPlain(&'static str),
    /// No statement matches.
    NoMatch,
}

impl<'p> Decision<'p> {
    /// Returns whether the request may be handled.
    pub fn is_allowed(self) -> bool {
        match self {
            Self::Allowed(_) => true,
            Self::Denied(_) | Self::NotPlain(_) | Self::NoMatch => false,
        }
    }

    /// Returns the statement that decided, if any.
    pub fn statement(self) -> Option<&'p StatementId> {
        match self {
            Self::Allowed(statement) | Self::Denied(statement) => Some(statement),
            Self::NotPlain(_) | Self::NoMatch => None,
        }
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(statement) => write!(f, "allowed by {}", statement.described()),
            Self::Denied(statement) => write!(f, "denied by {}", statement.described()),
            Self::NotPlain(reason) => f.write_str(reason),
            Self::NoMatch => f.write_str("no statement allows it"),
        }
    }
}
