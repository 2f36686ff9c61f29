//! Authorization: policies in both formats, the layers and the extractor.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod conditions;
mod events;
mod field_reports;
mod hostile_paths;
mod index;
mod json;
mod layers;
mod load_errors;
mod outcomes;
mod patterns;
mod positions;
mod reload;
mod shared_documents;
mod source_address;
mod toml;
mod two_policies;
mod uncovered;
mod unreachable;

use countersign::{Decision, KeyId, Policy, PolicyRequest};

/// A policy in TOML that allows everything to everyone.
const ALLOW_ALL: &str = r#"
[[statements]]
id = "all"
effect = "allow"
callers = ["*"]
methods = ["*"]
paths = ["/**"]
"#;

fn policy(text: &str) -> Policy {
    Policy::from_toml(text).unwrap()
}

/// Returns the decision of a policy, as `allowed by …`, `denied by …` or the reason why no
/// statement matched.
fn ask(policy: &Policy, caller: &str, method: &str, path: &str) -> String {
    let caller = KeyId::new(caller).unwrap();
    let decision = policy.evaluate(&PolicyRequest::new(&caller, method, path));
    match decision {
        Decision::Allowed(id) => format!("allowed by {id}"),
        Decision::Denied(id) => format!("denied by {id}"),
        other => other.to_string(),
    }
}

fn allows(policy: &Policy, caller: &str, method: &str, path: &str) -> bool {
    let caller = KeyId::new(caller).unwrap();
    policy
        .evaluate(&PolicyRequest::new(&caller, method, path))
        .is_allowed()
}
