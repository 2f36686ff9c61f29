//! The parameters of a signature in the URL.
//!
//! ```text
//! X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=1..604800
//!     &X-Amz-SignedHeaders=…[&X-Amz-Security-Token=…][&X-Amz-Content-Sha256=…]
//!     &X-Amz-Signature=…
//! ```
//!
//! Names must be spelled exactly so. Refuses any other spelling, and two names that differ only in
//! case: readers may disagree about them (CVE-2022-2385).

use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    time::Duration,
};

use super::{
    canonical_query::{self, CanonicalParameter, CanonicalQuery},
    uri_encode,
};
use crate::{
    error::{Escaped, Rejection, Set, reason},
    scheme::Scheme,
    wire::DistinctList,
};

pub(super) const ALGORITHM: &str = "X-Amz-Algorithm";
pub(super) const CREDENTIAL: &str = "X-Amz-Credential";
pub(super) const DATE: &str = "X-Amz-Date";
pub(super) const EXPIRES: &str = "X-Amz-Expires";
pub(super) const SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(super) const SECURITY_TOKEN: &str = "X-Amz-Security-Token";
pub(super) const SIGNATURE: &str = "X-Amz-Signature";
const CONTENT_SHA256: &str = "X-Amz-Content-Sha256";

/// Every parameter of a signature in the URL.
pub(super) const NAMES: [&str; 8] = [
    ALGORITHM,
    CREDENTIAL,
    DATE,
    EXPIRES,
    SIGNED_HEADERS,
    SIGNATURE,
    SECURITY_TOKEN,
    CONTENT_SHA256,
];

/// Number of parameters that every signature has.
const REQUIRED: usize = 6;

/// Maximum lifetime of a signed URL: 7 days, in seconds.
pub(crate) const MAX_EXPIRES: Duration = Duration::from_secs(604_800);

/// The parameters as sent.
#[derive(Clone, Debug)]
pub(super) struct QueryParameters<'r> {
    pub(super) credential: &'r str,
    pub(super) date: &'r str,
    pub(super) expires: Duration,
    pub(super) signed_headers: &'r str,
    pub(super) signature: &'r str,
    pub(super) content_sha256: Option<&'r str>,
    security_token: Option<&'r str>,
}

/// Returns whether a query carries a signature, or a parameter that a reader may mistake for one.
pub(super) fn carry_signature(query: &str) -> bool {
    // Most queries have no name that starts like these.
    canonical_query::may_have_name_from(query, b'x')
        && canonical_query::parameters(query)
            .any(|parameter| TELLING.iter().any(|name| parameter.is_like(name)))
}

/// Does the same for a parsed query.
pub(super) fn carries_signature(query: &CanonicalQuery<'_>) -> bool {
    let mut parameters = query.iter();
    parameters.any(|parameter| TELLING.iter().any(|name| parameter.is_like(name)))
}

/// Any of these names marks a signature, or a parameter that a reader may mistake for one.
const TELLING: [&str; 3] = [ALGORITHM, CREDENTIAL, SIGNATURE];

/// Returns the value of `X-Amz-Credential`, at any position.
pub(super) fn asserted_credential(query: &str) -> Option<&str> {
    canonical_query::parameters(query)
        .find(|parameter| parameter.is_like(CREDENTIAL))
        .map(|parameter| parameter.value)
}

/// Returns whether there is a token, in any spelling of its name.
pub(super) fn carries_token(query: &CanonicalQuery<'_>) -> bool {
    let mut parameters = query.iter();
    parameters.any(|parameter| parameter.is_like(SECURITY_TOKEN))
}

impl<'r> QueryParameters<'r> {
    /// Returns the decoded token.
    pub(super) fn token(&self) -> Result<Option<Cow<'r, str>>, Rejection> {
        let Some(token) = self.security_token else {
            return Ok(None);
        };
        if !token.contains('%') {
            return Ok(Some(token.into()));
        }
        String::from_utf8(uri_encode::decoded(token).collect())
            .map(|token| Some(token.into()))
            .map_err(|_| Rejection::malformed(reason!("X-Amz-Security-Token: expected UTF-8")))
    }

    pub(super) fn parse(query: &CanonicalQuery<'r>) -> Result<Self, Rejection> {
        let mut found = [None; NAMES.len()];
        for parameter in query.iter() {
            let mut known = NAMES.iter().zip(&mut found);
            if let Some((name, slot)) = known.find(|(name, _)| parameter.is_like(name)) {
                take(parameter, name, slot)?;
            }
        }
        let [
            Some(algorithm),
            Some(credential),
            Some(date),
            Some(expires),
            Some(signed_headers),
            Some(signature),
            security_token,
            content_sha256,
        ] = found
        else {
            let required = NAMES.iter().zip(found).take(REQUIRED);
            let missing = required.filter(|(_, value)| value.is_none());
            let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
            return Err(Rejection::malformed(reason!(
                "query: expected all parameters of a signature, found no {}",
                &missing
            )));
        };
        if algorithm != Scheme::SigV4.name() {
            return Err(Rejection::malformed(reason!(
                "X-Amz-Algorithm: expected AWS4-HMAC-SHA256, found another of {} characters",
                algorithm.len()
            )));
        }
        let expires = parse_expires(expires).ok_or_else(|| {
            Rejection::malformed(reason!(
                "X-Amz-Expires: expected 1 to 604800 seconds, \
                 found {} characters that are no such number",
                expires.len()
            ))
        })?;
        Ok(Self {
            credential,
            date,
            expires,
            signed_headers,
            signature,
            content_sha256,
            security_token,
        })
    }
}

