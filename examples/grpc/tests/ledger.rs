//! The program as the service and as its caller.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

const KEY: &str = "c35b0a8794dd6a1f20e7f3c94b5d8862917eaf03d4c6b8257e19fa60cb34d581";
const OTHER_KEY: &str = "51c09bd7e86f34a21d7cbb58f0e6934a02df81b6c57a3e94d812f06b9ce7a4d3";

/// The running service, stopped when dropped.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_grpc"))
            .arg("serve")
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the first line is {line:?}"))
            .trim_end()
            .to_owned();
        Self { child, url }
    }

    /// Returns the output of this caller's calls, without the last line.
    fn call(&self, caller: &str, key: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_grpc"))
            .args(["call", &self.url])
            .env("CALLER", caller)
            .env("KEY", key)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let (calls, watch) = said.split_once("Watch: ").unwrap();
        assert!(
            watch.starts_with("not sent: body: expected a unary")
                && watch.contains("found the bidirectional gRPC method /ledger.Ledger/Watch"),
            "{watch}"
        );
        assert!(output.status.success(), "{said}");
        calls.to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The program may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

#[test]
fn callers_are_known_held_to_the_policy_and_refused_with_a_status() {
    let service = Service::start();
    assert_eq!(
        service.call("billing", KEY),
        "Post: 1 entries, posted by billing\n\
         Import: 4 entries, posted by billing\n\
         Entries: 100 200 300 400\n"
    );
    assert_eq!(
        service.call("audit", KEY),
        "Post: PermissionDenied forbidden\n\
         Import: PermissionDenied forbidden\n\
         Entries: 100 200 300 400\n"
    );
    let refused = "Unauthenticated invalid_signature";
    assert_eq!(
        service.call("billing", OTHER_KEY),
        format!("Post: {refused}\nImport: {refused}\nEntries: {refused}\n")
    );
}
