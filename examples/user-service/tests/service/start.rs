//! The start of the program, its refusals to start, and its end.

use crate::process::{Process, output};

const KEY: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

fn secrets(key: &str) -> String {
    format!("{{\"billing\":\"{key}\"}}")
}

#[test]
fn refuses_to_start_on_wrong_variables_and_names_them_without_the_key() {
    let good = secrets(KEY);
    let odd = secrets(&KEY[1..]);
    let short = secrets(&KEY[..62]);
    let twice = format!("{{\"billing\":\"{KEY}\",\"billing\":\"{KEY}\"}}");
    let shared = format!("{{\"billing\":\"{KEY}\",\"audit\":\"{KEY}\"}}");
    let unclosed = &good[..good.len() - 1];
    for (name, variables, part) in [
        ("no secrets", vec![], "SERVICE_SECRETS: not set"),
        (
            "empty secrets",
            vec![("SERVICE_SECRETS", "")],
            "SERVICE_SECRETS",
        ),
        (
            "a bare key",
            vec![("SERVICE_SECRETS", KEY)],
            "SERVICE_SECRETS",
        ),
        (
            "no JSON",
            vec![("SERVICE_SECRETS", unclosed)],
            "SERVICE_SECRETS",
        ),
        (
            "an odd key",
            vec![("SERVICE_SECRETS", &*odd)],
            "caller billing",
        ),
        (
            "a short key",
            vec![("SERVICE_SECRETS", &*short)],
            "caller billing",
        ),
        (
            "a caller twice",
            vec![("SERVICE_SECRETS", &*twice)],
            "caller billing",
        ),
        (
            "one key for two",
            vec![("SERVICE_SECRETS", &*shared)],
            "caller",
        ),
        (
            "a wrong rotating key",
            vec![
                ("SERVICE_SECRETS", &*good),
                ("ROTATING_SERVICE_SECRETS", &*odd),
            ],
            "ROTATING_SERVICE_SECRETS",
        ),
        (
            "no host",
            vec![("SERVICE_SECRETS", &*good), ("EXPECTED_HOSTS", "")],
            "EXPECTED_HOSTS",
        ),
        (
            "a wrong host",
            vec![
                ("SERVICE_SECRETS", &*good),
                ("EXPECTED_HOSTS", "users, http://users"),
            ],
            "http://users",
        ),
        (
            "a wrong form",
            vec![("SERVICE_SECRETS", &*good), ("HOST_FORM", "any")],
            "HOST_FORM",
        ),
    ] {
        let output = output(&variables);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}: {error}");
        assert!(error.contains(part), "{name}: {error}");
        assert!(!error.contains("panicked"), "{name}: {error}");
        assert!(!error.contains(&KEY[1..61]), "{name}: {error}");
        assert!(output.stdout.is_empty(), "{name}");
    }
}

#[test]
fn an_address_that_is_taken_is_exit_code_1() {
    let secrets = secrets(KEY);
    let first = Process::start(&[("SERVICE_SECRETS", &secrets)]);
    let output = output(&[
        ("SERVICE_SECRETS", &secrets),
        ("LISTEN_ADDR", first.authority()),
    ]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("LISTEN_ADDR"), "{error}");
}

#[cfg(unix)]
#[test]
fn ends_with_exit_code_0_on_either_signal() {
    let secrets = secrets(KEY);
    for signal in ["TERM", "INT"] {
        let mut process = Process::start(&[("SERVICE_SECRETS", &secrets)]);
        assert_eq!(process.stop(signal), Some(0), "{signal}");
    }
}