fn take<'r>(
    parameter: &CanonicalParameter<'r>,
    name: &str,
    slot: &mut Option<&'r str>,
) -> Result<(), Rejection> {
    if parameter.name != name {
        return Err(Rejection::malformed(reason!(
            "query: expected {}, found {}",
            Set(&name),
            Escaped::text(parameter.name)
        )));
    }
    if slot.replace(parameter.value).is_some() {
        return Err(Rejection::malformed(reason!(
            "query: expected {} once, found it twice",
            Set(&name)
        )));
    }
    Ok(())
}

/// Refuses two `X-Amz-…` parameters that differ only in the case of letters or the spelling of
/// escapes.
pub(super) fn ensure_distinct(query: &CanonicalQuery<'_>) -> Result<(), Rejection> {
    let mut names = DistinctList::default();
    for parameter in query.iter() {
        let name = parameter.signed_name();
        let prefix = name.get(..PREFIX.len()).unwrap_or_default();
        if prefix.eq_ignore_ascii_case(PREFIX) && names.push(AnyCase(name)).is_err() {
            return Err(Rejection::malformed(reason!(
                "query: expected each X-Amz parameter once in whatever case, found {} again",
                Escaped::text(parameter.name)
            )));
        }
    }
    Ok(())
}

const PREFIX: &str = "x-amz-";

/// A name that compares equal in any case of its letters.
#[derive(Clone, Copy, Debug)]
struct AnyCase<'n>(&'n str);

impl PartialEq for AnyCase<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for AnyCase<'_> {}

impl Hash for AnyCase<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        // No name holds this byte, so the name ends here.
        state.write_u8(0xff);
    }
}

/// Parses 1 to 604800 in digits, without a leading zero.
fn parse_expires(text: &str) -> Option<Duration> {
    let plain = (1..=6).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0');
    if !plain {
        return None;
    }
    let expires = Duration::from_secs(text.parse().ok()?);
    (expires <= MAX_EXPIRES).then_some(expires)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RejectionKind;

    const WHOLE: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=d&\
         X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=s";

    fn parse(query: &str) -> Result<QueryParameters<'_>, RejectionKind> {
        let query = CanonicalQuery::parse(Some(query), 100).unwrap();
        ensure_distinct(&query)
            .and_then(|()| QueryParameters::parse(&query))
            .map_err(|rejection| rejection.kind())
    }

    #[test]
    fn reads_the_parameters_in_any_order() {
        let mut parts: Vec<_> = WHOLE.split('&').chain(["a=1", "X-Amz-Meta=2"]).collect();
        parts.reverse();
        let query = parts.join("&");
        let found = parse(&query).unwrap();
        assert_eq!((found.credential, found.date), ("c", "d"));
        assert_eq!((found.signed_headers, found.signature), ("host", "s"));
        assert_eq!(found.expires, Duration::from_secs(60));
        assert_eq!(found.content_sha256, None);
    }

    #[test]
    fn each_parameter_stands_there_once_and_is_spelled_exactly() {
        for part in WHOLE.split('&') {
            let (name, value) = part.split_once('=').unwrap();
            for (what, other) in [
                ("missing", String::new()),
                ("lower case", format!("{}={value}", name.to_lowercase())),
                ("escaped", format!("%58{}={value}", &name[1..])),
                ("twice", format!("{part}&{part}")),
                ("twice, another value", format!("{part}&{name}=other")),
                (
                    "and in lower case",
                    format!("{part}&{}={value}", name.to_lowercase()),
                ),
                ("and escaped", format!("{part}&%78{}={value}", &name[1..])),
            ] {
                let query = WHOLE.replace(part, &other);
                assert_eq!(
                    parse(&query).unwrap_err(),
                    RejectionKind::Malformed,
                    "{name} {what}"
                );
            }
        }
        // Either of the two checks finds a repeated parameter.
        let twice = format!("{WHOLE}&X-Amz-Date=d");
        let twice = CanonicalQuery::parse(Some(&twice), 100).unwrap();
        assert!(QueryParameters::parse(&twice).is_err());
        assert!(ensure_distinct(&twice).is_err());
        for query in [
            WHOLE.replace("HMAC", "hmac"),
            format!("{WHOLE}&X-Amz-Meta=1&x-amz-meta=2"),
            format!("{WHOLE}&X-Amz-Meta=1&X-Amz-M%65ta=1"),
        ] {
            assert_eq!(
                parse(&query).unwrap_err(),
                RejectionKind::Malformed,
                "{query}"
            );
        }
    }

    #[test]
    fn expires_within_a_week() {
        for (text, seconds) in [
            ("1", Some(1)),
            ("60", Some(60)),
            ("604800", Some(604_800)),
            ("604801", None),
            ("0", None),
            ("00", None),
            ("060", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e3", None),
            ("", None),
            ("4294967296", None),
            ("99999999999999999999", None),
            ("٦٠", None),
            ("%36", None),
        ] {
            assert_eq!(
                parse_expires(text),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn whatever_may_be_taken_for_a_signature_is_found() {
        for (query, expected) in [
            ("", false),
            ("a=1&X-Amz-Date=d", false),
            ("X-Amz-Signature=s", true),
            ("a=1&x-amz-signature", true),
            ("%58-amz-%43redential=c", true),
            ("X-AMZ-ALGORITHM=", true),
            ("X-Amz-SignatureX=", false),
        ] {
            assert_eq!(carry_signature(query), expected, "{query}");
            let parsed = CanonicalQuery::parse(Some(query), 100).unwrap();
            assert_eq!(carries_signature(&parsed), expected, "{query}");
        }
    }
}
