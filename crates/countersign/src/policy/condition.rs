use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use wildmatch::WildMatch;

use super::request::PolicyRequest;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::KeyVersion,
    scheme::Scheme,
    timestamp::Timestamp,
    verify::Coverage,
};

/// A further condition of a statement: that one of several values is the request's, or that none is.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    test: Test,
    expected: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Text(Attribute, Vec<Text>),
    Source(Vec<IpNet>),
    Time(Bound, Vec<Timestamp>),
}

/// What of a request a text condition is about.
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
    /// `*` is any run of characters and `?` any one.
    Like(WildMatch),
}

/// On which side of a moment the time must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    Before,
    Until,
    From,
    After,
}

const COVERAGES: [Coverage; 3] = [Coverage::Request, Coverage::Partial, Coverage::BodyOnly];

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

    /// Whether it holds; `None` if what it is about is not known.
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
            Test::Time(bound, moments) => {
                let now = request.now?;
                moments.iter().any(|moment| bound.has(now, *moment))
            }
        };
        Some(found == self.expected)
    }

    /// Whether it can hold for a request on this route.
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

    /// A condition on one of these texts. A text that no request can have is refused: in a `Deny` it would deny nothing.
    pub(super) fn any_of(self, texts: Vec<Text>) -> Result<Test, ConfigError> {
        for text in &texts {
            let possible = match self {
                Self::Scheme => Scheme::ALL.iter().any(|scheme| text.is(scheme.name())),
                Self::Coverage => COVERAGES
                    .iter()
                    .any(|coverage| text.is(coverage_name(*coverage))),
                Self::KeyVersion => match text {
                    Text::Exactly(label) => KeyVersion::new(label).is_ok(),
                    Text::Like(pattern) => !pattern.pattern_chars().is_empty(),
                },
                Self::Route => match text {
                    Text::Exactly(route) => route.starts_with('/'),
                    Text::Like(pattern) => {
                        matches!(pattern.pattern_chars().first(), Some('/' | '*' | '?'))
                    }
                },
            };
            if !possible {
                return Err(ConfigError::new(
                    ConfigErrorKind::Policy,
                    self.expectation(),
                ));
            }
        }
        Ok(Test::Text(self, texts))
    }

    fn expectation(self) -> String {
        match self {
            Self::Scheme => {
                let names: Vec<_> = Scheme::ALL.iter().map(|scheme| scheme.name()).collect();
                format!(
                    "scheme: expected one of {}, found another",
                    names.join(", ")
                )
            }
            Self::Coverage => {
                let names = COVERAGES.map(coverage_name);
                format!(
                    "coverage: expected one of {}, found another",
                    names.join(", ")
                )
            }
            Self::KeyVersion => "key version: expected the label of a key".to_owned(),
            Self::Route => "route: expected a route that starts with a slash".to_owned(),
        }
    }
}

const fn coverage_name(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Request => "request",
        Coverage::Partial => "partial",
        Coverage::BodyOnly => "body-only",
    }
}

impl Text {
    fn is(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => **text == *value,
            Self::Like(pattern) => pattern.matches(value),
        }
    }
}

impl Bound {
    fn has(self, now: Timestamp, moment: Timestamp) -> bool {
        match self {
            Self::Before => now < moment,
            Self::Until => now <= moment,
            Self::From => now >= moment,
            Self::After => now > moment,
        }
    }
}

/// A range of addresses in CIDR notation, or one address.
///
/// A range of IPv4 addresses that is written as one of IPv6 (`::ffff:192.0.2.0/120`) is the IPv4 range: so are the addresses
/// that it is compared with.
pub(super) fn range(text: &str) -> Result<IpNet, ConfigError> {
    let net = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let Ok(net) = net else {
        return Err(ConfigError::new(
            ConfigErrorKind::Policy,
            format!("source {text:?}: expected an address or a range such as 192.0.2.0/24"),
        ));
    };
    Ok(match net {
        IpNet::V4(_) => net,
        IpNet::V6(v6) => mapped(v6.addr(), v6.prefix_len()).map_or(net, IpNet::V4),
    })
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
        ] {
            let error = range(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Policy, "{text}");
        }
    }
}
