mod check;
mod test;

use clap::Subcommand;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Checks and tests a policy.
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
