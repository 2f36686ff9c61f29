use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::{
    Exit, Terminal,
    arguments::Arguments,
    failure::Failure,
    output::{Answer, Format, Paint},
};

/// Prints the completions for a shell.
#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        let mut command = Arguments::command();
        clap_complete::generate(self.shell, &mut command, "countersign", &mut script);
        let script = Script {
            script: String::from_utf8_lossy(&script).into_owned(),
        };
        terminal.answer(format, &script)?;
        Ok(Exit::Yes)
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Script {
    script: String,
}

impl Answer for Script {
    fn to_text(&self, _: Paint) -> String {
        self.script.clone()
    }
}
