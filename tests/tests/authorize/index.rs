//! Only the statements about a request's caller are evaluated, however many others there are.

use std::fmt::Write;

use countersign::{KeyId, Policy};

use crate::{allows, ask};

/// Returns a policy with this many statements about other callers, and four about `billing`: by
/// name, by group, by account and as everyone.
fn with_others(others: usize) -> Policy {
    let mut text = String::from(
        "[groups]\nfinance = [\"billing\", \"audit\"]\n[accounts]\nhome = [\"billing\"]\n",
    );
    for (id, caller, path) in [
        ("own", "billing", "/own"),
        ("group", "group:finance", "/group"),
        ("account", "account:home", "/account"),
        ("everyone", "*", "/everyone"),
    ] {
        write!(text, "[[statements]]\nid = \"{id}\"\neffect = \"allow\"\ncallers = [\"{caller}\"]\nmethods = [\"GET\"]\npaths = [\"{path}\"]\n").unwrap();
    }
    for other in 0..others {
        write!(text, "[[statements]]\nid = \"{other}\"\neffect = \"allow\"\ncallers = [\"caller-{other}\"]\nmethods = [\"GET\"]\npaths = [\"/x/{other}\"]\n").unwrap();
    }
    Policy::from_toml(&text).unwrap()
}

#[test]
fn only_statements_about_the_caller_are_evaluated() {
    for others in [0, 10, 10_000] {
        let policy = with_others(others);
        let about = |name: &str| policy.statements_about(&KeyId::new(name).unwrap());
        assert_eq!(policy.statement_ids().count(), others + 4);
        assert_eq!(about("billing"), 4, "{others} others");
        assert_eq!(about("audit"), 2, "{others} others");
        assert_eq!(about("stranger"), 1, "{others} others");
        for path in ["/own", "/group", "/account", "/everyone"] {
            assert_eq!(
                ask(&policy, "billing", "GET", path),
                format!("allowed by {}", &path[1..])
            );
        }
        assert!(!allows(&policy, "audit", "GET", "/own"));
        assert!(!allows(&policy, "audit", "GET", "/account"));
    }
    let policy = with_others(10_000);
    assert_eq!(
        ask(&policy, "caller-9999", "GET", "/x/9999"),
        "allowed by 9999"
    );
    assert!(!allows(&policy, "caller-9999", "GET", "/x/9998"));
    assert!(!allows(&policy, "billing", "GET", "/x/9999"));
}
