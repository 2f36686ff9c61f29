use std::{error, fmt, sync::Arc};

use countersign::Unavailable;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::node::NodeAddress;

/// Why there is no answer to a command. The text is written to logs and holds no password.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no connection, so nothing was sent.
    Unreachable(Arc<str>),
    /// There is no connection, because the server does not tell whether it evicts.
    EvictionUnknown(Arc<str>),
    /// The connection broke, or the answer did not come in time: the command may have been carried out.
    Lost(Arc<str>),
    /// The server is a replica now.
    NotMaster,
    /// Another node of the cluster has the key's slot.
    Moved(NodeAddress),
    /// Another node of the cluster is about to get the key's slot, and has this key.
    Ask(NodeAddress),
    /// The server will not carry it out, or the answer is none.
    Refused(Arc<str>),
}

impl Failure {
    pub(crate) fn unreachable(why: impl Into<Arc<str>>) -> Self {
        Self::Unreachable(why.into())
    }

    pub(crate) fn refused(why: impl Into<Arc<str>>) -> Self {
        Self::Refused(why.into())
    }

    /// What became of a command on a connection that was there.
    pub(crate) fn of_command(error: &RedisError) -> Self {
        let redirected = || {
            let (address, _slot) = error.redirect_node()?;
            NodeAddress::parse(address)
        };
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => match redirected() {
                Some(address) => Self::Moved(address),
                None => Self::refused("MOVED without an address"),
            },
            ErrorKind::Server(ServerErrorKind::Ask) => match redirected() {
                Some(address) => Self::Ask(address),
                None => Self::refused("ASK without an address"),
            },
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::NotMaster,
            ErrorKind::Io | ErrorKind::Parse => Self::Lost(error.to_string().into()),
            // Our commands hold a key and a token, so that what a server repeats of them is no secret.
            _ => Self::Refused(error.to_string().into()),
        }
    }

    /// What became of a connection. A server that does not know a command repeats its arguments, and here that would be the
    /// password: only the code of its error is told.
    pub(crate) fn of_connecting(address: &NodeAddress, error: &RedisError) -> Self {
        let why = if error.is_io_error() {
            error.to_string()
        } else {
            let code = error.code().unwrap_or("no code");
            format!("{:?} ({code})", error.kind())
        };
        Self::Unreachable(format!("{address}: {why}").into())
    }

    /// Whether sending the command once more could help and, because it carries its token, cannot harm.
    pub(crate) fn is_worth_another(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::NotMaster)
    }

    /// Whether the connection is of no more use.
    pub(crate) fn ends_the_connection(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::NotMaster)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::EvictionUnknown(why) => {
                write!(f, "not connected: {why}")
            }
            Self::Lost(why) => write!(f, "no answer: {why}"),
            Self::NotMaster => f.write_str("expected a master, found a replica"),
            Self::Moved(to) => write!(f, "the slot moved to {to}, and again"),
            Self::Ask(to) => write!(f, "the slot is moving to {to}, and again"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

impl error::Error for Failure {}

impl From<Failure> for Unavailable {
    fn from(failure: Failure) -> Self {
        Self::new("replay store").with_source(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_repeats_while_connecting_is_not_told() {
        let address = NodeAddress::parse("redis.internal:6379").unwrap();
        let error = RedisError::from((
            ErrorKind::AuthenticationFailed,
            "unknown command 'AUTH'",
            "with args beginning with: 'verifier' 'correct horse'".to_owned(),
        ));
        assert!(
            error.to_string().contains("horse"),
            "there is something to hide"
        );
        let failure = Failure::of_connecting(&address, &error);
        let told = format!("{failure} {failure:?}");
        assert!(told.contains("redis.internal:6379"), "{told}");
        assert!(!told.contains("horse"), "{told}");
        assert!(!told.contains("verifier"), "{told}");
    }
}
