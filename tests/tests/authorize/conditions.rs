//! Every condition, when it holds, when it does not hold, and when its value is unknown. With an
//! unknown value no allow matches, and every deny does.

use countersign::{
    Coverage, ExecuteApi, KeyId, KeyVersion, Policy, PolicyRequest, Scheme, Timestamp,
};

fn at(text: &str) -> Timestamp {
    let seconds = match text {
        "before" => 1_767_225_599,
        "at" => 1_767_225_600, // 2026-01-01T00:00:00Z
        _ => 1_767_225_601,
    };
    Timestamp::from_unix_seconds(seconds)
}

fn toml(effect: &str, condition: &str) -> Policy {
    let allow = if effect == "deny" {
        crate::ALLOW_ALL
    } else {
        ""
    };
    Policy::from_toml(&format!(
        "{allow}\n[[statements]]\nid = \"one\"\neffect = \"{effect}\"\ncallers = [\"billing\"]\nmethods = [\"GET\"]\npaths = [\"/x\"]\nwhen = {{ {condition} }}\n"
    ))
    .unwrap()
}

fn json(effect: &str, condition: &str) -> Policy {
    let api = ExecuteApi::new("r", "1", "a", "s").unwrap();
    let allow = if effect == "Deny" {
        r#"{"Sid":"all","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},"#
    } else {
        ""
    };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{allow}{{"Sid":"one","Effect":"{effect}","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}]}}"#
    );
    Policy::from_json(&text, &api).unwrap()
}

/// A value of a request, or an unknown value.
#[derive(Clone, Copy, Debug)]
enum Value {
    Unknown,
    Scheme(Scheme),
    Coverage(Coverage),
    KeyVersion(&'static str),
    Source(&'static str),
    Route(&'static str),
    Time(&'static str),
}

fn decide(policy: &Policy, value: Value) -> bool {
    let caller = KeyId::new("billing").unwrap();
    let request = PolicyRequest::new(&caller, "GET", "/x");
    let version;
    let request = match value {
        Value::Unknown => request,
        Value::Scheme(scheme) => request.with_scheme(scheme),
        Value::Coverage(coverage) => request.with_coverage(coverage),
        Value::KeyVersion(label) => {
            version = KeyVersion::new(label).unwrap();
            request.with_key_version(&version)
        }
        Value::Source(address) => request.with_source(address.parse().unwrap()),
        Value::Route(route) => request.with_route(route),
        Value::Time(text) => request.at(at(text)),
    };
    policy.evaluate(&request).is_allowed()
}

#[test]
fn every_condition_holds_where_it_should_and_nowhere_else() {
    use Value::{Coverage as C, KeyVersion as K, Route as R, Scheme as S, Source as A, Time as T};
    let toml_rows: &[(&str, &[Value], &[Value])] = &[
        (
            r#"scheme = ["ED25519", "HMAC-SHA256"]"#,
            &[S(Scheme::Ed25519), S(Scheme::HmacSha256)],
            &[S(Scheme::Drf), S(Scheme::SigV4)],
        ),
        (
            r#"coverage = ["request"]"#,
            &[C(Coverage::Request)],
            &[C(Coverage::Partial), C(Coverage::BodyOnly)],
        ),
        (
            r#"coverage = ["partial"]"#,
            &[C(Coverage::Partial)],
            &[C(Coverage::Request), C(Coverage::BodyOnly)],
        ),
        (
            r#"coverage = ["body-only"]"#,
            &[C(Coverage::BodyOnly)],
            &[C(Coverage::Request), C(Coverage::Partial)],
        ),
        (
            r#"key_version = ["2026-01"]"#,
            &[K("2026-01")],
            &[K("2026-02"), K("2026-0"), K("2026-011")],
        ),
        (
            r#"source_cidr = ["192.0.2.0/24", "2001:db8::/32"]"#,
            &[
                A("192.0.2.0"),
                A("192.0.2.255"),
                A("::ffff:192.0.2.7"),
                A("2001:db8::1"),
            ],
            &[
                A("192.0.3.0"),
                A("::ffff:192.0.3.7"),
                A("2001:db9::1"),
                A("::192.0.2.7"),
            ],
        ),
        (
            r#"source_cidr = ["::ffff:192.0.2.0/120"]"#,
            &[A("192.0.2.7"), A("::ffff:192.0.2.7")],
            &[A("192.0.3.7")],
        ),
        (
            r#"route = ["/api/account/{id}"]"#,
            &[R("/api/account/{id}")],
            &[R("/api/account/{user}"), R("/api/account/7"), R("/")],
        ),
        (
            "not_before = 2026-01-01T00:00:00Z",
            &[T("at"), T("after")],
            &[T("before")],
        ),
        (
            "not_after = 2026-01-01T00:00:00Z",
            &[T("before")],
            &[T("at"), T("after")],
        ),
        (
            "not_after = 2026-01-01T01:00:00+01:00",
            &[T("before")],
            &[T("at"), T("after")],
        ),
    ];
    for (condition, holds, fails) in toml_rows {
        judge(condition, holds, fails, |effect| toml(effect, condition));
    }
    let json_rows: &[(&str, &[Value], &[Value])] = &[
        (
            r#"{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.7"]}}"#,
            &[A("192.0.2.7"), A("198.51.100.7")],
            &[A("198.51.100.8")],
        ),
        (
            r#"{"IpAddress":{"AWS:sourceip":"192.0.2.0/24"}}"#,
            &[A("192.0.2.7")],
            &[A("192.0.3.7")],
        ),
        (
            r#"{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.7"]}}"#,
            &[A("198.51.100.8")],
            &[A("192.0.2.7"), A("198.51.100.7"), A("::ffff:192.0.2.7")],
        ),
        (
            r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
            &[T("after")],
            &[T("at"), T("before")],
        ),
        (
            r#"{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
            &[T("after"), T("at")],
            &[T("before")],
        ),
        (
            r#"{"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
            &[T("before")],
            &[T("at"), T("after")],
        ),
        (
            r#"{"DateLessThanEquals":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}"#,
            &[T("before"), T("at")],
            &[T("after")],
        ),
        (
            r#"{"StringEquals":{"countersign:Scheme":"ED25519"}}"#,
            &[S(Scheme::Ed25519)],
            &[S(Scheme::HmacSha256)],
        ),
        (
            r#"{"StringNotEquals":{"countersign:Scheme":["ED25519","HMAC-SHA256"]}}"#,
            &[S(Scheme::SigV4)],
            &[S(Scheme::Ed25519), S(Scheme::HmacSha256)],
        ),
        (
            r#"{"StringEquals":{"countersign:Coverage":"request"}}"#,
            &[C(Coverage::Request)],
            &[C(Coverage::BodyOnly)],
        ),
        (
            r#"{"StringLike":{"countersign:KeyVersion":"2026-*"}}"#,
            &[K("2026-01"), K("2026-")],
            &[K("2025-01"), K("x2026-01")],
        ),
        (
            r#"{"StringNotLike":{"countersign:KeyVersion":"2026-0?"}}"#,
            &[K("2025-01"), K("2026-0")],
            &[K("2026-01")],
        ),
        (
            r#"{"StringEquals":{"countersign:Route":"/api/{*rest}"}}"#,
            &[R("/api/{*rest}")],
            &[R("/api/account/{id}")],
        ),
        (
            r#"{"StringLike":{"countersign:Route":"/api/*"}}"#,
            &[R("/api/account/{id}")],
            &[R("/health")],
        ),
    ];
    for (condition, holds, fails) in json_rows {
        judge(condition, holds, fails, |effect| {
            json(if effect == "deny" { "Deny" } else { "Allow" }, condition)
        });
    }
}

/// An allow with the condition allows where the condition holds. A deny with the condition, next to
/// an allow of everything, allows where the condition does not hold. Neither allows if the value is
/// unknown.
fn judge(name: &str, holds: &[Value], fails: &[Value], policy: impl Fn(&str) -> Policy) {
    let (allow, deny) = (policy("allow"), policy("deny"));
    for value in holds {
        assert!(decide(&allow, *value), "allow if {name}: {value:?}");
        assert!(!decide(&deny, *value), "deny if {name}: {value:?}");
    }
    for value in fails {
        assert!(!decide(&allow, *value), "allow if {name}: {value:?}");
        assert!(decide(&deny, *value), "deny if {name}: {value:?}");
    }
    assert!(!decide(&allow, Value::Unknown), "allow if {name}: unknown");
    assert!(!decide(&deny, Value::Unknown), "deny if {name}: unknown");
}

#[test]
fn all_conditions_of_a_statement_must_hold() {
    let caller = KeyId::new("billing").unwrap();
    let both = PolicyRequest::new(&caller, "GET", "/x")
        .with_coverage(Coverage::Request)
        .with_source("192.0.2.7".parse().unwrap());
    let condition = r#"coverage = ["request"], source_cidr = ["192.0.2.0/24"]"#;
    let (allow, deny) = (toml("allow", condition), toml("deny", condition));
    assert!(allow.evaluate(&both).is_allowed());
    assert!(!deny.evaluate(&both).is_allowed());
    let one = both.with_source("203.0.113.7".parse().unwrap());
    assert!(!allow.evaluate(&one).is_allowed());
    assert!(deny.evaluate(&one).is_allowed());
    let keys = r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringEquals":{"countersign:Coverage":"request"}}"#;
    let allow = json("Allow", keys);
    assert!(allow.evaluate(&both).is_allowed());
    assert!(!allow.evaluate(&one).is_allowed());
    assert!(
        !allow
            .evaluate(&both.with_coverage(Coverage::BodyOnly))
            .is_allowed()
    );
}
