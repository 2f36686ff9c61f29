//! Runs the program in this process.

use std::{collections::HashMap, ffi::OsString, path::Path};

use countersign::Timestamp;
use countersign_cli::{Exit, Terminal, run};

/// 2026-01-02T03:04:05Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

/// A run of the program that is being set up.
#[derive(Default)]
pub(crate) struct Program {
    arguments: Vec<OsString>,
    stdin: Vec<u8>,
    variables: HashMap<String, OsString>,
    is_terminal: bool,
}

/// What a run of the program wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Sets up a run with these arguments, split at spaces.
pub(crate) fn program(arguments: &str) -> Program {
    let names = ["countersign"].into_iter().chain(arguments.split(' '));
    Program {
        arguments: names.map(OsString::from).collect(),
        ..Program::default()
    }
}

impl Program {
    /// Adds an argument, which may hold spaces.
    pub(crate) fn with(mut self, argument: impl AsRef<Path>) -> Self {
        self.arguments.push(argument.as_ref().into());
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Makes standard output and standard error terminals.
    pub(crate) fn on_a_terminal(mut self) -> Self {
        self.is_terminal = true;
        self
    }

    /// Runs the program at [`NOW`].
    pub(crate) fn run(self) -> Outcome {
        self.run_at(NOW)
    }

    pub(crate) fn run_at(self, now: Timestamp) -> Outcome {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut stdin = self.stdin.as_slice();
        let variables = self.variables;
        let mut terminal = Terminal::new(&mut stdin, &mut stdout, &mut stderr)
            .with_environment(|name| variables.get(name).cloned())
            .with_terminals(self.is_terminal, self.is_terminal)
            .with_now(now);
        let exit = run(self.arguments, &mut terminal);
        drop(terminal);
        Outcome {
            exit,
            stdout: String::from_utf8(stdout).expect("text"),
            stderr: String::from_utf8(stderr).expect("text"),
        }
    }
}

impl Outcome {
    /// Returns what was written, if the program ended with this exit.
    #[track_caller]
    pub(crate) fn expect(self, exit: Exit) -> String {
        assert_eq!(self.exit, exit, "{self:?}");
        self.stdout
    }

    /// Returns the error message, if the program ended with this exit.
    #[track_caller]
    pub(crate) fn expect_error(self, exit: Exit) -> String {
        assert_eq!(self.exit, exit, "{self:?}");
        self.stderr
    }
}
