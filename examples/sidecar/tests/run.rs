//! The example as its users run it.

#![allow(clippy::unwrap_used, reason = "tests panic on what should not happen")]

use std::process::{Command, Output, Stdio};

fn sidecar() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar"));
    command.stdin(Stdio::null());
    command
}

fn table(output: Output) -> String {
    let table = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}{said}");
    assert_eq!(said, "", "{table}");
    let answers = table.lines().filter(|line| line.ends_with(" yes"));
    assert_eq!(answers.count(), 19, "{table}");
    assert!(table.contains("\n19 of 19 as expected; "), "{table}");
    table
}

#[test]
fn without_python_and_node_the_services_run_in_rust_and_the_output_says_so() {
    let output = sidecar().env("PATH", "").output().unwrap();
    let table = table(output);
    for service in [
        "orders: in Rust, because python3 is not installed,",
        "ledger: in Rust, because node is not installed,",
    ] {
        assert!(table.contains(service), "{table}");
    }
}

#[test]
#[ignore = "needs Python and Node"]
fn a_python_service_and_a_node_service_need_no_signing_code() {
    let table = table(sidecar().output().unwrap());
    for service in ["orders: Python 3.", "ledger: node v"] {
        assert!(table.contains(service), "{table}");
    }
}

#[test]
fn an_argument_is_an_error() {
    let output = sidecar().arg("--serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("usage: sidecar"), "{said}");
}
