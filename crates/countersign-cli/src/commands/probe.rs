use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Tries on a service what a careless verifier accepts.
#[derive(Args, Debug)]
pub(crate) struct Probe {}

impl Probe {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
