//! Policies in the format of API Gateway's resource policies: their meaning, and that no part is
//! ignored.

use countersign::{ConfigErrorKind, ExecuteApi, Membership, Policy};

use crate::{allows, ask};

fn api() -> ExecuteApi {
    // The service's account as in the seed's slides, with 14 digits.
    ExecuteApi::new("eu-west-1", "11111111111111", "Api-Id", "prod")
        .unwrap()
        .with_membership(
            Membership::new()
                .with_account("111111111111", ["billing", "audit"])
                .unwrap()
                .with_account("333333333333", ["warehouse"])
                .unwrap(),
        )
}

/// The seed's statement, with the brackets that are missing on its slide.
const SEED: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {
                "AWS": "arn:aws:iam::111111111111:root"
            },
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*"
        }
    ]
}"#;

/// Source: seed 3, "Example to allow cross account access. This delegates the permissions to the
/// specified account."
#[test]
fn the_seeds_statement_allows_the_whole_account_only() {
    let policy = Policy::from_json(SEED, &api()).unwrap();
    for (caller, expected) in [
        ("billing", "allowed by statement 1"),
        ("audit", "allowed by statement 1"),
        ("warehouse", "no statement allows it"),
        ("stranger", "no statement allows it"),
        ("root", "no statement allows it"),
        ("111111111111", "no statement allows it"),
    ] {
        for (method, path) in [
            ("GET", "/"),
            ("POST", "/api/account/7"),
            ("DELETE", "/a/b/c/d"),
        ] {
            assert_eq!(
                ask(&policy, caller, method, path),
                expected,
                "{caller} {method} {path}"
            );
        }
    }
}

