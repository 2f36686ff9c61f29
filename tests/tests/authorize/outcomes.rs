//! The outcomes that IAM documents, in both policy formats.

use countersign::{ExecuteApi, Membership, Policy};

use crate::{allows, ask, policy};

const NO_MATCH: &str = "no statement allows it";

fn api() -> ExecuteApi {
    let membership = Membership::new()
        .with_group("finance", ["billing", "audit"])
        .unwrap()
        .with_account("111111111111", ["billing", "warehouse"])
        .unwrap();
    ExecuteApi::new("eu-west-1", "222222222222", "api-id", "prod")
        .unwrap()
        .with_membership(membership)
}

/// All combinations of a matching allow, a matching deny, and a statement that does not match.
#[test]
fn a_deny_overrides_an_allow_and_no_match_is_a_refusal() {
    let allow = r#"{"Sid":"a","Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"api-id/*/GET/pets"}"#;
    let deny = r#"{"Sid":"d","Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"api-id/*/GET/pets"}"#;
    let other = r#"{"Sid":"o","Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"api-id/*/GET/dogs"}"#;
    for (statements, expected) in [
        (&[other][..], NO_MATCH),
        (&[other, allow], "allowed by a"),
        (&[other, deny], "denied by d"),
        (&[other, allow, deny], "denied by d"),
        (&[deny, other, allow], "denied by d"),
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        );
        let policy = Policy::from_json(&text, &api()).unwrap();
        assert_eq!(ask(&policy, "billing", "GET", "/pets"), expected, "{text}");
    }
}

/// The example of 2f: everyone reads pets on every stage, and no one posts them.
#[test]
fn pets_can_be_read_and_not_posted() {
    let policy = Policy::from_json(
        r#"{
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "read", "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
                 "Resource": ["arn:aws:execute-api:eu-west-1:222222222222:api-id/*/GET/pets"]},
                {"Sid": "all", "Effect": "Allow", "Principal": {"Caller": "group:finance"}, "Action": "execute-api:Invoke",
                 "Resource": "execute-api:/prod/*"},
                {"Sid": "post", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "execute-api:Invoke",
                 "Resource": ["api-id/*/POST/pets"]}
            ]
        }"#,
        &api(),
    )
    .unwrap();
    for (caller, method, path, expected) in [
        ("stranger", "GET", "/pets", "allowed by read"),
        ("stranger", "POST", "/pets", "denied by post"),
        ("stranger", "GET", "/pets/7", NO_MATCH),
        ("stranger", "PUT", "/pets", NO_MATCH),
        ("billing", "POST", "/pets", "denied by post"),
        ("billing", "POST", "/pets/7", "allowed by all"),
        ("audit", "PUT", "/anything/at/all", "allowed by all"),
        ("warehouse", "PUT", "/anything/at/all", NO_MATCH),
    ] {
        assert_eq!(
            ask(&policy, caller, method, path),
            expected,
            "{caller} {method} {path}"
        );
    }
}

/// Table A of IAM: within one policy, one allow is enough, by the caller's statement or by the
/// statement about its account. A deny in either is final.
#[test]
fn statements_about_a_caller_its_group_and_its_account_add_up() {
    let statement = |id: &str, effect: &str, caller: &str| {
        format!(
            "[[statements]]\nid = \"{id}\"\neffect = \"{effect}\"\ncallers = [\"{caller}\"]\nmethods = [\"GET\"]\npaths = [\"/x\"]\n"
        )
    };
    let head = "[groups]\nfinance = [\"billing\"]\n[accounts]\nhome = [\"billing\"]\n";
    let principals = ["billing", "group:finance", "account:home", "*"];
    for first in principals {
        let text = format!("{head}{}", statement("one", "allow", first));
        assert_eq!(
            ask(&policy(&text), "billing", "GET", "/x"),
            "allowed by one",
            "{first}"
        );
        let everyone = first == "*";
        assert_eq!(
            allows(&policy(&text), "stranger", "GET", "/x"),
            everyone,
            "{first}"
        );
        for second in principals {
            let text = format!("{text}{}", statement("two", "deny", second));
            let found = ask(&policy(&text), "billing", "GET", "/x");
            assert_eq!(found, "denied by two", "{first}, {second}");
        }
    }
}

#[test]
fn names_of_callers_and_methods_are_compared_whole_and_with_their_case() {
    let policy = policy(
        r#"
        [[statements]]
        id = "one"
        effect = "allow"
        callers = ["billing"]
        methods = ["GET"]
        paths = ["/x"]
        "#,
    );
    assert!(allows(&policy, "billing", "GET", "/x"));
    for (caller, method) in [
        ("Billing", "GET"),
        ("billing2", "GET"),
        ("billin", "GET"),
        ("*", "GET"),
        ("group:billing", "GET"),
        ("billing", "get"),
        ("billing", "HEAD"),
        ("billing", "GETX"),
        ("billing", "*"),
    ] {
        assert!(!allows(&policy, caller, method, "/x"), "{caller} {method}");
    }
}
