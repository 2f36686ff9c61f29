//! Statements that no request to this service can match are refused at load: such a deny would deny
//! nothing.

use countersign::{ConfigErrorKind, ExecuteApi, Membership, Policy};

use crate::{ALLOW_ALL, allows, policy};

fn api() -> ExecuteApi {
    let membership = Membership::new()
        .with_account("444455556666", ["orders", "stock"])
        .unwrap()
        .with_group("shops", ["orders"])
        .unwrap();
    ExecuteApi::new("eu-central-1", "777788889999", "q1w2e3r4t5", "live")
        .unwrap()
        .with_membership(membership)
}

/// An allow of everything, and a deny that must be refused.
fn deny(members: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[
{{"Sid":"all","Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}},
{{"Sid":"closed","Effect":"Deny",{members}}}]}}"#
    )
}

fn deny_resource(resource: &str) -> String {
    deny(&format!(
        r#""Principal":"*","Action":"execute-api:Invoke","Resource":{resource}"#
    ))
}

fn deny_if(condition: &str) -> String {
    deny(&format!(
        r#""Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{condition}"#
    ))
}

fn deny_principal(principal: &str) -> String {
    deny(&format!(
        r#""Principal":{principal},"Action":"execute-api:Invoke","Resource":"*""#
    ))
}

fn refused(name: &str, text: &str, says: &[&str]) {
    let error = Policy::from_json(text, &api()).unwrap_err().to_string();
    for part in says {
        assert!(
            error.contains(part),
            "{name}: expected {part:?}, found {error}"
        );
    }
    assert!(error.starts_with("line 3, column "), "{name}: {error}");
    // The same text in an allow would allow nothing, and is refused too.
    let allow = text.replace("Deny", "Allow");
    assert!(Policy::from_json(&allow, &api()).is_err(), "{name}, allow");
}

