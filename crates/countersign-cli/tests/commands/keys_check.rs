//! `keys check`: the keys that a service would load, and those that end soon.

use countersign_cli::Exit;
use serde_json::Value;

use crate::{folder::Folder, program::program, receiver::json};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
const OTHER: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

/// One caller with a key of these lines.
fn caller(lines: &str) -> String {
    format!("[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"2026-01\"\n{lines}\n")
}

fn secret() -> String {
    format!("secret_hex = \"{SECRET}\"")
}

fn check(text: &str) -> (Exit, Value) {
    let outcome = program("--json keys check -").stdin(text).run();
    (outcome.exit, json(&outcome.stdout))
}

fn codes(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array().unwrap();
    warnings
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect()
}

#[test]
fn every_key_is_listed_without_its_secret() {
    let text = format!(
        "{}\n[[callers.keys]]\nversion = \"aws\"\nscheme = \"AWS4-HMAC-SHA256\"\n\
         key_id = \"AKIDBILLING\"\nsecret_text = \"correct/Horse+battery/Staple+0123456789\"\n\
         [[callers]]\nname = \"audit\"\n[[callers.keys]]\nversion = \"1\"\nstate = \"revoked\"\n\
         ed25519_public_key_hex = \
         \"402e328251f221237f0b738f6acb8492fd70614d61deb1f6f8e020eb5ced7b38\"\n\
         [[targets]]\nname = \"ledger\"\ncaller = \"users\"\nauthorities = [\"ledger:80\"]\n\
         secret_hex = \"{OTHER}\"\n",
        caller(&secret()),
    );
    let (exit, answer) = check(&text);
    assert_eq!(exit, Exit::Yes, "{answer}");
    let keys = answer["keys"].as_array().unwrap();
    let field = |name: &str| -> Vec<String> {
        keys.iter()
            .map(|key| key[name].to_string().replace('"', ""))
            .collect()
    };
    assert_eq!(field("side"), ["caller", "caller", "caller", "target"]);
    assert_eq!(field("name"), ["billing", "billing", "audit", "ledger"]);
    assert_eq!(field("version"), ["2026-01", "aws", "1", "null"]);
    assert_eq!(field("key_id"), ["null", "AKID…", "null", "null"]);
    assert_eq!(field("kind"), ["secret", "secret", "public_key", "secret"]);
    assert_eq!(field("bytes"), ["32", "39", "32", "32"]);
    assert_eq!(field("state"), ["active", "active", "revoked", "active"]);
    assert_eq!(field("in_force"), ["true", "true", "false", "true"]);
    assert_eq!(
        field("scheme"),
        ["HMAC-SHA256", "AWS4-HMAC-SHA256", "ED25519", "HMAC-SHA256"]
    );
    let human = program("keys check -").stdin(text).run().expect(Exit::Yes);
    for shown in [human, answer.to_string()] {
        for hidden in [SECRET, OTHER, "Staple", "AKIDB"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}

#[test]
fn a_file_that_a_service_refuses_is_refused_with_its_error() {
    for (name, text, expected) in [
        ("no TOML", "[[callers".to_owned(), "line 1"),
        ("nothing", String::new(), "at least one caller"),
        ("an unknown setting", caller("secret = \"1\""), "secret"),
        ("a weak key", caller("secret_hex = \"00ff\""), "weak key"),
        (
            "a key in both directions",
            format!(
                "{}\n[[targets]]\nname = \"a\"\ncaller = \"b\"\nauthorities = [\"a\"]\n{}\n",
                caller(&secret()),
                secret()
            ),
            "",
        ),
        (
            "a bad target",
            format!(
                "[[targets]]\nname = \"a\"\nauthorities = [\"a\"]\n{}\n",
                secret()
            ),
            "caller",
        ),
        (
            "a root without callers",
            format!(
                "[derived]\ncallee = \"a\"\n[[derived.roots]]\nversion = \"1\"\n{}",
                secret()
            ),
            "allow",
        ),
    ] {
        let (exit, answer) = check(&text);
        assert_eq!(exit, Exit::No, "{name}: {answer}");
        let problem = answer["problem"].as_str().unwrap();
        assert!(problem.contains(expected), "{name}: {problem}");
        assert!(!problem.contains(SECRET), "{name}: {problem}");
        let human = program("keys check -").stdin(text).run().expect(Exit::No);
        assert!(
            human.starts_with("refused: standard input: "),
            "{name}: {human}"
        );
    }
    program("keys check /nonexistent")
        .run()
        .expect_error(Exit::Unavailable);
}

#[test]
fn what_is_about_to_end_and_what_is_weaker_than_it_need_be_is_a_warning() {
    let with = |line: &str| caller(&format!("{}\n{line}", secret()));
    let short = "scheme = \"X-HMAC-SHA256\"\nsecret_text = \"ahX9queiSh4ieyeeZohf1Aik\"";
    for (name, text, expected) in [
        ("nothing", with(""), &[][..]),
        (
            "an end in ten days",
            with("not_after = 2026-01-12T03:04:05Z"),
            &["ends_soon"],
        ),
        (
            "an end in ten weeks",
            with("not_after = 2026-03-20T00:00:00Z"),
            &[],
        ),
        (
            "an end",
            with("not_after = 2026-01-02T03:04:05Z"),
            &["ended", "no_key_in_force"],
        ),
        (
            "a start",
            with("not_before = 2026-01-03T00:00:00Z"),
            &["not_yet", "no_key_in_force"],
        ),
        (
            "the second state",
            with("state = \"accept-only\""),
            &["accept_only"],
        ),
        (
            "a revoked key",
            with("state = \"revoked\""),
            &["no_key_in_force"],
        ),
        (
            "three headers",
            with("insecure_three_headers = true"),
            &["three_headers"],
        ),
        ("a short key", caller(short), &["short"]),
    ] {
        let (exit, answer) = check(&text);
        assert_eq!(exit, Exit::Yes, "{name}: {answer}");
        assert_eq!(codes(&answer), expected, "{name}: {answer}");
    }
    let text = with("not_after = 2026-01-12T03:04:05Z");
    let human = program("keys check -").stdin(text).run().expect(Exit::Yes);
    assert_eq!(
        human,
        "loads: 1 key\n  caller billing, key 2026-01  HMAC-SHA256  secret of 32 bytes  active  \
         until 2026-01-12T03:04:05Z\nwarning: caller billing, key 2026-01: ends in 10 days\n"
    );
}

#[test]
fn roots_are_keys_of_the_callee() {
    let text = format!(
        "[derived]\ncallee = \"users\"\nallow = [\"billing\"]\n\
         [[derived.roots]]\nversion = \"1\"\n{}\n",
        secret()
    );
    let (exit, answer) = check(&text);
    assert_eq!(exit, Exit::Yes, "{answer}");
    assert_eq!(answer["keys"][0]["side"], "root");
    assert_eq!(answer["keys"][0]["name"], "users");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_a_warning() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = Folder::new();
    let file = folder.with("keys.toml", &caller(&secret()));
    for (mode, expected) in [(0o600, &[][..]), (0o644, &["readable_by_others"])] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let answer = json(
            &program("--json keys check")
                .with(&file)
                .run()
                .expect(Exit::Yes),
        );
        assert_eq!(codes(&answer), expected, "{mode:o}");
    }
}
