//! The demo as its users run it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(arguments);
    command
}

#[test]
fn everything_comes_out_as_expected() {
    let output = demo(&[]).stdin(Stdio::null()).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(output.stderr.is_empty(), "{table}");

    let answers = table.lines().filter(|line| line.ends_with(" yes"));
    assert_eq!(answers.count(), 22, "{table}");
    assert!(table.contains("\n22 of 22 as expected; "), "{table}");
    for code in [
        "401 missing_signature",
        "401 invalid_signature",
        "401 body_mismatch",
        "401 expired",
        "401 replayed",
        "403 forbidden",
        "421 misdirected",
        "413 too_large",
    ] {
        assert!(table.contains(code), "{code}:\n{table}");
    }
}

#[test]
fn says_how_it_is_used() {
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--sevre"], 2),
        (&["--serve", "8080"], 2),
        (&["--sidecar", "--serve"], 2),
    ] {
        let output = demo(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let said = if code == 0 {
            output.stdout
        } else {
            output.stderr
        };
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("usage: demo [--serve | --sidecar]"), "{said}");
    }
}

#[test]
#[ignore = "needs cargo, which builds the example sidecar"]
fn sidecar_runs_the_example_of_that_name() {
    let output = demo(&["--sidecar"]).stdin(Stdio::null()).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{table}");
    assert!(table.contains("\n19 of 19 as expected; "), "{table}");
}

#[test]
#[ignore = "needs curl and openssl"]
fn the_calls_to_try_answer_as_they_say_and_ctrl_c_ends() {
    let mut demo = Running(demo(&["--serve"]).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let calls: Vec<String> = lines
        .map(Result::unwrap)
        .skip_while(|line| !line.starts_with("Both services are up"))
        .skip(1)
        .take_while(|line| !line.starts_with("Ctrl-C ends"))
        .collect();
    let start = calls.iter().rposition(|line| line.starts_with("curl"));
    let last_call = calls[start.unwrap()..].join("\n");
    let script = format!("{}\n{last_call}", calls.join("\n"));

    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    let statuses: Vec<&str> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|answer| answer.split(' ').next())
        .collect();
    assert_eq!(
        statuses,
        ["200", "401", "201", "409", "200", "401"],
        "{script}\n{answers}"
    );
    assert!(answers.contains(r#""caller":"billing""#), "{answers}");
    assert!(answers.contains(r#"{"error":"replayed"}"#), "{answers}");

    let interrupt = format!("kill -INT {}", demo.0.id());
    let sent = Command::new("sh")
        .args(["-c", &interrupt])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(demo.0.wait().unwrap().code(), Some(0));
}

/// A process that is stopped when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended already.
        let _: Result<(), _> = self.0.kill();
        let _: Result<_, _> = self.0.wait();
    }
}
