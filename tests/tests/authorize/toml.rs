//! The accepted content of a TOML policy. All other content is refused at load.

use countersign::{ConfigErrorKind, Policy};

use crate::{ALLOW_ALL, allows, policy};

const STATEMENT: &str = r#"
[groups]
finance = ["billing", "audit"]

[accounts]
partner = ["warehouse"]

[[statements]]
id = "one"
effect = "allow"
callers = ["billing", "group:finance", "account:partner"]
methods = ["GET"]
paths = ["/x"]
when = { scheme = ["HMAC-SHA256"], coverage = ["request"] }
"#;

#[test]
fn what_is_wrong_is_refused_and_the_message_says_where() {
    policy(STATEMENT);
    for (name, from, to, kind, says) in [
        (
            "unknown key of the file",
            "[groups]",
            "[group]",
            ConfigErrorKind::File,
            "group",
        ),
        (
            "unknown key of a statement",
            "paths =",
            "path =",
            ConfigErrorKind::File,
            "path",
        ),
        (
            "unknown condition",
            "coverage =",
            "coverages =",
            ConfigErrorKind::File,
            "coverages",
        ),
        (
            "a second effect",
            "effect = \"allow\"",
            "effect = \"deny\"\neffect = \"allow\"",
            ConfigErrorKind::File,
            "duplicate",
        ),
        (
            "unknown effect",
            "\"allow\"",
            "\"permit\"",
            ConfigErrorKind::File,
            "permit",
        ),
        (
            "effect in another case",
            "\"allow\"",
            "\"Allow\"",
            ConfigErrorKind::File,
            "Allow",
        ),
        ("no id", "id = \"one\"", "", ConfigErrorKind::File, "id"),
        (
            "no effect",
            "effect = \"allow\"",
            "",
            ConfigErrorKind::File,
            "effect",
        ),
        (
            "no methods",
            "methods = [\"GET\"]",
            "",
            ConfigErrorKind::File,
            "methods",
        ),
        (
            "no callers",
            "callers = [\"billing\", \"group:finance\", \"account:partner\"]",
            "",
            ConfigErrorKind::File,
            "callers",
        ),
        (
            "no paths",
            "paths = [\"/x\"]",
            "",
            ConfigErrorKind::File,
            "paths",
        ),
        (
            "a text for a list",
            "[\"/x\"]",
            "\"/x\"",
            ConfigErrorKind::File,
            "string",
        ),
        (
            "an empty id",
            "\"one\"",
            "\"\"",
            ConfigErrorKind::Policy,
            "id",
        ),
        (
            "an id with a line break",
            "\"one\"",
            "\"o\\nne\"",
            ConfigErrorKind::Policy,
            "id",
        ),
        (
            "empty methods",
            "[\"GET\"]",
            "[]",
            ConfigErrorKind::Policy,
            "methods",
        ),
        (
            "empty paths",
            "[\"/x\"]",
            "[]",
            ConfigErrorKind::Policy,
            "paths",
        ),
        (
            "empty callers",
            "[\"billing\", \"group:finance\", \"account:partner\"]",
            "[]",
            ConfigErrorKind::Policy,
            "callers",
        ),
        (
            "an empty when",
            "{ scheme = [\"HMAC-SHA256\"], coverage = [\"request\"] }",
            "{}",
            ConfigErrorKind::Policy,
            "when",
        ),
        (
            "an empty condition",
            "[\"request\"]",
            "[]",
            ConfigErrorKind::Policy,
            "coverage",
        ),
        (
            "unknown scheme",
            "HMAC-SHA256",
            "HMAC-SHA512",
            ConfigErrorKind::Policy,
            "scheme",
        ),
        (
            "unknown coverage",
            "\"request\"",
            "\"Request\"",
            ConfigErrorKind::Policy,
            "coverage",
        ),
        (
            "method in lower case",
            "\"GET\"",
            "\"get\"",
            ConfigErrorKind::Policy,
            "get",
        ),
        (
            "method pattern",
            "\"GET\"",
            "\"GE*\"",
            ConfigErrorKind::Policy,
            "GE*",
        ),
        (
            "all methods and one",
            "[\"GET\"]",
            "[\"*\", \"GET\"]",
            ConfigErrorKind::Policy,
            "*",
        ),
        (
            "path without a slash",
            "\"/x\"",
            "\"x\"",
            ConfigErrorKind::Policy,
            "slash",
        ),
        (
            "path that is not plain",
            "\"/x\"",
            "\"/%78\"",
            ConfigErrorKind::Policy,
            "/%78",
        ),
        (
            "unknown group",
            "group:finance",
            "group:finances",
            ConfigErrorKind::Policy,
            "finances",
        ),
        (
            "unknown account",
            "account:partner",
            "account:partners",
            ConfigErrorKind::Policy,
            "partners",
        ),
        (
            "pattern of callers",
            "[\"billing\", \"group",
            "[\"bill*\", \"group",
            ConfigErrorKind::Name,
            "bill*",
        ),
        (
            "a caller that is none",
            "[\"billing\", \"group",
            "[\"a b\", \"group",
            ConfigErrorKind::Name,
            "a b",
        ),
        (
            "a group in a group",
            "[\"billing\", \"audit\"]",
            "[\"group:finance\"]",
            ConfigErrorKind::Name,
            "finance",
        ),
        (
            "everyone in a group",
            "[\"billing\", \"audit\"]",
            "[\"*\"]",
            ConfigErrorKind::Name,
            "*",
        ),
        (
            "one caller in two accounts",
            "[\"warehouse\"]",
            "[\"warehouse\"]\nother = [\"warehouse\"]",
            ConfigErrorKind::Policy,
            "warehouse",
        ),
    ] {
        assert!(STATEMENT.contains(from), "{name}");
        let text = STATEMENT.replacen(from, to, 1);
        let error = Policy::from_toml(&text).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(says), "{name}: {error}");
    }
}

