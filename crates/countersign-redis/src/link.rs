use std::{sync::Arc, time::Duration};

use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Value, aio::MultiplexedConnection};
use tokio::time::{Instant, timeout_at};

use crate::{
    failure::Failure,
    greeting::{self, Expected},
    kept::{Kept, Numbered},
    node::{Access, NodeAddress},
    sentinel::Sentinels,
    silence::Silence,
};

/// One connection for all claims, which is made again when it breaks.
///
/// The redis crate's own manager of a connection keeps one whose server no longer answers, because a timeout does not end it;
/// and it knows no sentinels.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    kept: Arc<Kept<MultiplexedConnection>>,
    silence: Arc<Silence>,
}

/// What goes to a server in one write and is answered in one.
pub(crate) enum Command<'c> {
    Plain(&'c Cmd),
    /// Before it, that the key's slot is not this node's yet.
    Asking(&'c Cmd),
}

impl Link {
    /// To the server at one address.
    pub(crate) fn to_node(
        address: NodeAddress,
        access: Access,
        expected: Expected,
        within: Duration,
    ) -> Self {
        Self::of(Kept::new(move || {
            let (address, access) = (address.clone(), access.clone());
            async move { connect(&address, &access, expected, within).await }
        }))
    }

    /// To whichever server is the master by the word of sentinels.
    pub(crate) fn to_master(sentinels: Arc<Sentinels>) -> Self {
        Self::of(Kept::new(move || {
            let sentinels = Arc::clone(&sentinels);
            async move { sentinels.connect().await }
        }))
    }

    fn of(kept: Arc<Kept<MultiplexedConnection>>) -> Self {
        Self {
            kept,
            silence: Arc::default(),
        }
    }

    /// The answer to a command, sent once, and once more if it may have got lost.
    pub(crate) async fn ask_twice(
        &self,
        command: &Cmd,
        first: Instant,
        last: Instant,
    ) -> Result<Value, Failure> {
        match self.ask(&Command::Plain(command), first).await {
            Err(failure) if failure.is_worth_another() => {
                self.ask(&Command::Plain(command), last).await
            }
            outcome => outcome,
        }
    }

    /// The answer to a command, sent once.
    pub(crate) async fn ask(
        &self,
        command: &Command<'_>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let Numbered { number, value } = timeout_at(deadline, self.kept.get())
            .await
            .map_err(|_| Failure::unreachable("no connection in time"))??;
        let waiting = self
            .silence
            .wait(number, |number| self.kept.discard(number));
        let outcome = timeout_at(deadline, command.send(value)).await;
        waiting.end();
        let outcome = match outcome {
            Ok(answer) => answer.map_err(|error| Failure::of_command(&error)),
            Err(_) => Err(Failure::Lost("not in time".into())),
        };
        if outcome.as_ref().is_err_and(Failure::ends_the_connection) {
            self.kept.discard(number);
        }
        outcome
    }

    /// The connection itself, for what is asked but once.
    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection, Failure> {
        Ok(self.kept.get().await?.value)
    }
}

impl Command<'_> {
    async fn send(&self, mut connection: MultiplexedConnection) -> RedisResult<Value> {
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

/// The answer to the command after ASKING. None is an error: it must not be taken for the nil that
/// says Fresh.
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

/// A connection to a server that is what it must be.
pub(crate) async fn connect(
    address: &NodeAddress,
    access: &Access,
    expected: Expected,
    within: Duration,
) -> Result<MultiplexedConnection, Failure> {
    let connecting = async {
        let mut connection = access.connect(address, within).await?;
        greeting::greet(&mut connection, address, expected).await?;
        Ok(connection)
    };
    match tokio::time::timeout(within, connecting).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::unreachable(format!("{address}: not in time"))),
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
