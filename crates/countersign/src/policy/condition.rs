use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use wildmatch::WildMatch;

use super::{nearest::Expected, request::PolicyRequest};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    families::Coverage,
    head::PlainPath,
    key_version::KeyVersion,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// A condition of a statement: the request's value is one of a list, or none of it.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) test: Test,
    pub(super) expected: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Text(Attribute, Vec<Text>),
    Source(Vec<IpNet>),
    Time(Bound, Vec<Timestamp>),
}

/// The property of a request that a text condition tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Scheme,
    Coverage,
    KeyVersion,
    Route,
}

#[derive(Clone, Debug)]
pub(super) enum Text {
    Exactly(Box<str>),
    /// `*` matches any run of characters, and `?` any one character.
    Like(WildMatch),
}

/// How the time of a request must compare with that of the condition.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Before,
    Until,
    From,
    After,
}

pub(super) const COVERAGES: [Coverage; 3] =
    [Coverage::Request, Coverage::Partial, Coverage::BodyOnly];

impl Condition {
    pub(super) const fn new(test: Test) -> Self {
        Self {
            test,
            expected: true,
        }
    }

    #[must_use]
    pub(super) const fn negated(test: Test) -> Self {
        Self {
            test,
            expected: false,
        }
    }

    /// Returns whether the condition holds. `None` if the request's value is unknown.
    pub(super) fn holds(&self, request: &PolicyRequest<'_>) -> Option<bool> {
        let found = match &self.test {
            Test::Text(attribute, texts) => {
                let value = attribute.of(request)?;
                texts.iter().any(|text| text.is(value))
            }
            Test::Source(nets) => {
                let source = request.source?;
                nets.iter().any(|net| net.contains(&source))
            }
            Test::Time(bound, times) => {
                let now = request.now?;
                times.iter().any(|time| bound.has(now, *time))
            }
        };
        Some(found == self.expected)
    }

    /// Returns whether the condition can hold for a request on this route.
    pub(super) fn can_hold_on(&self, route: &str) -> bool {
        match &self.test {
            Test::Text(Attribute::Route, texts) => {
                texts.iter().any(|text| text.is(route)) == self.expected
            }
            Test::Text(..) | Test::Source(_) | Test::Time(..) => true,
        }
    }
}

impl Attribute {
    fn of<'r>(self, request: &PolicyRequest<'r>) -> Option<&'r str> {
        match self {
            Self::Scheme => request.scheme.map(Scheme::name),
            Self::Coverage => request.coverage.map(coverage_name),
            Self::KeyVersion => request.key_version.map(KeyVersion::as_str),
            Self::Route => request.route,
        }
    }

    /// Reads one text of a condition. Refuses a text that no request can have: in a `Deny` it would
    /// deny nothing.
    pub(super) fn text(self, text: &str, like: bool) -> Result<Text, ConfigError> {
        let parsed = if like {
            Text::Like(WildMatch::new(text))
        } else {
            Text::Exactly(text.into())
        };
        let possible = match self {
            Self::Scheme | Self::Coverage => self.values().iter().any(|value| parsed.is(value)),
            Self::KeyVersion if like => is_pattern_of_labels(text),
            Self::KeyVersion => KeyVersion::new(text).is_ok(),
            Self::Route if like => is_pattern_of_routes(text),
            Self::Route => is_route(text),
        };
        if possible {
            return Ok(parsed);
        }
        Err(ConfigError::new(
            ConfigErrorKind::Policy,
            format!("{text:?}: {}", self.expectation(text)),
        ))
    }

    /// Returns every value that a request can have, if they can be listed.
    fn values(self) -> Vec<&'static str> {
        match self {
            Self::Scheme => Scheme::ALL.iter().map(|scheme| scheme.name()).collect(),
            Self::Coverage => COVERAGES.map(coverage_name).to_vec(),
            Self::KeyVersion | Self::Route => Vec::new(),
        }
    }

    fn expectation(self, found: &str) -> String {
        match self {
            Self::Scheme | Self::Coverage => Expected::one_of(self.values(), found).to_string(),
            Self::KeyVersion => "expected the label of a key".to_owned(),
            Self::Route => "expected a route that starts with a slash, is in plain form outside \
                            its captures, and has no * that no name follows"
                .to_owned(),
        }
    }
}

