//! Policies from field reports, each with its expected answer. The policies are read from the
//! shared folder if present, and are not copied.

use countersign::{ExecuteApi, KeyId, Membership, Policy, PolicyRequest};
use tests::vectors::{shared_names, shared_text};

const FOLDER: &str = "../field-reports/policies";

/// A question to an accepted policy: caller, method, path, address, and whether it is allowed.
type Question = (&'static str, &'static str, &'static str, &'static str, bool);

enum Answer {
    Taken(&'static [Question]),
    /// The error contains each of these texts.
    Refused(&'static [&'static str]),
}

fn api(name: &str) -> ExecuteApi {
    let membership = Membership::new()
        .with_account("111111111111", ["Alice", "billing", "audit"])
        .unwrap();
    ExecuteApi::new("eu-west-1", "222222222222", name, "prod")
        .unwrap()
        .with_membership(membership)
}

fn answer(name: &str) -> Option<Answer> {
    use Answer::{Refused, Taken};
    Some(match name {
        "account-star-resource" => Taken(&[
            ("billing", "GET", "/a", "192.0.2.1", true),
            ("stranger", "DELETE", "/a/b", "192.0.2.1", true),
        ]),
        "docs-cross-account" => Taken(&[
            ("Alice", "GET", "/pets", "192.0.2.1", true),
            ("audit", "GET", "/pets", "192.0.2.1", true),
            ("stranger", "GET", "/pets", "192.0.2.1", false),
            ("Alice", "POST", "/pets", "192.0.2.1", false),
        ]),
        "docs-ip-deny" => Taken(&[
            ("stranger", "GET", "/a", "203.0.113.7", true),
            ("stranger", "GET", "/a", "192.0.2.7", false),
            ("stranger", "GET", "/a", "198.51.100.7", false),
        ]),
        "serverless-two-addresses" => Taken(&[
            ("stranger", "GET", "/a", "0.0.0.2", true),
            ("stranger", "GET", "/a", "240.240.240.240", true),
            ("stranger", "GET", "/a", "240.240.240.241", false),
        ]),
        "host-bits-in-range" => Taken(&[
            ("stranger", "GET", "/a", "203.0.113.192", true),
            ("stranger", "GET", "/a", "203.0.113.199", true),
            ("stranger", "GET", "/a", "203.0.113.200", false),
            ("stranger", "GET", "/a", "198.51.100.1", true),
        ]),
        "options-open" => Taken(&[
            ("billing", "POST", "/login", "192.0.2.1", true),
            ("audit", "POST", "/login", "192.0.2.1", false),
            (
                "stranger",
                "OPTIONS",
                "/getsubscriberinfo",
                "192.0.2.1",
                true,
            ),
            ("stranger", "GET", "/getsubscriberinfo", "192.0.2.1", false),
        ]),
        "terraform-empty-sid" => Taken(&[
            ("stranger", "GET", "/a", "192.0.2.1", true),
            ("stranger", "DELETE", "/a", "192.0.2.1", false),
        ]),
        "deny-of-other-api" => Refused(&["statement 2", "the API \"user-service\"", "a1b2c3d4e5"]),
        "deny-typo-no-colon" => Refused(&["statement 2", "expected execute-api:/ at its start"]),
        "deny-any-method" => Refused(&["statement 2", "method \"ANY\"", "nearest: *"]),
        "docs-source-vpce" => Refused(&[
            "statement 2",
            "unknown key \"aws:SourceVpce\"",
            "countersign:Route",
            "nearest: aws:SourceIp",
        ]),
        "cdk-source-vpce-arrays" => Refused(&[
            "statement 1",
            "unknown key \"aws:sourceVpce\"",
            "nearest: aws:SourceIp",
        ]),
        "source-ip-string-equals" => Refused(&[
            "statement 1",
            "StringEquals aws:SourceIp: the operator is none of this key",
            "nearest: IpAddress",
        ]),
        "org-id" => Refused(&[
            "unknown key \"aws:PrincipalOrgID\"",
            "nearest: the element Principal",
        ]),
        "principal-account" => Refused(&[
            "unknown key \"aws:PrincipalAccount\"",
            "nearest: the element Principal",
        ]),
        "arn-without-path" => Refused(&[
            "statement 1",
            "expected /STAGE/METHOD/path after the API, found nothing",
        ]),
        "not-principal-deny" => Refused(&["`NotPrincipal`"]),
        "not-action" => Refused(&["`NotAction`"]),
        "service-principal" => Refused(&["`Service`"]),
        "unquoted-account" => Refused(&["integer `111111111111`"]),
        "wrapped-in-template" => Refused(&["`x-amazon-apigateway-policy`"]),
        "assumed-role-session" => Refused(&["Principal: AWS", "role/DevRole"]),
        _ => return None,
    })
}

#[test]
fn every_policy_of_the_field_reports_has_its_answer() {
    for file in shared_names(FOLDER) {
        let name = file.strip_prefix("policy-").unwrap();
        let name = name.strip_suffix(".json").unwrap();
        let answer = answer(name).unwrap_or_else(|| panic!("{name}: no answer is listed"));
        let text = shared_text(&format!("{FOLDER}/{file}")).unwrap();
        // The reports call the API a1b2c3d4e5, except for this one.
        let own = match name {
            "deny-of-other-api" => "user-service",
            _ => "a1b2c3d4e5",
        };
        let policy = Policy::from_json(&text, &api(own));
        match answer {
            Answer::Taken(questions) => {
                let policy = policy.unwrap_or_else(|error| panic!("{name}: {error}"));
                for (caller, method, path, address, expected) in questions {
                    let id = KeyId::new(caller).unwrap();
                    let request = PolicyRequest::new(&id, method, path);
                    let request = request.with_source(address.parse().unwrap());
                    let allowed = policy.evaluate(&request).is_allowed();
                    assert_eq!(
                        allowed, *expected,
                        "{name}: {caller} {method} {path} {address}"
                    );
                }
            }
            Answer::Refused(says) => {
                let error = policy.expect_err(name).to_string();
                for part in says {
                    assert!(
                        error.contains(part),
                        "{name}: expected {part:?}, found {error}"
                    );
                }
                assert!(error.starts_with("line 1, column "), "{name}: {error}");
            }
        }
    }
}