/// Source: seed 3, "Resource format:
/// arn:aws:execute-api:region:account-id:api-id/stage-name/HTTP-VERB/path".
#[test]
fn every_part_of_a_resource_counts() {
    for (resource, expected) in [
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/pets/7",
            true,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*/GET/pets/*",
            true,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/*",
            true,
        ),
        ("arn:aws:execute-api:*:*:*/*/GET/*", true),
        ("arn:aws:execute-api:*", true),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/*/7",
            true,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/pets/?",
            true,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/????/G?T/pets/?",
            true,
        ),
        ("execute-api:/prod/GET/pets/7", true),
        ("execute-api:/*", true),
        ("Api-Id/prod/GET/pets/7", true),
        ("Api-Id/*", true),
        ("*/GET/pets/7", true),
        ("*", true),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/POST/*",
            false,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/pets",
            false,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/pets/7/",
            false,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/pets/??",
            false,
        ),
        (
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/prod/GET/Pets/7",
            false,
        ),
    ] {
        let text = SEED.replace(
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*",
            resource,
        );
        let policy = Policy::from_json(&text, &api()).unwrap();
        assert_eq!(
            allows(&policy, "billing", "GET", "/pets/7"),
            expected,
            "{resource}"
        );
    }
}

#[test]
fn principals_are_everyone_accounts_and_their_listed_callers() {
    for (principal, allowed) in [
        (r#""*""#, &["billing", "audit", "warehouse", "stranger"][..]),
        (
            r#"{"AWS": "*"}"#,
            &["billing", "audit", "warehouse", "stranger"],
        ),
        (r#"{"AWS": "111111111111"}"#, &["billing", "audit"]),
        (
            r#"{"AWS": ["111111111111", "arn:aws:iam::333333333333:root"]}"#,
            &["billing", "audit", "warehouse"],
        ),
        (
            r#"{"AWS": "arn:aws:iam::111111111111:user/billing"}"#,
            &["billing"],
        ),
        (
            r#"{"AWS": "arn:aws:iam::111111111111:role/team/billing"}"#,
            &["billing"],
        ),
        (r#"{"Caller": "stranger"}"#, &["stranger"]),
        (
            r#"{"Caller": ["account:333333333333", "audit"]}"#,
            &["warehouse", "audit"],
        ),
        (
            r#"{"AWS": "333333333333", "Caller": "stranger"}"#,
            &["warehouse", "stranger"],
        ),
    ] {
        let text = SEED.replace(
            r#"{
                "AWS": "arn:aws:iam::111111111111:root"
            }"#,
            principal,
        );
        assert_ne!(text, SEED);
        let policy = Policy::from_json(&text, &api()).unwrap();
        for caller in ["billing", "audit", "warehouse", "stranger"] {
            assert_eq!(
                allows(&policy, caller, "GET", "/x"),
                allowed.contains(&caller),
                "{principal}: {caller}"
            );
        }
    }
}

/// As in IAM, a star for the stage also matches the method. A literal stage prevents this.
#[test]
fn a_star_in_a_resource_matches_slashes() {
    for (stage, expected) in [("*", true), ("prod", false)] {
        let resource = format!("Api-Id/{stage}/GET/pets");
        let text = SEED.replace(
            "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*",
            &resource,
        );
        let policy = Policy::from_json(&text, &api()).unwrap();
        assert!(allows(&policy, "billing", "GET", "/pets"));
        assert!(!allows(&policy, "billing", "POST", "/pets"));
        let over = allows(&policy, "billing", "POST", "/x/GET/pets");
        assert_eq!(over, expected, "{resource}");
    }
}

#[test]
fn one_statement_need_not_be_a_list_and_may_have_a_sid() {
    let text = r#"{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"Only","Effect":"Deny","Principal":"*","Action":["EXECUTE-API:invoke"],"Resource":["*"]}}"#;
    let policy = Policy::from_json(text, &api()).unwrap();
    assert_eq!(ask(&policy, "billing", "GET", "/x"), "denied by Only");
}

/// As in IAM and as written by Terraform.
#[test]
fn an_empty_sid_is_none() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Sid":"","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
        {"Sid":"","Effect":"Deny","Principal":"*","Action":"*","Resource":"execute-api:/prod/GET/x"},
        {"Sid":"last","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    let policy = Policy::from_json(text, &api()).unwrap();
    let ids: Vec<_> = policy
        .statement_ids()
        .map(countersign::StatementId::as_str)
        .collect();
    assert_eq!(ids, ["statement 1", "statement 2", "last"]);
    assert_eq!(
        ask(&policy, "billing", "GET", "/x"),
        "denied by statement 2"
    );
    let caller = countersign::KeyId::new("billing").unwrap();
    let request = countersign::PolicyRequest::new(&caller, "GET", "/x");
    // The reason in the log does not repeat the word.
    let reason = policy.evaluate(&request).to_string();
    assert_eq!(reason, "denied by statement 2");
}

#[test]
fn unknown_content_is_refused() {
    let with = |members: &str| {
        SEED.replace(
            r#""Effect": "Allow","#,
            &format!(r#""Effect": "Allow", {members},"#),
        )
    };
    let condition = |text: &str| with(&format!(r#""Condition": {text}"#));
    Policy::from_json(
        &condition(r#"{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#),
        &api(),
    )
    .unwrap();
    let replace = |from: &str, to: &str| {
        assert!(SEED.contains(from), "{from}");
        SEED.replacen(from, to, 1)
    };
    for (name, text) in [
        ("nothing", String::new()),
        ("no object", "[]".to_owned()),
        ("no statements", r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        ("text after", format!("{SEED} x")),
        ("cut off", SEED[..SEED.len() - 1].to_owned()),
        ("NotPrincipal", replace("\"Principal\"", "\"NotPrincipal\"")),
        ("NotPrincipal beside", with(r#""NotPrincipal": "*""#)),
        ("NotAction", replace("\"Action\"", "\"NotAction\"")),
        ("NotAction beside", with(r#""NotAction": "x""#)),
        ("NotResource", replace("\"Resource\"", "\"NotResource\"")),
        ("NotResource beside", with(r#""NotResource": "*""#)),
        ("unknown element", with(r#""Comment": "x""#)),
        ("element in another case", replace("\"Effect\"", "\"effect\"")),
        ("unknown element of the document", replace("\"Version\"", "\"Comment\": \"x\", \"Version\"")),
        ("no version", replace("\"Version\": \"2012-10-17\",", "")),
        ("old version", replace("2012-10-17", "2008-10-17")),
        ("no principal", replace("\"Principal\": {\n                \"AWS\": \"arn:aws:iam::111111111111:root\"\n            },", "")),
        ("no action", replace("\"Action\": \"execute-api:Invoke\",", "")),
        ("no effect", replace("\"Effect\": \"Allow\",", "")),
        ("unknown effect", replace("\"Allow\"", "\"allow\"")),
        ("two effects", with(r#""Effect": "Deny""#)),
        ("two conditions", with(r#""Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.1"}}, "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#)),
        ("one operator twice", condition(r#"{"IpAddress": {"aws:SourceIp": "192.0.2.1"}, "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}"#)),
        ("one key twice", condition(r#"{"IpAddress": {"aws:SourceIp": "192.0.2.1", "aws:SourceIp": "0.0.0.0/0"}}"#)),
        ("one key twice, in two cases", condition(r#"{"IpAddress": {"aws:SourceIp": "192.0.2.1", "aws:sourceip": "0.0.0.0/0"}}"#)),
        ("an empty condition", condition("{}")),
        ("a condition that is null", condition("null")),
        ("a sid that is null", with(r#""Sid": null"#)),
        ("one of two kinds of principals null", replace("\"AWS\": \"arn", "\"Caller\": null, \"AWS\": \"arn")),
        ("an operator without keys", condition(r#"{"IpAddress": {}}"#)),
        ("a key without values", condition(r#"{"IpAddress": {"aws:SourceIp": []}}"#)),
        ("unknown operator", condition(r#"{"IpAddresses": {"aws:SourceIp": "192.0.2.1"}}"#)),
        ("operator in another case", condition(r#"{"ipaddress": {"aws:SourceIp": "192.0.2.1"}}"#)),
        ("IfExists", condition(r#"{"IpAddressIfExists": {"aws:SourceIp": "192.0.2.1"}}"#)),
        ("a set operator", condition(r#"{"ForAllValues:StringEquals": {"countersign:Scheme": "ED25519"}}"#)),
        ("Null", condition(r#"{"Null": {"aws:SourceIp": "true"}}"#)),
        ("Bool", condition(r#"{"Bool": {"aws:SecureTransport": "true"}}"#)),
        ("a key of another operator", condition(r#"{"StringEquals": {"aws:SourceIp": "192.0.2.1"}}"#)),
        ("an unknown key", condition(r#"{"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#)),
        ("an unknown key of ours", condition(r#"{"StringEquals": {"countersign:Caller": "billing"}}"#)),
        ("no address", condition(r#"{"IpAddress": {"aws:SourceIp": "192.0.2"}}"#)),
        ("no date", condition(r#"{"DateLessThan": {"aws:CurrentTime": "tomorrow"}}"#)),
        ("a number for a text", condition(r#"{"DateLessThan": {"aws:CurrentTime": 7}}"#)),
        ("an unknown scheme", condition(r#"{"StringEquals": {"countersign:Scheme": "hmac-sha256"}}"#)),
        ("a pattern of no scheme", condition(r#"{"StringLike": {"countersign:Scheme": "RSA*"}}"#)),
        ("a route without a slash", condition(r#"{"StringEquals": {"countersign:Route": "api/{id}"}}"#)),
        ("a pattern of no route", condition(r#"{"StringLike": {"countersign:Route": "api/*"}}"#)),
        ("an empty pattern", condition(r#"{"StringNotLike": {"countersign:Route": ""}}"#)),
        ("an empty key version", condition(r#"{"StringEquals": {"countersign:KeyVersion": ""}}"#)),
        ("an empty pattern of key versions", condition(r#"{"StringLike": {"countersign:KeyVersion": ""}}"#)),
        ("a key version that no key has", condition(r#"{"StringEquals": {"countersign:KeyVersion": "2026/01"}}"#)),
        ("an unknown coverage", condition(r#"{"StringNotEquals": {"countersign:Coverage": "body"}}"#)),
        ("a policy variable in a condition", condition(r#"{"StringLike": {"countersign:KeyVersion": "${aws:username}"}}"#)),
        ("a policy variable in a route", condition(r#"{"StringLike": {"countersign:Route": "/a/${aws:username}"}}"#)),
        ("a policy variable in a resource", replace("Api-Id/*", "Api-Id/prod/GET/${aws:username}")),
        ("an action of another service", replace("execute-api:Invoke", "s3:GetObject")),
        ("another action", replace("execute-api:Invoke", "execute-api:InvalidateCache")),
        ("a pattern of actions", replace("execute-api:Invoke", "execute-api:In*")),
        ("a resource of another service", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "arn:aws:s3:::bucket/*")),
        ("a resource that is none", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "pets")),
        ("a resource with a method in lower case", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "Api-Id/prod/get/pets/7")),
        ("a resource with a method that runs into the path", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "Api-Id/prod/GETpets/7")),
        ("a resource with no API", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "/prod/GET/pets/7")),
        ("a resource with no stage", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "Api-Id/GET/")),
        ("a resource with no path", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "Api-Id/prod/GET")),
        ("a resource with an API alone", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "arn:aws:execute-api:eu-west-1:11111111111111:Api-Id")),
        ("a resource with another partition", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "arn:aws-cn:execute-api:eu-west-1:11111111111111:Api-Id/*")),
        ("a resource with no account", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "arn:aws:execute-api:eu-west-1:Api-Id/prod/GET/pets/7")),
        ("a resource with a route of a web socket", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "Api-Id/prod/$connect")),
        ("an empty resource", replace("arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*", "")),
        ("no resources", replace("\"arn:aws:execute-api:eu-west-1:11111111111111:Api-Id/*\"", "[]")),
        ("an unknown account", replace("111111111111:root", "444444444444:root")),
        ("a caller of another account", replace("111111111111:root", "111111111111:user/warehouse")),
        ("an unknown caller of an account", replace("111111111111:root", "111111111111:user/stranger")),
        ("a principal that is no ARN", replace("arn:aws:iam::111111111111:root", "billing")),
        ("a session", replace("arn:aws:iam::111111111111:root", "arn:aws:sts::111111111111:assumed-role/billing/x")),
        ("a pattern of principals", replace("111111111111:root", "111111111111:user/*")),
        ("a service as the principal", replace("\"AWS\": \"arn:aws:iam::111111111111:root\"", "\"Service\": \"x\"")),
        ("an empty principal", replace("\"AWS\": \"arn:aws:iam::111111111111:root\"", "")),
        ("a principal that is a text", replace("{\n                \"AWS\": \"arn:aws:iam::111111111111:root\"\n            }", "\"billing\"")),
        ("two statements of one name", r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#.to_owned()),
    ] {
        let error = Policy::from_json(&text, &api()).err();
        let error = error.unwrap_or_else(|| panic!("{name} was taken: {text}"));
        assert!(
            matches!(error.kind(), ConfigErrorKind::File | ConfigErrorKind::Policy | ConfigErrorKind::Name),
            "{name}: {error}"
        );
    }
}

#[test]
fn the_name_of_a_service_holds_no_wildcard() {
    for parts in [
        ["*", "1", "a", "b"],
        ["r", "1", "a/b", "c"],
        ["r", "", "a", "b"],
        ["r", "1", "a", "?"],
    ] {
        let [region, account, api, stage] = parts;
        assert!(
            ExecuteApi::new(region, account, api, stage).is_err(),
            "{parts:?}"
        );
    }
    assert!(ExecuteApi::new("eu-west-1", "1", "a1b2", "$default").is_ok());
}
