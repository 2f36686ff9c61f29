//! The credential: an access key id and the scope of its signature.
//!
//! ```text
//! Credential = access-key-id "/" scope
//! scope      = 8DIGIT "/" region "/" service "/aws4_request"
//! ```
//!
//! An access key id may hold slashes: the last four parts are the scope. A URL may spell the
//! slashes `%2F`.

use std::borrow::Cow;

use super::uri_encode;
use crate::{
    error::{Escaped, Rejection, reason},
    key_id::KeyId,
    wire::{ByteSet, Sink},
};

pub(super) const TERMINATOR: &str = "aws4_request";

/// A day, a region and a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CredentialScope<'s> {
    pub(super) date: &'s str,
    pub(super) region: &'s str,
    pub(super) service: &'s str,
}

impl<'s> CredentialScope<'s> {
    /// Parses the text after the access key id.
    pub(super) fn parse(text: &'s str) -> Option<Self> {
        let mut parts = text.split('/');
        let [date, region, service, terminator] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let whole = parts.next().is_none() && terminator == TERMINATOR;
        (whole && is_date(date) && is_name(region) && is_name(service)).then_some(Self {
            date,
            region,
            service,
        })
    }

    /// Makes a scope of its parts. `None` if a part is not valid.
    #[cfg(feature = "sigv4-chunked")]
    pub(super) fn of(date: &'s str, region: &'s str, service: &'s str) -> Option<Self> {
        (is_date(date) && is_name(region) && is_name(service)).then_some(Self {
            date,
            region,
            service,
        })
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        for part in [
            self.date,
            "/",
            self.region,
            "/",
            self.service,
            "/",
            TERMINATOR,
        ] {
            sink.write(part);
        }
    }

    pub(super) fn len(&self) -> usize {
        [self.date, self.region, self.service, TERMINATOR]
            .iter()
            .fold(3, |length: usize, part| length.saturating_add(part.len()))
    }
}

/// Returns whether a region or service name is valid: 1 to 64 letters, digits, `-`, `_` and `.`.
pub(super) fn is_name(name: &str) -> bool {
    has_name_length(name) && name.bytes().all(|byte| NAME_BYTES.has(byte))
}

fn has_name_length(name: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&name.len())
}

const MAX_NAME_LEN: usize = 64;

static NAME_BYTES: ByteSet =
    ByteSet::of(b"-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

fn is_date(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An access key id and a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential<'r> {
    pub(super) access_key_id: Cow<'r, str>,
    pub(super) scope: CredentialScope<'r>,
}

impl<'r> Credential<'r> {
    /// Parses the value of `Credential` in a header.
    pub(super) fn parse(text: &'r str) -> Result<Self, Rejection> {
        let part = |text: &'r str| {
            let (rest, part) = NAME_BYTES.split_end(text);
            Some((rest.strip_suffix('/')?, part))
        };
        let (access_key_id, scope) = split(text, part).ok_or_else(|| malformed(text))?;
        Self::new(Cow::Borrowed(access_key_id), scope)
    }

    /// Parses the value of `X-Amz-Credential` in a URL. Only the access key id may hold escapes
    /// other than those of slashes.
    pub(super) fn parse_encoded(text: &'r str) -> Result<Self, Rejection> {
        let part = |text: &'r str| {
            let (rest, part) = NAME_BYTES.split_end(text);
            match rest.strip_suffix('%') {
                // The digits of an escape count as bytes of a name.
                Some(rest) => Some((rest, part.strip_prefix("2F").or(part.strip_prefix("2f"))?)),
                None => Some((rest.strip_suffix('/')?, part)),
            }
        };
        let (access_key_id, scope) = split(text, part).ok_or_else(|| malformed(text))?;
        let access_key_id = if access_key_id.contains('%') {
            let bytes = uri_encode::decoded(access_key_id).collect();
            String::from_utf8(bytes)
                .map_err(|_| no_key_id(access_key_id))?
                .into()
        } else {
            Cow::Borrowed(access_key_id)
        };
        Self::new(access_key_id, scope)
    }

    fn new(access_key_id: Cow<'r, str>, scope: CredentialScope<'r>) -> Result<Self, Rejection> {
        if !KeyId::is_valid(&access_key_id) {
            return Err(no_key_id(&access_key_id));
        }
        Ok(Self {
            access_key_id,
            scope,
        })
    }
}

/// Splits the text into the part before the scope and the scope. `part` removes the last part: the
/// trailing name bytes and the slash before them.
fn split<'t>(
    text: &'t str,
    part: impl Fn(&'t str) -> Option<(&'t str, &'t str)>,
) -> Option<(&'t str, CredentialScope<'t>)> {
    let (rest, terminator) = part(text)?;
    let (rest, service) = part(rest)?;
    let (rest, region) = part(rest)?;
    let (rest, date) = part(rest)?;
    let whole = terminator == TERMINATOR
        && has_name_length(service)
        && has_name_length(region)
        && is_date(date);
    whole.then_some((
        rest,
        CredentialScope {
            date,
            region,
            service,
        },
    ))
}

