//! The README for a new user: its programs, its commands and its length.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

const README: &str = include_str!("../../../README.md");

/// Returns the fenced blocks of this language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    let rest = README.split(opening.as_str()).skip(1);
    rest.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_programs_are_those_of_this_crate() {
    let [server, client] = blocks("rust")[..] else {
        panic!("expected two programs");
    };
    // The README omits the documentation of the file and the empty line after it.
    let (_, program) = include_str!("../src/bin/server.rs")
        .split_once("\n\n")
        .unwrap();
    assert_eq!(server, program);
    assert!(client.contains("SignLayer::new"), "{client}");
    assert!(
        include_str!("../src/bin/client.rs").contains(client),
        "{client}"
    );
}

#[test]
fn the_first_commands_are_the_two_that_the_gate_runs() {
    let first = blocks("sh")[0];
    let commands: Vec<_> = first
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(commands, ["cargo run -p demo", "cargo test --workspace"]);
}

#[test]
fn it_is_read_in_minutes() {
    assert!(README.lines().count() <= 180);
}

/// The versions and features of a new project are the tested ones.
#[test]
fn the_dependencies_to_add_are_those_of_this_crate() {
    let workspace: toml::Table = include_str!("../../../Cargo.toml").parse().unwrap();
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    let mut added = Vec::new();
    let additions = blocks("sh");
    let additions = additions.last().unwrap().lines();
    for line in additions.map(|line| line.strip_prefix("cargo add ").unwrap()) {
        let (packages, features) = line.split_once(" --features ").unwrap_or((line, ""));
        if let Some(path) = packages.strip_prefix("--path ../countersign/crates/") {
            added.push(path);
            continue;
        }
        for package in packages.split(' ') {
            let (name, version) = package.split_once('@').unwrap();
            let known = &workspace["workspace"]["dependencies"][name];
            let known = known.get("version").unwrap_or(known).as_str().unwrap();
            assert!(known.starts_with(version), "{name}: {known}");
            let needed = dependencies[name].get("features");
            let needed = needed.and_then(toml::Value::as_array).into_iter().flatten();
            for feature in needed.map(|feature| feature.as_str().unwrap()) {
                // axum and tracing-subscriber enable these by default.
                let is_given = ["", "full"].contains(&features) || features.contains(feature);
                assert!(is_given, "{name}: {feature}");
            }
            added.push(name);
        }
    }
    added.sort_unstable();
    let needed: Vec<_> = dependencies.keys().collect();
    assert_eq!(added, needed);
}

/// Runs the program, which fails, and returns what it printed to standard error.
fn failure(program: &str, address: &str, peer: &str) -> String {
    let secrets = format!(r#"{{"{peer}":"{}"}}"#, "0123456789abcdef".repeat(4));
    let output = Command::new(program)
        .arg(address)
        .env("SERVICE_NAME", "billing")
        .env("SERVICE_SECRETS", secrets)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_failure_reads_as_a_sentence() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();

    let said = failure(env!("CARGO_BIN_EXE_server"), &address, "billing");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with(&format!("Error: \"{address}: ")), "{last}");

    drop(port);
    let said = failure(env!("CARGO_BIN_EXE_client"), &address, "user-service");
    let last = said.lines().last().unwrap();
    assert!(last.contains("tcp connect error: "), "{last}");
    assert!(!last.contains('{'), "{last}");
}

#[test]
#[ignore = "needs curl and openssl"]
fn the_quick_start_runs_as_pasted() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let pasted = blocks("sh")[1];
    // Both programs are already built, and another service may use the README's port.
    let run = "cargo run -q -p quick-start --bin ";
    assert!(pasted.contains("cargo build -p quick-start\n"), "{pasted}");
    assert_eq!(pasted.matches(run).count(), 2, "{pasted}");
    let script = pasted
        .replace("cargo build -p quick-start\n", "")
        .replace(&format!("{run}server"), env!("CARGO_BIN_EXE_server"))
        .replace(&format!("{run}client"), env!("CARGO_BIN_EXE_client"))
        .replace("127.0.0.1:8081", &address);

    let output = Command::new("bash")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("HTTP/1.1 401 Unauthorized\r\n"), "{said}");
    assert!(
        said.contains("{\"error\":\"missing_signature\"}\n"),
        "{said}"
    );
    assert!(said.ends_with("account 7, shown to billing\n"), "{said}");
}
