use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Exit, Terminal, arguments::Arguments, failure::Failure, output::Format};

/// Prints the completions for a shell.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, _: Format) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        let mut command = Arguments::command();
        clap_complete::generate(self.shell, &mut command, "countersign", &mut script);
        terminal.write(&script)?;
        Ok(Exit::Yes)
    }
}
