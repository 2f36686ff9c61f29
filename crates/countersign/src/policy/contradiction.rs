//! Refuses conditions that no request can meet together. A `Deny` with them would deny nothing.

use std::cmp;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::condition::{Attribute, Bound, COVERAGES, Condition, Test, Text, coverage_name};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    families::Coverage,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Refuses conditions of one statement that no request can meet together.
pub(super) fn ensure_possible(conditions: &[Condition]) -> Result<(), ConfigError> {
    let impossible = |what: &str| {
        Err(ConfigError::new(
            ConfigErrorKind::Policy,
            format!("the conditions on {what}: expected some that a request can meet together"),
        ))
    };
    if !some_scheme_and_coverage(conditions) {
        return impossible("scheme and coverage");
    }
    for (attribute, what) in [
        (Attribute::KeyVersion, "the key version"),
        (Attribute::Route, "the route"),
    ] {
        if !some_text(conditions, attribute) {
            return impossible(what);
        }
    }
    if !some_address(conditions) {
        return impossible("the address");
    }
    if !some_time(conditions) {
        return impossible("the time");
    }
    Ok(())
}

/// Returns the coverages that signatures of a scheme can have.
const fn coverages(scheme: Scheme) -> &'static [Coverage] {
    match scheme {
        Scheme::HmacSha256 | Scheme::Ed25519 | Scheme::SigV4 => &[Coverage::Request],
        Scheme::MessageSignatures | Scheme::Cavage => &[Coverage::Request, Coverage::Partial],
        Scheme::Drf | Scheme::StandardWebhooks => &[Coverage::BodyOnly],
    }
}

fn some_scheme_and_coverage(conditions: &[Condition]) -> bool {
    let meets = |attribute, value: &str| all_meet(conditions, attribute, value);
    Scheme::ALL.iter().any(|scheme| {
        let mut possible = COVERAGES
            .iter()
            .filter(|coverage| coverages(*scheme).contains(coverage));
        meets(Attribute::Scheme, scheme.name())
            && possible.any(|coverage| meets(Attribute::Coverage, coverage_name(*coverage)))
    })
}

fn some_text(conditions: &[Condition], attribute: Attribute) -> bool {
    for (texts, expected) in texts_on(conditions, attribute) {
        if !expected && texts.iter().any(Text::is_everything) {
            return false;
        }
        let possible = |text: &Text| match text {
            Text::Exactly(value) => all_meet(conditions, attribute, value),
            // A pattern matches infinitely many texts.
            Text::Like(_) => true,
        };
        if expected && !texts.iter().any(possible) {
            return false;
        }
    }
    true
}

/// Returns whether a value meets every condition on the attribute.
fn all_meet(conditions: &[Condition], attribute: Attribute, value: &str) -> bool {
    texts_on(conditions, attribute)
        .all(|(texts, expected)| texts.iter().any(|text| text.is(value)) == expected)
}

fn texts_on(conditions: &[Condition], wanted: Attribute) -> impl Iterator<Item = (&[Text], bool)> {
    conditions
        .iter()
        .filter_map(move |condition| match &condition.test {
            Test::Text(attribute, texts) if *attribute == wanted => {
                Some((&**texts, condition.expected))
            }
            Test::Text(..) | Test::Source(_) | Test::Time(..) => None,
        })
}

fn some_address(conditions: &[Condition]) -> bool {
    let (mut included, mut excluded) = (Vec::new(), Vec::new());
    for condition in conditions {
        match &condition.test {
            Test::Source(nets) if condition.expected => included.push(nets.clone()),
            Test::Source(nets) => excluded.extend(nets.iter().copied()),
            Test::Text(..) | Test::Time(..) => {}
        }
    }
    if included.is_empty() {
        let everything = [
            IpNet::from(Ipv4Net::default()),
            IpNet::from(Ipv6Net::default()),
        ];
        included.push(everything.to_vec());
    }
    let excluded = IpNet::aggregate(&excluded);
    included.iter().all(|nets| {
        let left = |net: &IpNet| !excluded.iter().any(|out| out.contains(net));
        nets.iter().any(left)
    })
}

