use clap::{Args, CommandFactory};

use crate::{Exit, Terminal, arguments::Arguments, failure::Failure, output::Format};

/// Prints the manual page, in roff: `countersign man | man -l -`.
#[derive(Args, Debug)]
pub(crate) struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every command runs by value")]
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        let mut page = Vec::new();
        clap_mangen::Man::new(Arguments::command())
            .render(&mut page)
            .map_err(Failure::unavailable)?;
        terminal.write(&page)?;
        Ok(Exit::Yes)
    }
}
