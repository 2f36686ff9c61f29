//! Patterns against a simple reference matcher, and the check of routes against the matcher.

use countersign::{ConfigError, ExecuteApi, Policy};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

use crate::allows;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

fn toml(pattern: &str) -> Policy {
    Policy::from_toml(&format!(
        "[[statements]]\nid = \"one\"\neffect = \"allow\"\ncallers = [\"*\"]\nmethods = [\"GET\"]\npaths = [\"{pattern}\"]\n"
    ))
    .unwrap()
}

fn json(pattern: &str) -> Result<Policy, ConfigError> {
    let api = ExecuteApi::new("r", "1", "a", "s").unwrap();
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"a/s/{pattern}"}}}}"#
    );
    Policy::from_json(&text, &api)
}

/// Matches `*` and `?` over any characters.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| wild(rest, &text[taken..])),
        ([b'?', rest @ ..], [_, left @ ..]) => wild(rest, left),
        ([byte, rest @ ..], [first, left @ ..]) => byte == first && wild(rest, left),
        (_, []) => false,
    }
}

fn segments(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|taken| segments(rest, &path[taken..])),
        [first, rest @ ..] => path.split_first().is_some_and(|(segment, left)| {
            wild(first.as_bytes(), segment.as_bytes()) && segments(rest, left)
        }),
    }
}

fn split(path: &str) -> Vec<&str> {
    path[1..].split('/').collect()
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn the_toml_form_matches_segment_by_segment(
        pattern in "(/(\\*\\*|[ab*]{1,4})){1,5}/?",
        path in "(/[ab]{1,4}){1,6}/?",
    ) {
        // `**` inside a segment is refused.
        let within = split(&pattern).iter().any(|segment| segment.contains("**") && *segment != "**");
        prop_assume!(!within);
        let expected = segments(&split(&pattern), &split(&path));
        let policy = toml(&pattern);
        prop_assert_eq!(allows(&policy, "billing", "GET", &path), expected);
        // A route without a capture is a path.
        prop_assert_eq!(policy.uncovered([("GET", &path)]).unwrap().is_empty(), expected);
    }

    #[test]
    fn the_json_form_matches_any_run(
        pattern in "[GET*?]{0,4}[/ab*?]{1,10}",
        path in "(/[ab]{1,4}){1,6}/?",
    ) {
        let name = format!("GET{path}");
        let expected = wild(pattern.as_bytes(), name.as_bytes());
        // A pattern that no request can match is refused.
        let Ok(policy) = json(&pattern) else {
            prop_assert!(!expected);
            return Ok(());
        };
        prop_assert_eq!(allows(&policy, "billing", "GET", &path), expected);
        prop_assert_eq!(policy.uncovered([("GET", &path)]).unwrap().is_empty(), expected);
    }
}

/// A pattern that is exponential for a backtracking matcher is decided at once.
#[test]
fn a_long_path_of_repeats_is_judged_at_once() {
    let policy = toml("/**/a/**/a/**/a/**/a/**/a/**/a/**/b");
    let path = "/a".repeat(4_000);
    assert!(!allows(&policy, "billing", "GET", &path));
    let policy = toml("/*a*a*a*a*a*a*a*a*b");
    let path = format!("/{}", "a".repeat(8_000));
    assert!(!allows(&policy, "billing", "GET", &path));
    let policy = json("*a*a*a*a*a*a*a*a*b").unwrap();
    assert!(!allows(&policy, "billing", "GET", &path));
}
