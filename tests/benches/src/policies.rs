//! Who may call what: one request against policies of few and of many statements.

use std::fmt::Write;

use countersign::{Coverage, KeyId, Policy, PolicyRequest, Scheme, Timestamp};

use crate::case::{Case, Group};

/// The name of the case with fewest statements.
pub const FEW: &str = "10 statements";
/// The name of the case with a hundred times as many.
pub const MORE: &str = "1,000 statements";
/// The name of the case with most.
pub const MANY: &str = "10,000 statements";

/// The name of the group.
pub const NAME: &str = "evaluate a policy";

/// Evaluation for a caller with two statements about its name, one of its group and one about
/// everyone; all the others are about other callers.
pub fn group() -> Group {
    let cases = [(FEW, 10), (MORE, 1_000), (MANY, 10_000)].map(|(name, statements)| {
        let policy = policy(statements);
        let caller = KeyId::new("billing").unwrap();
        Case::repeated(name, move || {
            let request = PolicyRequest::new(&caller, "GET", "/api/account/7")
                .with_scheme(Scheme::HmacSha256)
                .with_coverage(Coverage::Request)
                .at(Timestamp::from_unix_seconds(1_767_323_045));
            assert!(policy.evaluate(&request).is_allowed());
        })
    });
    Group::new(NAME, cases.into())
        .at_most(MORE, 1.2, FEW)
        .at_most(MANY, 1.2, FEW)
}

fn policy(statements: usize) -> Policy {
    Policy::from_toml(&text(statements)).unwrap()
}

pub(crate) fn text(statements: usize) -> String {
    let mut text = String::from("[groups]\nfinance = [\"billing\", \"audit\"]\n");
    let mut add = |effect: &str, caller: &str, path: &str, number: usize| {
        write!(
            text,
            "[[statements]]\nid = \"{number}\"\neffect = \"{effect}\"\ncallers = [\"{caller}\"]\nmethods = [\"GET\"]\npaths = [\"{path}\"]\nwhen = {{ coverage = [\"request\"] }}\n"
        )
        .unwrap();
    };
    add("deny", "*", "/internal/**", 0);
    add("allow", "group:finance", "/api/report/*", 1);
    add("allow", "billing", "/api/invoice/*", 2);
    add("allow", "billing", "/api/account/*", 3);
    for number in 4..statements {
        add("allow", &format!("caller-{number}"), "/api/**", number);
    }
    text
}
