//! Reads the conditions of a JSON policy.

use super::{
    condition::{Attribute, Bound, Condition, Test, range},
    json_values::{OneOrMany, Unique},
    nearest::{Expected, nearest},
    position::{Misplaced, Steps},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    timestamp::Timestamp,
};

#[derive(Clone, Copy)]
enum Operator {
    Address { negated: bool },
    Date(Bound),
    Text { like: bool, negated: bool },
}

#[derive(Clone, Copy)]
enum Key {
    SourceIp,
    CurrentTime,
    Text(Attribute),
}

const OPERATORS: [(&str, Operator); 10] = [
    ("IpAddress", Operator::Address { negated: false }),
    ("NotIpAddress", Operator::Address { negated: true }),
    ("DateGreaterThan", Operator::Date(Bound::After)),
    ("DateGreaterThanEquals", Operator::Date(Bound::From)),
    ("DateLessThan", Operator::Date(Bound::Before)),
    ("DateLessThanEquals", Operator::Date(Bound::Until)),
    ("StringEquals", text(false, false)),
    ("StringNotEquals", text(false, true)),
    ("StringLike", text(true, false)),
    ("StringNotLike", text(true, true)),
];

const KEYS: [(&str, Key); 6] = [
    ("aws:SourceIp", Key::SourceIp),
    ("aws:CurrentTime", Key::CurrentTime),
    ("countersign:Scheme", Key::Text(Attribute::Scheme)),
    ("countersign:Coverage", Key::Text(Attribute::Coverage)),
    ("countersign:KeyVersion", Key::Text(Attribute::KeyVersion)),
    ("countersign:Route", Key::Text(Attribute::Route)),
];

const fn text(like: bool, negated: bool) -> Operator {
    Operator::Text { like, negated }
}

impl Operator {
    const fn takes(self, key: Key) -> bool {
        matches!(
            (self, key),
            (Self::Address { .. }, Key::SourceIp)
                | (Self::Date(_), Key::CurrentTime)
                | (Self::Text { .. }, Key::Text(_))
        )
    }
}

/// Reads the element `Condition`.
pub(super) fn conditions(
    operators: Option<&Unique<Unique<OneOrMany<String>>>>,
) -> Result<Vec<Condition>, Misplaced<Steps>> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators.map_or(&[][..], |operators| &operators.0) {
        for (key, values) in &keys.0 {
            let condition = condition(operator, key, values).map_err(|wrong| {
                wrong
                    .within(format_args!("{operator} {key}"))
                    .in_member(key)
                    .in_member(operator)
            })?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

/// Reads the condition of an operator on a key. Refuses unknown ones: ignoring them would admit
/// requests that the condition excludes.
fn condition(
    operator: &str,
    key: &str,
    values: &OneOrMany<String>,
) -> Result<Condition, Misplaced<Steps>> {
    // IAM compares key names case-insensitively.
    let known_key = KEYS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key));
    let known_operator = OPERATORS.iter().find(|(known, _)| *known == operator);
    let (Some((_, by)), Some((_, on))) = (known_operator, known_key) else {
        return Err(unknown(operator, known_operator.is_some(), key, known_key).into());
    };
    match (*by, *on) {
        (Operator::Address { negated }, Key::SourceIp) => {
            Ok(either(Test::Source(values.read(range)?), negated))
        }
        (Operator::Date(bound), Key::CurrentTime) => Ok(Condition::new(Test::Time(
            bound,
            values.read(parse_timestamp)?,
        ))),
        (Operator::Text { like, negated }, Key::Text(attribute)) => {
            let texts = values.read(|text| {
                if text.contains("${") {
                    return Err(wrong("expected no policy variable: none is known here"));
                }
                attribute.text(text, like)
            })?;
            Ok(either(Test::Text(attribute, texts), negated))
        }
        _ => {
            let expected = expected_operators(operator, Some(*on));
            Err(wrong(format!("the operator is none of this key: {expected}")).into())
        }
    }
}

fn either(test: Test, negated: bool) -> Condition {
    if negated {
        Condition::negated(test)
    } else {
        Condition::new(test)
    }
}

fn parse_timestamp(text: &str) -> Result<Timestamp, ConfigError> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| wrong(format!("{text:?}: expected a date in RFC 3339")))
}

fn unknown(
    operator: &str,
    operator_is_known: bool,
    key: &str,
    known_key: Option<&(&str, Key)>,
) -> ConfigError {
    let mut problems = Vec::new();
    if !operator_is_known {
        let expected = expected_operators(operator, known_key.map(|(_, key)| *key));
        problems.push(format!("unknown operator {operator:?}: {expected}"));
    }
    if known_key.is_none() {
        problems.push(format!("unknown key {key:?}: {}", expected_keys(key)));
    }
    wrong(problems.join("; "))
}

