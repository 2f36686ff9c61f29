use clap::Args;

use crate::{Exit, Terminal, failure::Failure, output::Format};

/// Signs a URL with AWS Signature Version 4.
#[derive(Args, Debug)]
pub(crate) struct Presign {}

impl Presign {
    #[expect(clippy::unused_self, reason = "the command is being built")]
    pub(crate) fn run(self, _: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        Err(Failure::usage("this command is not built yet"))
    }
}
