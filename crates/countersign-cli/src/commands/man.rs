use clap::{Args, CommandFactory};
use serde::Serialize;

use crate::{
    Exit, Terminal,
    arguments::Arguments,
    failure::Failure,
    output::{Answer, Format, Paint},
};

/// Prints the manual page of the program or of a command, in roff.
///
/// `countersign man keys rotate | man -l -` shows one.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The command, such as `keys rotate`. Default: the program.
    command: Vec<String>,
}

impl Man {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let mut program = Arguments::command();
        program.build();
        let mut command = &program;
        for name in &self.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                Failure::usage(format_args!("expected a command, found {name:?}"))
            })?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone())
            .render(&mut page)
            .map_err(Failure::unavailable)?;
        let page = Page {
            page: String::from_utf8_lossy(&page).into_owned(),
        };
        terminal.answer(format, &page)?;
        Ok(Exit::Yes)
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Page {
    page: String,
}

impl Answer for Page {
    fn to_text(&self, _: Paint) -> String {
        self.page.clone()
    }
}