#[test]
fn a_resource_that_no_request_to_this_service_has_is_refused_in_json() {
    let taken = deny_resource(r#""execute-api:/live/POST/orders/*""#);
    let taken = Policy::from_json(&taken, &api()).unwrap();
    assert!(!allows(&taken, "orders", "POST", "/orders/7"));
    assert!(taken.unreachable().is_empty());
    for (name, resource, says) in [
        (
            "another API",
            "arn:aws:execute-api:eu-central-1:777788889999:z9y8x7w6v5/*",
            &["the API \"q1w2e3r4t5\"", "\"z9y8x7w6v5\""][..],
        ),
        (
            "another case",
            "arn:aws:execute-api:eu-central-1:777788889999:Q1W2E3R4T5/*",
            &["the API \"q1w2e3r4t5\""],
        ),
        (
            "another account",
            "arn:aws:execute-api:eu-central-1:777788889990:q1w2e3r4t5/*",
            &["the account \"777788889999\""],
        ),
        (
            "another region",
            "arn:aws:execute-api:eu-central1:777788889999:q1w2e3r4t5/*",
            &["the region \"eu-central-1\"", "\"eu-central1\""],
        ),
        (
            "another stage",
            "execute-api:/Live/GET/orders",
            &["the stage \"live\"", "\"Live\""],
        ),
        (
            "another stage of every API",
            "arn:aws:execute-api:eu-central-1:777788889999:*/test/*",
            &["the stage \"live\"", "\"test\""],
        ),
        (
            "no stage",
            "execute-api:/GET/orders",
            &["method \"orders\""],
        ),
        (
            "a slash for a colon",
            "execute-api/live/DELETE/*",
            &["expected execute-api:/ at its start"],
        ),
        (
            "a colon for a slash",
            "arn:aws:execute-api:eu-central-1:777788889999:q1w2e3r4t5:live/GET/x",
            &["found a colon"],
        ),
        (
            "every method",
            "execute-api:/live/ANY/orders",
            &["method \"ANY\"", "nearest: *"],
        ),
        (
            "every method on every stage",
            "arn:aws:execute-api:*:*:*/*/ANY/orders",
            &["method \"ANY\"", "nearest: *"],
        ),
        (
            "a method in lower case",
            "execute-api:/*/delete/orders",
            &["method \"delete\"", "nearest: DELETE"],
        ),
        (
            "an unknown method",
            "execute-api:/*/REMOVE/orders",
            &["method \"REMOVE\"", "expected one of GET, HEAD, POST"],
        ),
        ("no path", "execute-api:/*/DELETE", &["found no path"]),
        (
            "an empty segment",
            "execute-api:/live/GET//orders",
            &["empty segment"],
        ),
        (
            "a parameter",
            "execute-api:/live/GET/orders/{id}",
            &["no braces"],
        ),
        (
            "a query",
            "execute-api:/live/GET/orders?open=1",
            &["no query"],
        ),
        (
            "an escape of a letter",
            "execute-api:/live/GET/%6Frders",
            &["needs no escape"],
        ),
        (
            "an API without a path",
            "arn:aws:execute-api:eu-central-1:777788889999:q1w2e3r4t5",
            &["expected /STAGE/METHOD/path after the API, found nothing"],
        ),
    ] {
        let says: Vec<_> = ["statement closed: ", resource]
            .into_iter()
            .chain(says.iter().copied())
            .collect();
        refused(name, &deny_resource(&format!("{resource:?}")), &says);
        // One bad value among several is refused too: it denies nothing, whatever the others do.
        let several = deny_resource(&format!(r#"["execute-api:/live/*", {resource:?}]"#));
        refused(name, &several, &says);
    }
    refused("no resource", &deny_resource("[]"), &["invalid length 0"]);
}

#[test]
fn a_condition_that_no_request_meets_is_refused_in_json() {
    Policy::from_json(
        &deny_if(r#"{"NotIpAddress":{"aws:SourceIp":["203.0.113.99/24","198.51.100.0/24"]}}"#),
        &api(),
    )
    .unwrap();
    for (name, condition, says) in [
        (
            "a range that is none",
            r#"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","192.0.2.0/33"]}}"#,
            "\"192.0.2.0/33\": expected an address or a range",
        ),
        (
            "no address",
            r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0"}}"#,
            "every IPv4 address is 0.0.0.0/0",
        ),
        (
            "no address of IPv6",
            r#"{"IpAddress":{"aws:SourceIp":"::/128"}}"#,
            "every IPv6 address is ::/0",
        ),
        (
            "IPv4 in the deprecated form of IPv6",
            r#"{"IpAddress":{"aws:SourceIp":"::203.0.113.0/120"}}"#,
            "an IPv4 range written as such",
        ),
        (
            "no address left",
            r#"{"NotIpAddress":{"aws:SourceIp":["0.0.0.0/0","::/0"]}}"#,
            "the conditions on the address",
        ),
        (
            "inside and outside",
            r#"{"IpAddress":{"aws:SourceIp":"192.0.2.7"},"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#,
            "the conditions on the address",
        ),
        (
            "no values",
            r#"{"IpAddress":{"aws:SourceIp":[]}}"#,
            "invalid length 0",
        ),
        (
            "no time",
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
            "the conditions on the time",
        ),
        (
            "a wildcard that is compared literally",
            r#"{"StringEquals":{"countersign:Route":"/orders/*"}}"#,
            "no * that no name follows",
        ),
        (
            "a scheme that binds no request",
            r#"{"StringEquals":{"countersign:Scheme":"X-HMAC-SHA256","countersign:Coverage":"request"}}"#,
            "the conditions on scheme and coverage",
        ),
        (
            "no route",
            r#"{"StringNotLike":{"countersign:Route":"*"}}"#,
            "the conditions on the route",
        ),
    ] {
        refused(name, &deny_if(condition), &[says]);
    }
}

#[test]
fn a_caller_that_cannot_exist_is_refused_in_json() {
    Policy::from_json(&deny_principal(r#"{"Caller":"group:shops"}"#), &api()).unwrap();
    for (name, principal, says) in [
        ("no principal", r#"{"AWS":[]}"#, "invalid length 0"),
        (
            "an unknown account",
            r#"{"AWS":"444455556667"}"#,
            "Principal: AWS: account \"444455556667\": its callers are not listed: expected 444455556666",
        ),
        (
            "an unknown caller of an account",
            r#"{"AWS":"arn:aws:iam::444455556666:user/order"}"#,
            "no caller of that account: expected one of orders, stock; nearest: orders",
        ),
        (
            "a slash for a colon",
            r#"{"AWS":"arn:aws:iam::444455556666/root"}"#,
            "expected *, an account",
        ),
        (
            "an unknown group",
            r#"{"Caller":"group:shop"}"#,
            "group \"shop\": its callers are not listed: expected shops",
        ),
        (
            "a group with a slash",
            r#"{"Caller":["stock","group/shops"]}"#,
            "expected group:shops",
        ),
        ("groups", r#"{"Caller":"groups:shops"}"#, "expected group:"),
        ("a pattern", r#"{"Caller":"ord*"}"#, "the whole name"),
    ] {
        let error = Policy::from_json(&deny_principal(principal), &api()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(says), "{name}: {error}");
        assert!(error.starts_with("line 3, column "), "{name}: {error}");
    }
}

#[test]
fn a_group_or_an_account_without_callers_is_refused() {
    let nobody: [&str; 0] = [];
    let group = Membership::new().with_group("shops", nobody).unwrap_err();
    let account = Membership::new().with_account("1", nobody).unwrap_err();
    for (error, starts) in [(group, "group \"shops\": "), (account, "account \"1\": ")] {
        assert_eq!(error.kind(), ConfigErrorKind::Policy);
        assert!(error.to_string().starts_with(starts), "{error}");
    }
    let text = format!("[groups]\nshops = []\n{ALLOW_ALL}");
    let error = Policy::from_toml(&text).unwrap_err().to_string();
    let expected = "line 2, column 9: group \"shops\": expected at least one caller, found none";
    assert_eq!(error, expected);
}

const DENY: &str = r#"
[groups]
shops = ["orders"]

[[statements]]
id = "closed"
effect = "deny"
callers = ["*"]
methods = ["DELETE"]
paths = ["/orders/*"]
when = { coverage = ["request"] }
"#;

#[test]
fn a_statement_that_no_request_can_match_is_refused_in_toml() {
    policy(DENY);
    // Names that only look similar.
    for name in ["group/others", "team/shops", "shops", "grouped", "a:b"] {
        policy(&DENY.replacen("[\"*\"]", &format!("[{name:?}]"), 1));
    }
    for (name, from, to, says) in [
        ("every method", "\"DELETE\"", "\"ANY\"", "nearest: *"),
        (
            "a lower-case method",
            "\"DELETE\"",
            "\"delete\"",
            "nearest: DELETE",
        ),
        (
            "an unknown method",
            "\"DELETE\"",
            "\"REMOVE\"",
            "method \"REMOVE\"",
        ),
        ("CONNECT", "\"DELETE\"", "\"CONNECT\"", "method \"CONNECT\""),
        (
            "one unknown of two",
            "\"DELETE\"",
            "\"DELETE\", \"REMOVE\"",
            "method \"REMOVE\"",
        ),
        (
            "no methods",
            "\"DELETE\"",
            "",
            "methods: expected at least one",
        ),
        ("a parameter", "/orders/*", "/orders/{id}", "no braces"),
        ("a query", "/orders/*", "/orders?all", "plain form"),
        ("an escape", "/orders/*", "/orders%2F*", "plain form"),
        ("dots", "/orders/*", "/orders/../*", "plain form"),
        (
            "a URL",
            "/orders/*",
            "https://x/orders",
            "slash at its start",
        ),
        (
            "groups",
            "[\"*\"]",
            "[\"groups:shops\"]",
            "expected group:shops",
        ),
        (
            "a group in another case",
            "[\"*\"]",
            "[\"Group:shops\"]",
            "expected group:shops",
        ),
        (
            "a group with a slash",
            "[\"*\"]",
            "[\"group/shops\"]",
            "expected group:shops",
        ),
        (
            "groups, and one that is not listed",
            "[\"*\"]",
            "[\"groups:others\"]",
            "expected group: at its start",
        ),
        (
            "no callers",
            "[\"*\"]",
            "[]",
            "callers: expected at least one",
        ),
        (
            "no address",
            "coverage = [\"request\"]",
            "source_cidr = [\"0.0.0.0/32\"]",
            "source_cidr: \"0.0.0.0/32\"",
        ),
        (
            "host and range confused",
            "coverage = [\"request\"]",
            "source_cidr = [\"::192.0.2.0/120\"]",
            "source_cidr: \"::192.0.2.0/120\"",
        ),
        (
            "a route with a wildcard",
            "coverage = [\"request\"]",
            "route = [\"/orders/*\"]",
            "route: \"/orders/*\"",
        ),
        (
            "a route that is not plain",
            "coverage = [\"request\"]",
            "route = [\"/orders//{id}\"]",
            "route: \"/orders//{id}\"",
        ),
        (
            "a scheme that binds another thing",
            "coverage = [\"request\"]",
            "coverage = [\"body-only\"], scheme = [\"AWS4-HMAC-SHA256\"]",
            "when: the conditions on scheme and coverage",
        ),
    ] {
        assert!(DENY.contains(from), "{name}");
        let text = DENY.replacen(from, to, 1);
        let error = Policy::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
        assert!(error.contains(": statement closed: "), "{name}: {error}");
    }
}

#[test]
fn methods_that_are_not_standard_are_added_by_name() {
    let added = format!(
        "extension_methods = [\"PURGE\"]\n{}",
        DENY.replace("DELETE", "PURGE")
    );
    let denies = policy(&format!("{added}{ALLOW_ALL}"));
    assert!(!allows(&denies, "orders", "PURGE", "/orders/7"));
    for methods in [
        "[]",
        "[\"ANY\"]",
        "[\"GET\"]",
        "[\"purge\"]",
        "[\"CONNECT\"]",
    ] {
        let text = format!("extension_methods = {methods}\n{DENY}");
        let error = Policy::from_toml(&text).unwrap_err();
        assert!(error.to_string().starts_with("line 1, column "), "{error}");
    }
    let text = deny_resource(r#""execute-api:/*/PURGE/orders""#);
    refused("not added", &text, &["extension methods"]);
    let api = api().with_extension_methods(["PURGE"]).unwrap();
    let denies = Policy::from_json(&text, &api).unwrap();
    assert!(!allows(&denies, "orders", "PURGE", "/orders"));
    assert!(api.with_extension_methods(["ANY"]).is_err());
}