/// Returns the reason for a credential with an unreadable scope. Never shows the access key id.
#[cold]
fn malformed(text: &str) -> Rejection {
    let decoded = text.replace("%2F", "/").replace("%2f", "/");
    let mut parts = decoded.rsplitn(5, '/');
    let scope = [parts.next(), parts.next(), parts.next(), parts.next()];
    let ([Some(terminator), Some(service), Some(region), Some(date)], Some(_access_key_id)) =
        (scope, parts.next())
    else {
        return Rejection::malformed(reason!(
            "credential: expected an access key id, a date, a region, a service and aws4_request \
             between slashes, found {} parts",
            decoded.split('/').count()
        ));
    };
    let part = |name, expected, found| {
        Rejection::malformed(reason!(
            "credential: expected {} to be {}, found \"{}\"",
            name,
            expected,
            Escaped::text(found)
        ))
    };
    if terminator != TERMINATOR {
        part("the last part", TERMINATOR, terminator)
    } else if !is_date(date) {
        part("the date", "8 digits", date)
    } else {
        Rejection::malformed(reason!(
            "credential: expected a region and a service of 1 to {} letters, digits, dots, dashes \
             and underscores, found \"{}\" and \"{}\"",
            MAX_NAME_LEN,
            Escaped::text(region),
            Escaped::text(service)
        ))
    }
}

/// Returns the reason for a credential with a malformed access key id. Shows only its length.
#[cold]
fn no_key_id(found: &str) -> Rejection {
    Rejection::malformed(reason!(
        "credential: expected an access key id of 1 to 128 visible ASCII characters without = , \
         and ;, found {} characters",
        found.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: CredentialScope<'static> = CredentialScope {
        date: "20150830",
        region: "us-east-1",
        service: "service",
    };

    #[test]
    fn is_split_from_the_right() {
        for (text, access_key_id) in [
            ("AKID/20150830/us-east-1/service/aws4_request", "AKID"),
            ("a/b/20150830/us-east-1/service/aws4_request", "a/b"),
            (
                "AKID/20150830/us-east-1/service/aws4_request/\
                 20150830/us-east-1/service/aws4_request",
                "AKID/20150830/us-east-1/service/aws4_request",
            ),
        ] {
            let expected = Credential {
                access_key_id: access_key_id.into(),
                scope: SCOPE,
            };
            assert_eq!(Credential::parse(text).unwrap(), expected, "{text}");
            for escape in ["%2F", "%2f"] {
                let text = text.replace('/', escape);
                let found = Credential::parse_encoded(&text).unwrap();
                assert_eq!(found, expected, "{text}");
            }
            assert_eq!(Credential::parse_encoded(text).unwrap(), expected, "{text}");
        }
        let escaped = "AK%49D%2F20150830%2Fus-east-1/service%2Faws4_request";
        let found = Credential::parse_encoded(escaped).unwrap();
        assert_eq!(found.access_key_id, "AKID");
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "AKID",
            "20150830/us-east-1/service/aws4_request",
            "/20150830/us-east-1/service/aws4_request",
            "AKID/2015/us-east-1/service/aws4_request",
            "AKID/2015083a/us-east-1/service/aws4_request",
            "AKID/20150830//service/aws4_request",
            "AKID/20150830/us-east-1//aws4_request",
            "AKID/20150830/us-east-1/service/aws4_requests",
            "AKID/20150830/us-east-1/service/aws4_request/",
            "AKID/20150830/us-east-1/service%2G/aws4_request",
            "AKID/20150830/us-east-1/service%2Gaws4_request",
            "AKID/20150830/us-east-1/service%3Baws4_request",
            "AKID/20150830/us-east-1/service%aws4_request",
            "AKID/20150830/us-east-1/2Fservice%/aws4_request",
            "AKID/20150830/us-east-1/service/AWS4_REQUEST",
            "AKID/20150830/us-east-1/service/",
            "AKID/20150830/us-east-1/service",
            "AKID/20150830/us east/service/aws4_request",
            "AKID/20150830/us%2Deast/service/aws4_request",
            "A KID/20150830/us-east-1/service/aws4_request",
            "A=KID/20150830/us-east-1/service/aws4_request",
        ] {
            assert!(Credential::parse(text).is_err(), "{text}");
            assert!(Credential::parse_encoded(text).is_err(), "{text}");
        }
        for (length, is_name) in [(0, false), (1, true), (64, true), (65, false)] {
            let name = "n".repeat(length);
            for scope in [format!("{name}/service"), format!("region/{name}")] {
                let text = format!("AKID/20150830/{scope}/aws4_request");
                assert_eq!(Credential::parse(&text).is_ok(), is_name, "{text}");
                assert_eq!(Credential::parse_encoded(&text).is_ok(), is_name, "{text}");
            }
        }
        let text = "AKID%2F20150830%2Fus-east-1%2Fservice%2Faws4_request";
        assert!(Credential::parse(text).is_err());
        for text in [
            "%FF/20150830/us-east-1/service/aws4_request",
            "%0A/20150830/us-east-1/service/aws4_request",
        ] {
            assert!(Credential::parse_encoded(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_is_read_back_as_it_is_written() {
        let mut text = String::new();
        SCOPE.write_to(&mut text);
        assert_eq!(text, "20150830/us-east-1/service/aws4_request");
        assert_eq!(SCOPE.len(), text.len());
        assert_eq!(CredentialScope::parse(&text), Some(SCOPE));
        for other in [
            "",
            "20150830/us-east-1/service",
            &format!("{text}/"),
            &format!("a/{text}"),
            &text.replace("aws4_request", "aws4_requests"),
            &text.replace("20150830", "2015083a"),
            &text.replace("20150830", "2015083"),
            &text.replace("us-east-1", "us east 1"),
            &text.replace("service", ""),
        ] {
            assert_eq!(CredentialScope::parse(other), None, "{other}");
        }
    }
}
