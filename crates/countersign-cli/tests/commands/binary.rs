//! The program as a process: its streams, its variables and its exit codes.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use crate::receiver::json;

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

fn run(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .env("COUNTERSIGN_TEST_KEY", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads nothing closes the pipe.
    let _ = program.stdin.take().unwrap().write_all(stdin);
    program.wait_with_output().unwrap()
}

#[test]
fn the_exit_code_is_the_answer() {
    let policy: &[u8] =
        b"[[statements]]\nid = \"a\"\neffect = \"allow\"\ncallers = [\"billing\"]\n\
                          methods = [\"GET\"]\npaths = [\"/a\"]\n";
    let test = |method| ["policy", "test", "-", method, "/a", "--caller", "billing"];
    for (name, arguments, stdin, expected) in [
        ("yes", &test("GET")[..], policy, 0),
        ("no", &test("PUT"), policy, 1),
        ("usage", &test("GET"), b"[", 2),
        ("an unknown command", &["nothing"], b"", 2),
        ("unavailable", &["keys", "check", "/nonexistent"], b"", 3),
    ] {
        let output = run(arguments, stdin);
        assert_eq!(output.status.code(), Some(expected), "{name}: {output:?}");
    }
}

#[test]
fn the_variables_of_the_process_and_its_clock_are_used() {
    let arguments = [
        "--json",
        "sign",
        "POST",
        "http://a/b",
        "--as",
        "billing",
        "--key-env",
        "COUNTERSIGN_TEST_KEY",
        "-d",
        "-",
    ];
    let output = run(&arguments, b"body");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let answer = json(&String::from_utf8(output.stdout).unwrap());
    let headers = answer["headers"].as_array().unwrap();
    let digest = headers
        .iter()
        .find(|it| it["name"] == "x-content-sha256")
        .unwrap();
    let expected = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5";
    assert_eq!(digest["value"], expected);
    let date: &str = answer["date"].as_str().unwrap();
    assert!(date > "2026-01-01", "{date}");
}

#[test]
fn a_reader_that_leaves_early_is_no_panic() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(program.stdout.take());
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("panicked"), "{error}");
}
