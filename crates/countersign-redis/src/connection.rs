use std::{sync::Arc, time::Duration};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Value, aio::MultiplexedConnection};
use tokio::time::{Instant, timeout_at};

use crate::{
    access::Access,
    error::Error,
    handshake::{self, Expected},
    node_address::NodeAddress,
    sentinel::Sentinels,
    single_flight::{Numbered, SingleFlight},
    stall::StallDetector,
};

/// One connection for all claims, which is made again when it breaks.
///
/// The `ConnectionManager` of the crate `redis` does not support sentinels. It also keeps a
/// connection whose server no longer answers, because a timeout does not end the connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    shared: Arc<SingleFlight<MultiplexedConnection>>,
    stall: Arc<StallDetector>,
}

/// A command that is sent in one write.
pub(crate) enum Command<'c> {
    Plain(&'c Cmd),
    /// Preceded by `ASKING`: the slot of the key is about to move to this node.
    Asking(&'c Cmd),
}

impl Connection {
    /// Creates a connection to the server at one address.
    pub(crate) fn to_node(
        address: NodeAddress,
        access: Access,
        expected: Expected,
        within: Duration,
    ) -> Self {
        Self::of(SingleFlight::new(move || {
            let (address, access) = (address.clone(), access.clone());
            async move { handshake::connect(&address, &access, expected, within).await }
        }))
    }

    /// Creates a connection to the master that the sentinels name.
    pub(crate) fn to_master(sentinels: Arc<Sentinels>) -> Self {
        Self::of(SingleFlight::new(move || {
            let sentinels = Arc::clone(&sentinels);
            async move { sentinels.connect().await }
        }))
    }

    fn of(shared: Arc<SingleFlight<MultiplexedConnection>>) -> Self {
        Self {
            shared,
            stall: Arc::default(),
        }
    }

    /// Sends a command, and sends it again if the first one may have been lost.
    pub(crate) async fn send_with_retry(
        &self,
        command: &Cmd,
        first: Instant,
        last: Instant,
    ) -> Result<Value, Error> {
        match self.send(&Command::Plain(command), first).await {
            Err(error) if error.is_worth_a_retry() => {
                self.send(&Command::Plain(command), last).await
            }
            outcome => outcome,
        }
    }

    /// Sends a command once.
    pub(crate) async fn send(
        &self,
        command: &Command<'_>,
        deadline: Instant,
    ) -> Result<Value, Error> {
        let Numbered { number, value } = timeout_at(deadline, self.shared.get())
            .await
            .map_err(|_| Error::unreachable("expected a connection in time, found none"))??;
        let waiting = self
            .stall
            .wait(number, |number| self.shared.discard(number));
        let outcome = timeout_at(deadline, command.query(value)).await;
        waiting.end();
        let outcome = match outcome {
            Ok(answer) => answer.map_err(|error| Error::from_command(&error)),
            Err(_) => Err(Error::Lost("none in time".into())),
        };
        if outcome.as_ref().is_err_and(Error::ends_the_connection) {
            self.shared.discard(number);
        }
        outcome
    }

    /// Returns the connection itself, for commands that are sent once.
    pub(crate) async fn multiplexed(&self) -> Result<MultiplexedConnection, Error> {
        Ok(self.shared.get().await?.value)
    }
}

impl Command<'_> {
    async fn query(&self, mut connection: MultiplexedConnection) -> RedisResult<Value> {
        match self {
            Self::Plain(command) => command.query_async(&mut connection).await,
            Self::Asking(command) => {
                let mut both = Pipeline::with_capacity(2);
                both.cmd("ASKING").ignore();
                both.add_command((*command).clone());
                let answers: Vec<Value> = both.query_async(&mut connection).await?;
                only(answers)
            }
        }
    }
}

/// Returns the answer to the command after `ASKING`. No answer is an error: it must not be read as
/// nil, which means `Fresh`.
fn only(answers: Vec<Value>) -> RedisResult<Value> {
    match <[Value; 1]>::try_from(answers) {
        Ok([answer]) => Ok(answer),
        Err(answers) => Err(RedisError::from((
            ErrorKind::Parse,
            "expected one answer to the command after ASKING",
            format!("found {}", answers.len()),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_after_asking_is_an_error_and_not_nil() {
        assert!(only(vec![]).is_err());
        assert!(only(vec![Value::Nil, Value::Nil]).is_err());
        assert_eq!(only(vec![Value::Nil]).unwrap(), Value::Nil);
        let token = Value::BulkString(b"token".to_vec());
        assert_eq!(only(vec![token.clone()]).unwrap(), token);
    }
}
