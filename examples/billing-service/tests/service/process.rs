//! The program as a process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

const VARIABLES: [&str; 5] = [
    "LISTEN_ADDR",
    "USER_SERVICE_URL",
    "SERVICE_NAME",
    "SERVICE_SECRETS",
    "RUST_LOG",
];

/// Returns the program with only these variables. It listens on a free port unless told otherwise.
fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_billing-service"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .envs(variables.iter().copied());
    command
}

/// Returns the error text of a program that does not start.
pub(crate) fn output(variables: &[(&str, &str)]) -> Output {
    command(variables).output().unwrap()
}

/// The running program, stopped when dropped.
pub(crate) struct Process {
    child: Child,
    authority: String,
}

impl Process {
    /// Starts the program and waits until it listens.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let authority = line
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .trim_end()
            .to_owned();
        Self { child, authority }
    }

    /// Returns the address and port on which the program listens.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends a signal by name and returns the exit code.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self, signal: &str) -> Option<i32> {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The program may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}
