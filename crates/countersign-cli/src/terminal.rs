use std::{
    ffi::OsString,
    fmt,
    io::{Read, Write},
    time::SystemTime,
};

use countersign::Timestamp;

use crate::{
    failure::Failure,
    output::{Answer, Format, Paint},
};

type Variables<'t> = Box<dyn Fn(&str) -> Option<OsString> + 't>;

/// What a command reads and writes: the three streams, the variables and the clock.
pub struct Terminal<'t> {
    stdin: &'t mut dyn Read,
    stdout: &'t mut dyn Write,
    stderr: &'t mut dyn Write,
    environment: Variables<'t>,
    now: Option<Timestamp>,
    stdout_is_shown: bool,
    stderr_is_shown: bool,
}

impl fmt::Debug for Terminal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("now", &self.now)
            .field("stdout_is_shown", &self.stdout_is_shown)
            .field("stderr_is_shown", &self.stderr_is_shown)
            .finish_non_exhaustive()
    }
}

impl<'t> Terminal<'t> {
    /// Makes a terminal without variables, whose streams are files, with the clock of the system.
    pub fn new(
        stdin: &'t mut dyn Read,
        stdout: &'t mut dyn Write,
        stderr: &'t mut dyn Write,
    ) -> Self {
        Self {
            stdin,
            stdout,
            stderr,
            environment: Box::new(|_| None),
            now: None,
            stdout_is_shown: false,
            stderr_is_shown: false,
        }
    }

    /// Sets where the variables are read.
    #[must_use]
    pub fn with_environment(self, variable: impl Fn(&str) -> Option<OsString> + 't) -> Self {
        Self {
            environment: Box::new(variable),
            ..self
        }
    }

    /// Sets whether standard output and standard error are terminals. Only those get colours.
    #[must_use]
    pub fn with_terminals(self, stdout: bool, stderr: bool) -> Self {
        Self {
            stdout_is_shown: stdout,
            stderr_is_shown: stderr,
            ..self
        }
    }

    /// Stops the clock at this moment.
    #[must_use]
    pub fn with_now(self, now: Timestamp) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
            .unwrap_or_else(|| Timestamp::from(SystemTime::now()))
    }

    pub(crate) fn stdin(&mut self) -> &mut dyn Read {
        self.stdin
    }

    /// Returns whether someone reads standard error.
    #[cfg(feature = "proxy")]
    pub(crate) fn is_stderr_shown(&self) -> bool {
        self.stderr_is_shown
    }

    /// Returns the value of a variable. An empty one is set.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name)
    }

    /// Writes the answer of a command to standard output.
    pub(crate) fn answer(&mut self, format: Format, answer: &impl Answer) -> Result<(), Failure> {
        let text = match format {
            Format::Text => answer.to_text(self.stdout_paint()),
            Format::Json => {
                let mut json = serde_json::to_string_pretty(answer).map_err(Failure::usage)?;
                json.push('\n');
                json
            }
        };
        self.write(text.as_bytes())
    }

    /// Writes bytes to standard output.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stdout
            .write_all(bytes)
            .and_then(|()| self.stdout.flush())
            .map_err(|error| Failure::unwritable(&error))
    }

    /// Writes a line to standard error. A closed standard error is no reason to fail.
    pub(crate) fn note(&mut self, line: impl fmt::Display) {
        let _ = writeln!(self.stderr, "{line}");
    }

    pub(crate) fn stdout_paint(&self) -> Paint {
        Paint::new(self.stdout_is_shown && self.wants_color())
    }

    pub(crate) fn stderr_paint(&self) -> Paint {
        Paint::new(self.stderr_is_shown && self.wants_color())
    }

    /// Returns whether colours are wanted. `NO_COLOR` (no-color.org) counts if it is not empty. A
    /// terminal called `dumb` shows no colours.
    fn wants_color(&self) -> bool {
        let is_refused = self.variable("NO_COLOR").is_some_and(|it| !it.is_empty());
        let is_dumb = self.variable("TERM").is_some_and(|it| it == "dumb");
        !is_refused && !is_dumb
    }
}