#[test]
fn the_policy_in_the_guide_is_one() {
    let guide = include_str!("../../../crates/GUIDE.md");
    let (_, after) = guide.split_once("const POLICY: &str = r#\"").unwrap();
    let (text, _) = after.split_once("\"#").unwrap();
    let policy = policy(text);
    assert!(allows(&policy, "audit", "GET", "/api/account/7"));
    assert!(!allows(&policy, "audit", "DELETE", "/api/account/7"));
    let uncovered = policy.uncovered([("GET", "/api/account/{id}"), ("GET", "/api/report")]);
    assert_eq!(uncovered.unwrap()[0].route, "/api/report");
}

#[test]
fn a_text_without_statements_is_no_policy() {
    for text in ["", "statements = []", "[groups]\nfinance = [\"billing\"]"] {
        assert!(Policy::from_toml(text).is_err(), "{text:?}");
    }
}

#[test]
fn two_statements_of_one_name_are_refused() {
    let error = Policy::from_toml(&format!("{ALLOW_ALL}{ALLOW_ALL}")).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Policy);
    assert_eq!(
        error.to_string(),
        "line 10, column 6: statement all: listed twice"
    );
}

#[test]
fn dates_need_an_offset() {
    for (date, expected) in [
        ("2026-01-01T00:00:00Z", true),
        ("2026-01-01T00:00:00+02:00", true),
        ("2026-01-01T00:00:00", false),
        ("2026-01-01", false),
        ("00:00:00", false),
    ] {
        let text = format!("{ALLOW_ALL}when = {{ not_after = {date} }}");
        assert_eq!(Policy::from_toml(&text).is_ok(), expected, "{date}");
    }
}

/// In a deny, this would deny no request.
#[test]
fn dates_that_leave_no_time_are_refused() {
    for (from, until, expected) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", true),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false),
        ("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z", false),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+02:00", false),
    ] {
        let text = format!("{ALLOW_ALL}when = {{ not_before = {from}, not_after = {until} }}");
        let policy = Policy::from_toml(&text);
        assert_eq!(policy.is_ok(), expected, "{from} to {until}");
        if let Err(error) = policy {
            assert_eq!(error.kind(), ConfigErrorKind::Policy);
            assert!(error.to_string().contains("not_after"), "{error}");
        }
    }
}
