//! The start of the program, its refusals to start, and its end.

use crate::process::{Process, output};

const KEY: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

fn secrets(target: &str, key: &str) -> String {
    format!("{{\"{target}\":\"{key}\"}}")
}

#[test]
fn refuses_to_start_on_wrong_variables_and_names_them_without_the_key() {
    let good = secrets("user-service", KEY);
    let odd = secrets("user-service", &KEY[1..]);
    let short = secrets("user-service", &KEY[..62]);
    let other = secrets("audit", KEY);
    let name = ("SERVICE_NAME", "billing");
    for (case, variables, part) in [
        ("nothing", vec![], "SERVICE_NAME: not set"),
        (
            "no name",
            vec![("SERVICE_SECRETS", &*good)],
            "SERVICE_NAME: not set",
        ),
        ("no secrets", vec![name], "SERVICE_SECRETS: not set"),
        (
            "no such target",
            vec![name, ("SERVICE_SECRETS", &*other)],
            "user-service",
        ),
        (
            "the rotating variable alone",
            vec![name, ("ROTATING_SERVICE_SECRETS", &*good)],
            "SERVICE_SECRETS: not set",
        ),
        (
            "an odd key",
            vec![name, ("SERVICE_SECRETS", &*odd)],
            "user-service",
        ),
        (
            "a short key",
            vec![name, ("SERVICE_SECRETS", &*short)],
            "user-service",
        ),
        (
            "a wrong name",
            vec![("SERVICE_NAME", "a,b"), ("SERVICE_SECRETS", &*good)],
            "a,b",
        ),
        (
            "a wrong URL",
            vec![
                name,
                ("SERVICE_SECRETS", &*good),
                ("USER_SERVICE_URL", "https://users/api"),
            ],
            "USER_SERVICE_URL",
        ),
    ] {
        let output = output(&variables);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{case}: {error}");
        assert!(error.contains(part), "{case}: {error}");
        assert!(!error.contains("panicked"), "{case}: {error}");
        assert!(!error.contains(&KEY[1..61]), "{case}: {error}");
        assert!(output.stdout.is_empty(), "{case}");
    }
}

#[cfg(unix)]
#[test]
fn ends_with_exit_code_0_on_either_signal() {
    let secrets = secrets("user-service", KEY);
    for signal in ["TERM", "INT"] {
        let mut process =
            Process::start(&[("SERVICE_NAME", "billing"), ("SERVICE_SECRETS", &secrets)]);
        assert_eq!(process.stop(signal), Some(0), "{signal}");
    }
}
