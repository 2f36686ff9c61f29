//! The program as a process.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

const VARIABLES: [&str; 31] = [
    "LISTEN_ADDR",
    "SERVICE_SECRETS",
    "ROTATING_SERVICE_SECRETS",
    "EXPECTED_HOSTS",
    "HOST_FORM",
    "SIGV4_KEYS",
    "SIGV4_REGION",
    "SIGV4_SERVICE",
    "SIGV4_UNCOVERED_HEADERS",
    "SIGV4_LENIENT_QUERIES",
    "MESSAGE_SIGNATURE_KEYS",
    "MESSAGE_SIGNATURE_ED25519_KEYS",
    "DRF_SECRET",
    "DRF_CALLER",
    "WEBHOOK_SECRET",
    "WEBHOOK_CALLER",
    "WEBHOOK_SECRET_TEXT",
    "WEBHOOK_HEADERS",
    "KEYS_FILE",
    "POLICY_FILE",
    "POLICY_REGION",
    "POLICY_ACCOUNT",
    "POLICY_API",
    "POLICY_STAGE",
    "POLICY_ACCOUNTS",
    "POLICY_SHARED",
    "REDIS_URL",
    "REDIS_INSECURE_ASSUME_NOEVICTION",
    "INSECURE_REPORT_ONLY",
    "METRICS_ADDR",
    "RUST_LOG",
];

/// Returns the program with only these variables. It listens on a free port unless told otherwise.
fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_user-service"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .envs(variables.iter().copied());
    command
}

/// Returns the error text of a program that does not start. A program that starts is stopped.
pub(crate) fn output(variables: &[(&str, &str)]) -> Output {
    let mut child = command(variables)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap();
        }
        sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    panic!("expected it not to start, found: {output:?}")
}

/// The running program, stopped when dropped.
pub(crate) struct Process {
    child: Child,
    authority: String,
    metrics: Option<String>,
}

impl Process {
    /// Starts the program and waits until it listens.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            let rest = line.strip_prefix(prefix);
            rest.unwrap_or_else(|| panic!("expected {prefix:?}, found {line:?}"))
                .to_owned()
        };
        let authority = said("listening on http://");
        let counts = variables.iter().any(|(name, _)| *name == "METRICS_ADDR");
        let metrics = counts.then(|| said("metrics on "));
        Self {
            child,
            authority,
            metrics,
        }
    }

    /// Returns the URL of the metrics.
    pub(crate) fn metrics(&self) -> &str {
        self.metrics.as_deref().unwrap()
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
