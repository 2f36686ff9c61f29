use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Loads a key file as a service does and lists its keys.
#[derive(Args, Debug)]
pub(crate) struct Check {}

impl Check {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
