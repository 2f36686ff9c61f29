use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Makes a key and the snippets for its caller and its callee.
#[derive(Args, Debug)]
pub(crate) struct Keygen {}

impl Keygen {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