/// Returns whether any label matches a pattern, by the shortest text that matches it.
fn is_pattern_of_labels(pattern: &str) -> bool {
    let shortest = pattern.replace('*', "").replace('?', "x");
    match &*shortest {
        "" => !pattern.is_empty(),
        label => KeyVersion::new(label).is_ok(),
    }
}

/// Returns whether any route matches a pattern.
fn is_pattern_of_routes(pattern: &str) -> bool {
    let example = pattern.replace(['*', '?', '{', '}'], "x");
    let rooted = if pattern.starts_with(['*', '?']) {
        format!("/{example}")
    } else {
        example
    };
    PlainPath::parse(&rooted).is_ok()
}

/// Returns whether a text can be a route of an application. Also accepts parameters of routers
/// other than axum: `/{id}`, `/:id` and `/*rest`.
fn is_route(text: &str) -> bool {
    let captured = |char: char| matches!(char, '{' | '}');
    let plain = PlainPath::parse(&text.replace(captured, "x")).is_ok();
    let name = |char: char| char.is_alphanumeric() || char == '_';
    let mut after_stars = text.split('*').skip(1);
    plain && after_stars.all(|after| after.starts_with(name))
}

pub(super) const fn coverage_name(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Request => "request",
        Coverage::Partial => "partial",
        Coverage::BodyOnly => "body-only",
    }
}

impl Text {
    /// Returns whether every text matches, or every text that starts with a slash.
    pub(super) fn is_everything(&self) -> bool {
        match self {
            Self::Exactly(_) => false,
            Self::Like(pattern) => {
                let chars = pattern.pattern_chars();
                matches!(chars, ['*'] | ['/', '*'])
            }
        }
    }

    pub(super) fn is(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => **text == *value,
            Self::Like(pattern) => pattern.matches(value),
        }
    }
}

impl Bound {
    fn has(self, now: Timestamp, time: Timestamp) -> bool {
        match self {
            Self::Before => now < time,
            Self::Until => now <= time,
            Self::From => now >= time,
            Self::After => now > time,
        }
    }
}

/// Reads a range of addresses in CIDR notation, or one address. Ignores host bits in a range, like
/// AWS.
///
/// Reads a range of IPv4-mapped IPv6 addresses (`::ffff:192.0.2.0/120`) as the IPv4 range.
/// Requests' addresses are converted the same way.
pub(super) fn range(text: &str) -> Result<IpNet, ConfigError> {
    let wrong =
        |problem: &str| ConfigError::new(ConfigErrorKind::Policy, format!("{text:?}: {problem}"));
    let net = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(net) = net else {
        return Err(wrong("expected an address or a range such as 192.0.2.0/24"));
    };
    let net = match net {
        IpNet::V4(_) => net,
        IpNet::V6(v6) => mapped(v6.addr(), v6.prefix_len()).map_or(net, IpNet::V4),
    };
    match net {
        // The unspecified address is no source address (RFC 1122 section 3.2.1.3, RFC 4291 section
        // 2.5.2).
        IpNet::V4(v4) if v4.prefix_len() == 32 && v4.addr().is_unspecified() => Err(wrong(
            "expected an address that a request can come from; every IPv4 address is 0.0.0.0/0",
        )),
        IpNet::V6(v6) if v6.prefix_len() == 128 && v6.addr().is_unspecified() => Err(wrong(
            "expected an address that a request can come from; every IPv6 address is ::/0",
        )),
        IpNet::V6(v6) if embeds_ipv4(v6) => Err(wrong(
            "expected an IPv4 range written as such: no address is in it, because IPv4 addresses \
            in IPv6 are compared as IPv4",
        )),
        net => Ok(net),
    }
}

