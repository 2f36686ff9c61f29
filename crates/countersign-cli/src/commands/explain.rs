use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Finds the mistake that explains why a request is refused.
#[derive(Args, Debug)]
pub(crate) struct Explain {}

impl Explain {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
