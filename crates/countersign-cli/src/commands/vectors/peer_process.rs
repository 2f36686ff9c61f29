//! Another implementation, as a process that answers each line with one line.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use crate::failure::Failure;

/// The longest answer, in bytes.
const MAX_LINE: u64 = 1024 * 1024;

/// A running process. It is ended with its value.
pub(super) struct PeerProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    timeout: Duration,
}

impl PeerProcess {
    /// Starts a program without a shell. Its standard error is that of this program.
    pub(super) fn start(words: &[String], timeout: Duration) -> Result<Self, Failure> {
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| Failure::usage("--command: expected a program, found nothing"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::unavailable(format_args!("{program}: {error}")))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let (sender, lines) = sync_channel(1);
        thread::spawn(move || {
            let Some(stdout) = stdout else { return };
            let mut stdout = BufReader::new(stdout);
            loop {
                let mut line = String::new();
                let read = stdout.by_ref().take(MAX_LINE).read_line(&mut line);
                let is_whole = read.is_ok() && line.ends_with('\n');
                if !is_whole || sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            stdin,
            lines,
            timeout,
        })
    }

    /// Sends a line and waits for its answer.
    ///
    /// # Errors
    ///
    /// Why there is no answer. The process cannot answer later cases either, if it ended.
    pub(super) fn ask(&mut self, line: &str) -> Result<String, String> {
        let written = match &mut self.stdin {
            Some(stdin) => writeln!(stdin, "{line}").and_then(|()| stdin.flush()),
            None => return Err("no answer, because it was ended".to_owned()),
        };
        if written.is_err() {
            return Err("the command ended, or closed its standard input".to_owned());
        }
        self.lines.recv_timeout(self.timeout).map_err(|error| {
            self.stdin = None;
            match error {
                RecvTimeoutError::Timeout => {
                    format!("no answer within {} s", self.timeout.as_secs())
                }
                RecvTimeoutError::Disconnected => "the command ended without an answer".to_owned(),
            }
        })
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        self.stdin = None;
        // A program that has ended cannot be killed, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
