use std::{error, fmt, sync::Arc};

use countersign::Unavailable;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::node_address::NodeAddress;

/// The reason why a command has no answer. The text is written to logs and holds no password.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// There is no connection, so nothing was sent.
    Unreachable(Arc<str>),
    /// There is no connection, because the server's eviction policy is unknown.
    EvictionUnknown(Arc<str>),
    /// The connection broke, or no answer arrived in time: the server may have executed the
    /// command.
    Lost(Arc<str>),
    /// The server has become a replica.
    NotMaster,
    /// Another node of the cluster has the key's slot.
    Moved(NodeAddress),
    /// Another node of the cluster is about to get the key's slot, and has this key.
    Ask(NodeAddress),
    /// The server refused the command, or the answer cannot be read.
    Refused(Arc<str>),
}

impl Error {
    pub(crate) fn unreachable(why: impl Into<Arc<str>>) -> Self {
        Self::Unreachable(why.into())
    }

    pub(crate) fn refused(why: impl Into<Arc<str>>) -> Self {
        Self::Refused(why.into())
    }

    /// Converts the error of a command on an established connection.
    pub(crate) fn from_command(error: &RedisError) -> Self {
        let redirected = || {
            let (address, _slot) = error.redirect_node()?;
            NodeAddress::parse(address)
        };
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => match redirected() {
                Some(address) => Self::Moved(address),
                None => Self::refused("expected MOVED with an address, found none"),
            },
            ErrorKind::Server(ServerErrorKind::Ask) => match redirected() {
                Some(address) => Self::Ask(address),
                None => Self::refused("expected ASK with an address, found none"),
            },
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::NotMaster,
            ErrorKind::Io | ErrorKind::Parse => Self::Lost(error.to_string().into()),
            // The commands hold a key and a token, which are not secret, so the server's text can
            // be shown.
            _ => Self::Refused(error.to_string().into()),
        }
    }

    /// Converts the error of a connection attempt. A server that does not know a command repeats
    /// its arguments, here the password, so only the error code is shown.
    pub(crate) fn from_connecting(address: &NodeAddress, error: &RedisError) -> Self {
        let why = if error.is_io_error() {
            error.to_string()
        } else {
            let code = error.code().unwrap_or("no code");
            format!("{:?} ({code})", error.kind())
        };
        Self::Unreachable(format!("{address}: {why}").into())
    }

    /// Whether to send the command again. A retry is safe because the command carries its token.
    pub(crate) fn is_worth_a_retry(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::NotMaster)
    }

    /// Whether to discard the connection.
    pub(crate) fn ends_the_connection(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::NotMaster)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::EvictionUnknown(why) => {
                write!(f, "not connected: {why}")
            }
            Self::Lost(why) => write!(f, "no answer: {why}"),
            Self::NotMaster => f.write_str("expected a master, found a replica"),
            Self::Moved(to) => write!(f, "too many redirections, the last one to {to} (MOVED)"),
            Self::Ask(to) => write!(f, "too many redirections, the last one to {to} (ASK)"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

impl error::Error for Error {}

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        Self::new("replay store").with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_server_repeats_while_connecting_is_not_shown() {
        let address = NodeAddress::parse("redis.internal:6379").unwrap();
        let error = RedisError::from((
            ErrorKind::AuthenticationFailed,
            "unknown command 'AUTH'",
            "with args beginning with: 'verifier' 'correct horse'".to_owned(),
        ));
        assert!(
            error.to_string().contains("horse"),
            "the server's text holds the password"
        );
        let failed = Error::from_connecting(&address, &error);
        let told = format!("{failed} {failed:?}");
        assert!(told.contains("redis.internal:6379"), "{told}");
        assert!(!told.contains("horse"), "{told}");
        assert!(!told.contains("verifier"), "{told}");
    }
}
