use std::{fmt, io};

use countersign::{ConfigError, ErrorChain, SignError};

use crate::Exit;

/// Why a command could not answer. Its message holds no secret.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// An argument or an input cannot be read as the command needs it.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.to_string(),
        }
    }

    /// A file, a variable or a service cannot be reached.
    pub(crate) fn unavailable(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Unavailable,
            message: message.to_string(),
        }
    }

    /// The answer is no, and there is nothing else to print.
    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::No,
            message: message.to_string(),
        }
    }

    /// Standard output or standard error cannot be written.
    pub(crate) fn unwritable(error: &io::Error) -> Self {
        Self::unavailable(format_args!("standard output: cannot be written: {error}"))
    }

    /// Puts the place of the failure before its message.
    #[must_use]
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Self {
            message: format!("{place}: {}", self.message),
            ..self
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(ErrorChain::new(&error))
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::usage(ErrorChain::new(&error))
    }
}
