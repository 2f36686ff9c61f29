use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Verifies a request step by step, as a service does.
#[derive(Args, Debug)]
pub(crate) struct Verify {}

impl Verify {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
