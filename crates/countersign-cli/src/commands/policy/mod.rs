mod check;
mod file;
mod test;

use clap::Subcommand;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Checks a policy, and asks it about a request.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    Check(check::Check),
    Test(test::Test),
}

impl Policy {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.run(terminal, format),
            Self::Test(command) => command.run(terminal, format),
        }
    }
}
