mod check;
mod rotate;

use clap::Subcommand;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Checks and rotates the keys in a file.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    Check(check::Check),
    Rotate(rotate::Rotate),
}

impl Keys {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.run(terminal, format),
            Self::Rotate(command) => command.run(terminal, format),
        }
    }
}
