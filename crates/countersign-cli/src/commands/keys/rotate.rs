use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Writes the next step of a rotation into a key file.
#[derive(Args, Debug)]
pub(crate) struct Rotate {}

impl Rotate {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
