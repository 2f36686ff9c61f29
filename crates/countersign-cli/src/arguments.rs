use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use serde::Serialize;

use crate::{
    Exit, Terminal, commands,
    failure::Failure,
    output::{Answer, Format, Paint},
    secret_source::may_hold_a_key,
};

const EXIT_CODES: &str = "\
Exit codes: 0 yes, 1 no, 2 usage, 3 unavailable.
A secret comes from a file, an environment variable or standard input, never from an argument.
NO_COLOR switches colours off.";

/// Makes keys, signs HTTP requests between services, and says why one is refused.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Write one JSON document to standard output, in a documented shape.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keygen(commands::keygen::Keygen),
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    Sign(commands::sign::Sign),
    Presign(commands::presign::Presign),
    Verify(commands::verify::Verify),
    Explain(commands::explain::Explain),
    #[command(subcommand)]
    Policy(commands::policy::Policy),
    Probe(commands::probe::Probe),
    #[cfg(feature = "proxy")]
    #[command(subcommand)]
    Proxy(commands::proxy::Proxy),
    #[cfg(feature = "proxy")]
    Authz(commands::serve::Authz),
    #[cfg(feature = "proxy")]
    Run(commands::serve::Run),
    #[cfg(feature = "proxy")]
    #[command(subcommand)]
    Config(commands::config::Config),
    #[command(subcommand)]
    Vectors(commands::vectors::Vectors),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Command {
    fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        match self {
            Self::Keygen(command) => command.run(terminal, format),
            Self::Keys(command) => command.run(terminal, format),
            Self::Sign(command) => command.run(terminal, format),
            Self::Presign(command) => command.run(terminal, format),
            Self::Verify(command) => command.run(terminal, format),
            Self::Explain(command) => command.run(terminal, format),
            Self::Policy(command) => command.run(terminal, format),
            Self::Probe(command) => command.run(terminal, format),
            #[cfg(feature = "proxy")]
            Self::Proxy(command) => command.run(terminal),
            #[cfg(feature = "proxy")]
            Self::Authz(command) => command.run(terminal),
            #[cfg(feature = "proxy")]
            Self::Run(command) => command.run(terminal),
            #[cfg(feature = "proxy")]
            Self::Config(command) => command.run(terminal, format),
            Self::Vectors(command) => command.run(terminal, format),
            Self::Completions(command) => command.run(terminal, format),
            Self::Man(command) => command.run(terminal, format),
        }
    }
}

/// Runs the program with these arguments, of which the first is its name.
pub fn run<I>(arguments: I, terminal: &mut Terminal<'_>) -> Exit
where
    I: IntoIterator<Item = OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = Arguments::command().try_get_matches_from(&arguments);
    let parsed = matches.and_then(|matches| Arguments::from_arg_matches(&matches));
    let Arguments { json, command } = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return show_help_or_error(&error, &arguments, terminal),
    };
    let format = if json { Format::Json } else { Format::Text };
    match command.run(terminal, format) {
        Ok(exit) => exit,
        Err(failure) => {
            let paint = terminal.stderr_paint();
            let error = paint.paint(crate::output::Tone::Bad, "error");
            terminal.note(format_args!("{error}: {failure}"));
            if format == Format::Json {
                // The exit code tells the failure even where nothing can be written.
                let _ = terminal.answer(format, &ErrorAnswer::of(&failure));
            }
            failure.exit()
        }
    }
}

/// Help and version are an answer. An error of the arguments shows no argument that may be a key.
fn show_help_or_error(
    error: &clap::Error,
    arguments: &[OsString],
    terminal: &mut Terminal<'_>,
) -> Exit {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let paint = if is_answer {
        terminal.stdout_paint()
    } else {
        terminal.stderr_paint()
    };
    let rendered = error.render();
    let mut text = if paint.is_colored() {
        rendered.ansi().to_string()
    } else {
        rendered.to_string()
    };
    if is_answer {
        return match terminal.write(text.as_bytes()) {
            Ok(()) => Exit::Yes,
            Err(failure) => failure.exit(),
        };
    }
    for argument in arguments.iter().map(|it| it.to_string_lossy()) {
        for part in [&*argument, argument.split_once('=').map_or("", |it| it.1)] {
            if may_hold_a_key(part) {
                text = text.replace(part, "[redacted]");
            }
        }
    }
    terminal.note(text.trim_end());
    Exit::Usage
}

#[derive(Serialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Serialize)]
struct ErrorBody {
    exit: u8,
    message: String,
}

impl ErrorAnswer {
    fn of(failure: &Failure) -> Self {
        Self {
            error: ErrorBody {
                exit: failure.exit().code(),
                message: failure.to_string(),
            },
        }
    }
}

impl Answer for ErrorAnswer {
    fn to_text(&self, _: Paint) -> String {
        format!("{}\n", self.error.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_all_commands_agree() {
        Arguments::command().debug_assert();
    }
}