/// Returns whether a range holds only IPv4 addresses that are embedded in IPv6 addresses, such as
/// those of the deprecated form `::192.0.2.0` (RFC 4291 section 2.5.5.1). The loopback address
/// `::1` is not one of them.
fn embeds_ipv4(net: Ipv6Net) -> bool {
    let zeros = net
        .addr()
        .segments()
        .iter()
        .take(5)
        .all(|segment| *segment == 0);
    zeros && !net.contains(&Ipv6Addr::LOCALHOST)
}

fn mapped(addr: Ipv6Addr, prefix: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(addr.to_ipv4_mapped()?, prefix.checked_sub(96)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_cidr_notation_and_mapped_ones_are_ipv4() {
        for (text, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.7", "192.0.3.7"),
            ("192.0.2.9/24", "192.0.2.7", "192.0.3.7"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::ffff:192.0.2.0/120", "192.0.2.7", "192.0.3.7"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.1"),
            ("::1", "::1", "::2"),
            ("0.0.0.2", "0.0.0.2", "0.0.0.3"),
            ("240.240.240.240", "240.240.240.240", "240.240.240.241"),
        ] {
            let net = range(text).unwrap();
            let has = |addr: &str| net.contains(&addr.parse::<IpAddr>().unwrap());
            assert!(has(inside), "{text} has {inside}");
            assert!(!has(outside), "{text} has not {outside}");
        }
        for text in [
            "",
            "192.0.2.0/33",
            "192.0.2",
            "192.0.2.0/",
            "localhost",
            "*",
            " 192.0.2.1",
            "192.0.2.0/+8",
            "192.0.2.0-192.0.2.9",
            "192.0.2.*",
            "192.0.2.0, 192.0.3.0",
            "2001:db8::/129",
            "fe80::1%eth0",
            "0.0.0.0",
            "0.0.0.0/32",
            "::",
            "::/128",
            "::192.0.2.0/120",
            "::fffe:0:0/95",
        ] {
            let error = range(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Policy, "{text}");
        }
    }

    #[test]
    fn texts_that_no_request_has_are_refused() {
        use Attribute::{Coverage as C, KeyVersion as K, Route as R, Scheme as S};
        for (attribute, like, text, expected) in [
            (S, false, "ED25519", true),
            (S, false, "ed25519", false),
            (S, true, "ED*", true),
            (S, true, "RSA*", false),
            (C, false, "body-only", true),
            (C, false, "body", false),
            (C, true, "body*", true),
            (C, true, "body", false),
            (K, false, "2026-01", true),
            (K, false, "2026/01", false),
            (K, false, "2026-*", false),
            (K, false, "", false),
            (K, true, "*", true),
            (K, true, "2026-0?", true),
            (K, true, "2026/*", false),
            (K, true, "?é", false),
            (K, true, "", false),
            (R, false, "/", true),
            (R, false, "/a/{id}", true),
            (R, false, "/a/{*rest}", true),
            (R, false, "/a/:id", true),
            (R, false, "/a/*rest", true),
            (R, false, "/a/*", false),
            (R, false, "/a*", false),
            (R, false, "/a/*/b", false),
            (R, false, "a/{id}", false),
            (R, false, "/a//{id}", false),
            (R, false, "/a?b", false),
            (R, true, "/a/*", true),
            (R, true, "*", true),
            (R, true, "*/{id}", true),
            (R, true, "?a", true),
            (R, true, "a/*", false),
            (R, true, "/a//*", false),
            (R, true, "", false),
        ] {
            let found = attribute.text(text, like);
            assert_eq!(found.is_ok(), expected, "{attribute:?} {like} {text:?}");
        }
    }
}
