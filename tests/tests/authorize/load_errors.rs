//! The errors of policies: line, column, statement, found value and known values.

use countersign::{ExecuteApi, Policy};

fn json(statement: &str) -> String {
    let api = ExecuteApi::new("eu-central-1", "777788889999", "q1w2e3r4t5", "live").unwrap();
    let text = format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{statement}]\n}}");
    Policy::from_json(&text, &api).unwrap_err().to_string()
}

const STATEMENT: &str = r#"{
    "Sid": "one",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["execute-api:Invoke"],
    "Resource": [
      "execute-api:/live/GET/a",
      "execute-api:/live/GET/b"
    ],
    "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.1", "192.0.2.0/24"]}}
  }"#;

#[test]
fn an_error_in_json_has_a_position() {
    for (from, to, expected) in [
        (
            "/live/GET/b",
            "/live/ANY/b",
            "line 10, column 7: statement one: Resource \"execute-api:/live/ANY/b\": method \"ANY\": expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, * (others are added as extension methods); nearest: *",
        ),
        (
            "\"one\"",
            "\"o\\nne\"",
            "line 4, column 12: Sid: expected 1 to 128 characters of visible ASCII and space, found \"o\\nne\"",
        ),
        (
            "{\"AWS\": \"*\"}",
            "{\"AWS\": [\"*\", \"12\"]}",
            "line 6, column 32: statement one: Principal: AWS: account \"12\": its callers are not listed: none is known",
        ),
        (
            "execute-api:Invoke",
            "execute-api:Invoked",
            "line 7, column 16: statement one: Action: expected execute-api:Invoke, execute-api:* or *, found \"execute-api:Invoked\"",
        ),
        (
            "192.0.2.0/24",
            "192.0.2.0/240",
            "line 12, column 63: statement one: Condition: IpAddress aws:SourceIp: \"192.0.2.0/240\": expected an address or a range such as 192.0.2.0/24",
        ),
        (
            "IpAddress",
            "StringNotEquals",
            "line 12, column 55: statement one: Condition: StringNotEquals aws:SourceIp: the operator is none of this key: expected one of IpAddress, NotIpAddress; nearest: NotIpAddress",
        ),
        (
            "IpAddress",
            "IpAdress",
            "line 12, column 48: statement one: Condition: IpAdress aws:SourceIp: unknown operator \"IpAdress\": expected one of IpAddress, NotIpAddress; nearest: IpAddress",
        ),
        (
            "aws:SourceIp",
            "aws:SourceVpc",
            "line 12, column 50: statement one: Condition: IpAddress aws:SourceVpc: unknown key \"aws:SourceVpc\": expected one of aws:SourceIp, aws:CurrentTime, countersign:Scheme, countersign:Coverage, countersign:KeyVersion, countersign:Route; nearest: aws:SourceIp",
        ),
        (
            "\"Sid\": \"one\",",
            "\"Action2\": 1,",
            "line 4, column 13: expected a policy: unknown field `Action2`, expected one of `Sid`, `Effect`, `Principal`, `Action`, `Resource`, `Condition`",
        ),
        (
            "\"Allow\"",
            "\"allow\"",
            "line 5, column 21: expected a policy: unknown variant `allow`, expected `Allow` or `Deny`",
        ),
    ] {
        assert!(STATEMENT.contains(from), "{from}");
        assert_eq!(json(&STATEMENT.replacen(from, to, 1)), expected);
    }
}

/// A statement without a name is named by its position, once.
#[test]
fn a_statement_without_a_sid_is_named_by_its_place() {
    for sid in ["", "\"Sid\": \"\","] {
        let text = STATEMENT
            .replace("\"Sid\": \"one\",", sid)
            .replace("GET/a", "GETS/a");
        let error = json(&text);
        assert!(error.contains(": statement 1: Resource "), "{error}");
        assert!(!error.contains("statement statement"), "{error}");
    }
}

#[test]
fn a_single_value_has_a_position_too() {
    let text = STATEMENT.replace("[\"execute-api:Invoke\"]", "\"s3:GetObject\"");
    assert!(json(&text).starts_with("line 7, column 15: statement one: Action: "));
    let error = Policy::from_json(
        &format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{}}}",
            STATEMENT.replace("GET/b", "get/b")
        ),
        &ExecuteApi::new("eu-central-1", "777788889999", "q1w2e3r4t5", "live").unwrap(),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("line 8, column 7: statement one: Resource "),
        "{error}"
    );
}

const TOML: &str = r#"[groups]
shops = ["orders"]

[[statements]]
id = "one"
effect = "allow"
callers = ["orders", "group:shops"]
methods = ["GET", "POST"]
paths = ["/a", "/b"]
when = { source_cidr = ["192.0.2.0/24"], not_before = 2026-01-01T00:00:00Z }
"#;

#[test]
fn an_error_in_toml_has_a_position() {
    for (from, to, expected) in [
        (
            "\"POST\"",
            "\"post\"",
            "line 8, column 19: statement one: method \"post\": expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, * (others are added as extension methods); nearest: POST",
        ),
        (
            "\"GET\", \"POST\"",
            "\"GET\", \"*\"",
            "line 8, column 19: statement one: method \"*\": expected it alone, found others beside it",
        ),
        (
            "group:shops",
            "group:shop",
            "line 7, column 22: statement one: group \"shop\": its callers are not listed: expected shops",
        ),
        (
            "\"/b\"",
            "\"b\"",
            "line 9, column 16: statement one: path \"b\": expected a slash at its start",
        ),
        (
            "192.0.2.0/24",
            "192.0.2.0/33",
            "line 10, column 25: statement one: source_cidr: \"192.0.2.0/33\": expected an address or a range such as 192.0.2.0/24",
        ),
        (
            "source_cidr = [\"192.0.2.0/24\"]",
            "scheme = [\"HMAC-SHA512\"]",
            "line 10, column 20: statement one: scheme: \"HMAC-SHA512\": expected one of HMAC-SHA256, ED25519, X-HMAC-SHA256, Standard-Webhooks, RFC 9421, draft-cavage-12, AWS4-HMAC-SHA256; nearest: HMAC-SHA256",
        ),
        (
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00",
            "line 10, column 55: statement one: not_before: expected a date-time with an offset, found 2026-01-01T00:00:00",
        ),
        (
            "not_before",
            "notbefore",
            "line 10, column 42: unknown field `notbefore`, expected one of `scheme`, `coverage`, `key_version`, `source_cidr`, `route`, `not_before`, `not_after`",
        ),
        (
            "effect = \"allow\"",
            "effect = \"permit\"",
            "line 6, column 10: unknown variant `permit`, expected `allow` or `deny`",
        ),
        (
            "id = \"one\"",
            "id = \"\"",
            "line 5, column 6: id: expected 1 to 128 characters of visible ASCII and space, found \"\"",
        ),
        (
            "shops = [\"orders\"]",
            "shops = [\"order*\"]",
            "line 2, column 9: group \"shops\": caller \"order*\": expected the whole name of one caller",
        ),
    ] {
        assert!(TOML.contains(from), "{from}");
        let error = Policy::from_toml(&TOML.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_second_of_two_names_has_the_position() {
    let second = &TOML[TOML.find("[[statements]]").unwrap()..];
    let error = Policy::from_toml(&format!("{TOML}{second}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 12, column 6: statement one: listed twice"
    );
}
