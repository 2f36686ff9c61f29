use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Signs a request and prints the headers.
#[derive(Args, Debug)]
pub(crate) struct Sign {}

impl Sign {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
