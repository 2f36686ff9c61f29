mod cases;
mod peer_process;
mod run;

use clap::Subcommand;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Runs the project's golden vectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Vectors {
    Run(run::Run),
}

impl Vectors {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        match self {
            Self::Run(command) => command.run(terminal, format),
        }
    }
}
