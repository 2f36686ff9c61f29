use countersign_cli::Exit;
use serde_json::Value;

use crate::program::{Outcome, program};

/// Runs the vectors against a script of the shell, which reads a case into `$line`.
fn answered_by(script: &str) -> (Outcome, Value) {
    let outcome = program("--json vectors run --timeout 1 --command")
        .with(format!("sh -c 'while read -r line; do {script}; done'"))
        .run();
    let report = serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{outcome:?}"));
    (outcome, report)
}

#[test]
fn a_case_holds_no_answer_and_every_answer_is_judged() {
    for (name, script, exit, right, wrong, skipped) in [
        (
            "skips all",
            r#"echo "{\"skip\":\"x\"}""#,
            Exit::No,
            0,
            0,
            305,
        ),
        (
            "accepts all",
            r#"echo "{\"answer\":\"accept\"}""#,
            Exit::No,
            30,
            275,
            0,
        ),
        (
            "signs nothing",
            r#"echo "{\"signature\":\"\"}""#,
            Exit::No,
            0,
            305,
            0,
        ),
        (
            "writes the case back",
            r#"printf "%s\n" "$line""#,
            Exit::No,
            0,
            305,
            0,
        ),
        ("writes no JSON", "echo no", Exit::No, 0, 305, 0),
        ("ends", "exit", Exit::No, 0, 305, 0),
        ("hangs", "sleep 60", Exit::No, 0, 305, 0),
    ] {
        let (outcome, report) = answered_by(script);
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
        let counts = [&report["right"], &report["wrong"], &report["skipped"]];
        assert_eq!(counts, [right, wrong, skipped], "{name}");
    }
}

#[test]
fn a_command_that_cannot_run_is_no_answer() {
    for (name, command, exit) in [
        ("no program", "/nowhere/at/all", Exit::Unavailable),
        ("no words", "", Exit::Usage),
        ("a shell operator", "cat | cat", Exit::Usage),
    ] {
        let outcome = program("vectors run --command").with(command).run();
        assert_eq!(outcome.exit, exit, "{name}: {outcome:?}");
    }
    let outcome = program("vectors run --command cat --vectors /nowhere").run();
    assert_eq!(outcome.exit, Exit::Unavailable, "{outcome:?}");
}
