use std::path::PathBuf;

use clap::{Args, Subcommand};
use countersign::ErrorChain;
use serde::Serialize;

use crate::{
    Exit, Terminal,
    failure::Failure,
    output::{Answer, Format, Paint, Tone},
};

/// Checks the configuration of the proxies.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    Check(Check),
}

/// Reads a configuration with its keys and policies, and starts nothing.
///
/// Ends with 1 if the proxies would not start.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The configuration.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Config {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let Self::Check(Check { file }) = self;
        if let Err(error) = std::fs::metadata(&file) {
            return Err(Failure::unavailable(format_args!(
                "{}: {error}",
                file.display()
            )));
        }
        let checked = countersign_proxy::Config::from_file(&file);
        let checked = checked.and_then(|config| config.check());
        let answer = Checked {
            loads: checked.is_ok(),
            problem: checked
                .err()
                .map(|error| ErrorChain::new(&error).to_string()),
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::yes_if(answer.loads))
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Checked {
    loads: bool,
    problem: Option<String>,
}

impl Answer for Checked {
    fn to_text(&self, paint: Paint) -> String {
        match &self.problem {
            None => format!("{}\n", paint.paint(Tone::Good, "good")),
            Some(problem) => format!("{}: {problem}\n", paint.paint(Tone::Bad, "refused")),
        }
    }
}