/// Lists the operators of a key, or all of them, and the nearest to an unknown one. The nearest to
/// a negated operator is negated too.
fn expected_operators(found: &str, key: Option<Key>) -> Expected<'static> {
    let names = || {
        let fitting = OPERATORS
            .iter()
            .filter(move |(_, operator)| key.is_none_or(|key| operator.takes(key)));
        fitting.map(|(name, _)| *name)
    };
    // `ForAnyValue:` and `…IfExists` modify an operator.
    let (_, name) = found.rsplit_once(':').unwrap_or(("", found));
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    let negated = |name: &str| name.contains("Not");
    let alike = names().filter(|known| negated(known) == negated(name));
    Expected {
        known: names().collect(),
        nearest: nearest(name, alike).or_else(|| nearest(name, names())),
    }
}

fn expected_keys(found: &str) -> Expected<'static> {
    let mut expected = Expected::one_of(KEYS.iter().map(|(name, _)| *name), found);
    let found = found.to_ascii_lowercase();
    if found.starts_with("aws:principal") || found.starts_with("aws:user") {
        expected.nearest = Some("the element Principal, which names accounts and callers");
    }
    expected
}

fn wrong(problem: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Policy, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(operator: &str, key: &str) -> String {
        let values = serde_json::from_str(r#""x""#).unwrap();
        condition(operator, key, &values)
            .unwrap_err()
            .error
            .to_string()
    }

    #[test]
    fn unknown_operators_and_unknown_keys_are_told_apart() {
        for (operator, key, says, nearest) in [
            (
                "IpAddresses",
                "aws:SourceIp",
                "unknown operator \"IpAddresses\": expected one of IpAddress, NotIpAddress;",
                "IpAddress",
            ),
            ("ipaddress", "aws:SourceIp", "unknown operator", "IpAddress"),
            (
                "NotIpAdress",
                "aws:SourceIp",
                "unknown operator",
                "NotIpAddress",
            ),
            (
                "IpAddressIfExists",
                "aws:SourceIp",
                "unknown operator",
                "IpAddress",
            ),
            (
                "ForAnyValue:StringEquals",
                "countersign:Scheme",
                "unknown operator",
                "StringEquals",
            ),
            (
                "StringEqualsIgnoreCase",
                "countersign:Scheme",
                "unknown operator",
                "StringEquals",
            ),
            (
                "DateLessThanIfExists",
                "aws:CurrentTime",
                "unknown operator",
                "DateLessThan",
            ),
            (
                "DateGreater",
                "aws:CurrentTime",
                "unknown operator",
                "DateGreaterThan",
            ),
            (
                "StringNotEquals",
                "aws:SourceVpce",
                "unknown key \"aws:SourceVpce\": expected one of aws:SourceIp, aws:CurrentTime,",
                "aws:SourceIp",
            ),
            (
                "StringEquals",
                "aws:PrincipalAccount",
                "unknown key",
                "the element Principal, which names accounts and callers",
            ),
            (
                "StringLike",
                "countersign:Routes",
                "unknown key",
                "countersign:Route",
            ),
            (
                "StringEquals",
                "aws:SourceIp",
                "the operator is none of this key: expected one of IpAddress, NotIpAddress;",
                "IpAddress",
            ),
            (
                "StringNotEquals",
                "aws:SourceIp",
                "the operator is none of this key",
                "NotIpAddress",
            ),
            (
                "IpAddress",
                "aws:CurrentTime",
                "the operator is none of this key",
                "DateLessThan",
            ),
            (
                "Bool",
                "aws:SecureTransport",
                "unknown operator \"Bool\": expected one of IpAddress,",
                "aws:SourceIp",
            ),
        ] {
            let error = error(operator, key);
            assert!(error.starts_with(says), "{operator} {key}: {error}");
            let known = error.matches("unknown").count();
            let both = usize::from(operator == "Bool");
            assert!(known <= 1 + both, "{error}");
            if operator == "Bool" {
                assert!(
                    error.contains("unknown key \"aws:SecureTransport\""),
                    "{error}"
                );
            } else {
                let end = format!("; nearest: {nearest}");
                assert!(error.ends_with(&end), "{operator} {key}: {error}");
            }
        }
    }

    #[test]
    fn every_key_has_operators_and_every_operator_a_key() {
        for (name, key) in KEYS {
            assert!(
                OPERATORS.iter().any(|(_, operator)| operator.takes(key)),
                "{name}"
            );
        }
        for (name, operator) in OPERATORS {
            assert!(KEYS.iter().any(|(_, key)| operator.takes(*key)), "{name}");
        }
    }
}
