//! The program, run in this process.

use std::ffi::OsString;

use countersign::Timestamp;
use countersign_cli::{Exit, Terminal, run};
use serde_json::Value;

/// What a run of the program wrote, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    pub exit: Exit,
    pub stdout: String,
    #[expect(dead_code, reason = "a test that fails shows it")]
    pub stderr: String,
}

/// Runs the program with these arguments and this standard input, at this time.
pub fn program(arguments: &[&str], stdin: &[u8], now: Timestamp) -> Outcome {
    let arguments = ["countersign"].iter().chain(arguments).map(OsString::from);
    let (mut stdin, mut stdout, mut stderr) = (stdin, Vec::new(), Vec::new());
    let mut terminal = Terminal::new(&mut stdin, &mut stdout, &mut stderr).with_now(now);
    let exit = run(arguments, &mut terminal);
    drop(terminal);
    Outcome {
        exit,
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Outcome {
    /// Returns the JSON that was written.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{self:?}"))
    }
}