/// Returns whether any time meets all conditions on the time. Compares the latest lower bound with
/// the earliest upper one.
fn some_time(conditions: &[Condition]) -> bool {
    let mut from: Option<(Timestamp, bool)> = None;
    let mut until: Option<(Timestamp, bool)> = None;
    for condition in conditions {
        let Test::Time(bound, times) = &condition.test else {
            continue;
        };
        // A condition holds if the time meets the bound of any of its times.
        match bound {
            Bound::From | Bound::After => {
                let bound = (times.iter().min(), matches!(bound, Bound::After));
                if let (Some(time), excluded) = bound {
                    from = cmp::max(from, Some((*time, excluded)));
                }
            }
            Bound::Until | Bound::Before => {
                let bound = (times.iter().max(), matches!(bound, Bound::Before));
                if let (Some(time), excluded) = bound {
                    let earlier = |(known, strict): (Timestamp, bool)| {
                        *time < known || (*time == known && !strict)
                    };
                    if until.is_none_or(earlier) {
                        until = Some((*time, excluded));
                    }
                }
            }
        }
    }
    match (from, until) {
        (Some((from, after)), Some((until, before))) => {
            from < until || (from == until && !after && !before)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::condition::range;

    fn text(attribute: Attribute, like: bool, texts: &[&str], expected: bool) -> Condition {
        let texts = texts.iter().map(|text| attribute.text(text, like).unwrap());
        let test = Test::Text(attribute, texts.collect());
        Condition { test, expected }
    }

    fn source(nets: &[&str], expected: bool) -> Condition {
        let nets = nets.iter().map(|net| range(net).unwrap());
        let test = Test::Source(nets.collect());
        Condition { test, expected }
    }

    fn time(bound: Bound, seconds: &[i64]) -> Condition {
        let moments = seconds.iter().copied().map(Timestamp::from_unix_seconds);
        Condition::new(Test::Time(bound, moments.collect()))
    }

    fn check(name: &str, conditions: &[Condition], possible: bool) {
        let found = ensure_possible(conditions);
        assert_eq!(found.is_ok(), possible, "{name}: {found:?}");
    }

    #[test]
    fn texts_that_exclude_each_other_are_refused() {
        use Attribute::{Coverage as C, KeyVersion as K, Route as R, Scheme as S};
        let all_schemes: Vec<_> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
        let rest = all_schemes.get(1..).unwrap();
        for (name, conditions, possible) in [
            ("nothing", vec![], true),
            (
                "every scheme",
                vec![text(S, false, &all_schemes, true)],
                true,
            ),
            (
                "no scheme",
                vec![text(S, false, &all_schemes, false)],
                false,
            ),
            ("one scheme left", vec![text(S, false, rest, false)], true),
            (
                "no scheme, by a pattern",
                vec![text(S, true, &["*"], false)],
                false,
            ),
            (
                "a scheme and not",
                vec![
                    text(S, false, &["ED25519"], true),
                    text(S, true, &["ED*"], false),
                ],
                false,
            ),
            (
                "a request of HMAC",
                vec![
                    text(S, false, &["HMAC-SHA256"], true),
                    text(C, false, &["request"], true),
                ],
                true,
            ),
            (
                "a body of HMAC",
                vec![
                    text(S, false, &["HMAC-SHA256"], true),
                    text(C, false, &["body-only"], true),
                ],
                false,
            ),
            (
                "a request of DRF",
                vec![
                    text(S, false, &[Scheme::Drf.name()], true),
                    text(C, false, &["request"], true),
                ],
                false,
            ),
            (
                "a body of DRF",
                vec![
                    text(S, false, &[Scheme::Drf.name()], true),
                    text(C, false, &["body-only"], true),
                ],
                true,
            ),
            (
                "no body of DRF",
                vec![
                    text(S, false, &[Scheme::Drf.name()], true),
                    text(C, false, &["body-only"], false),
                ],
                false,
            ),
            (
                "part of SigV4",
                vec![
                    text(S, false, &[Scheme::SigV4.name()], true),
                    text(C, false, &["partial"], true),
                ],
                false,
            ),
            (
                "one of two can",
                vec![
                    text(S, false, &[Scheme::Drf.name(), "ED25519"], true),
                    text(C, false, &["request"], true),
                ],
                true,
            ),
            (
                "a version and not",
                vec![text(K, false, &["1"], true), text(K, false, &["1"], false)],
                false,
            ),
            (
                "one of two versions",
                vec![
                    text(K, false, &["1", "2"], true),
                    text(K, false, &["1"], false),
                ],
                true,
            ),
            (
                "a version that is not like",
                vec![
                    text(K, false, &["2026"], true),
                    text(K, true, &["20*"], false),
                ],
                false,
            ),
            (
                "like and not equal",
                vec![
                    text(K, true, &["20*"], true),
                    text(K, false, &["2026"], false),
                ],
                true,
            ),
            ("no version", vec![text(K, true, &["*"], false)], false),
            (
                "no version, among others",
                vec![text(K, true, &["1", "**"], false)],
                false,
            ),
            ("no route", vec![text(R, true, &["/*"], false)], false),
            ("not one route", vec![text(R, true, &["/?*"], false)], true),
            ("every route", vec![text(R, true, &["/*"], true)], true),
        ] {
            check(name, &conditions, possible);
        }
    }

    #[test]
    fn ranges_that_leave_no_address_are_refused() {
        for (name, conditions, possible) in [
            ("one", vec![source(&["192.0.2.0/24"], true)], true),
            ("not one", vec![source(&["192.0.2.0/24"], false)], true),
            ("no IPv4", vec![source(&["0.0.0.0/0"], false)], true),
            ("none", vec![source(&["0.0.0.0/0", "::/0"], false)], false),
            (
                "none, in halves",
                vec![source(&["0.0.0.0/1", "128.0.0.0/1", "::/0"], false)],
                false,
            ),
            (
                "inside and not",
                vec![
                    source(&["192.0.2.7"], true),
                    source(&["192.0.2.0/24"], false),
                ],
                false,
            ),
            (
                "the same and not",
                vec![
                    source(&["192.0.2.9/24"], true),
                    source(&["192.0.2.0/24"], false),
                ],
                false,
            ),
            (
                "a part is left",
                vec![
                    source(&["192.0.2.0/24"], true),
                    source(&["192.0.2.7"], false),
                ],
                true,
            ),
            (
                "one of two is left",
                vec![
                    source(&["192.0.2.7", "192.0.3.7"], true),
                    source(&["192.0.2.0/24"], false),
                ],
                true,
            ),
        ] {
            check(name, &conditions, possible);
        }
    }

    #[test]
    fn dates_that_leave_no_time_are_refused() {
        use Bound::{After, Before, From, Until};
        for (name, conditions, possible) in [
            ("from 1", vec![time(From, &[1])], true),
            (
                "from 1 before 2",
                vec![time(From, &[1]), time(Before, &[2])],
                true,
            ),
            (
                "from 1 before 1",
                vec![time(From, &[1]), time(Before, &[1])],
                false,
            ),
            (
                "from 1 until 1",
                vec![time(From, &[1]), time(Until, &[1])],
                true,
            ),
            (
                "after 1 until 1",
                vec![time(After, &[1]), time(Until, &[1])],
                false,
            ),
            (
                "from 2 until 1",
                vec![time(Until, &[1]), time(From, &[2])],
                false,
            ),
            (
                "from 1 or 9 before 3",
                vec![time(From, &[9, 1]), time(Before, &[3])],
                true,
            ),
            (
                "from 5 before 3 or 9",
                vec![time(From, &[5]), time(Before, &[3, 9])],
                true,
            ),
            (
                "from 1 after 1 until 1",
                vec![time(From, &[1]), time(After, &[1]), time(Until, &[1])],
                false,
            ),
            (
                "from 1 until 1 before 1",
                vec![time(From, &[1]), time(Until, &[1]), time(Before, &[1])],
                false,
            ),
            (
                "from 1 before 1 until 1",
                vec![time(From, &[1]), time(Before, &[1]), time(Until, &[1])],
                false,
            ),
            (
                "from 2 before 3 until 1",
                vec![time(From, &[2]), time(Before, &[3]), time(Until, &[1])],
                false,
            ),
            (
                "from 2 until 3 before 9",
                vec![time(From, &[2]), time(Until, &[3]), time(Before, &[9])],
                true,
            ),
            (
                "from 1 and from 5 before 3",
                vec![time(From, &[1]), time(After, &[5]), time(Before, &[3])],
                false,
            ),
        ] {
            check(name, &conditions, possible);
        }
    }
}
