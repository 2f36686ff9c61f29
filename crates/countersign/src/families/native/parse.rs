use std::{borrow::Cow, collections::HashSet, mem};

use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, COOKIE, HOST},
};
use smallvec::SmallVec;

use super::{
    ALWAYS_COVERED, X_CONTENT_SHA256, X_DATE,
    authorization::Authorization,
    canonical_request::{CanonicalRequest, CoveredHeader, FurtherHeaders},
    content_sha256,
    credentials::Credentials,
    fields::Fields,
    signed_headers,
};
use crate::{
    error::{Escaped, Rejection, reason},
    families::{
        Carrier, Coverage, Decides, Nonce, ParsedHead, ReplayIdentity, Requirements, SignedOver,
        X_NONCE,
    },
    head::{
        Authority, Field, HeadLimits, RequestHead, Target, cookie, not_ascii, not_once,
        parse_method,
    },
    payload::DeclaredPayload,
    timestamp::Timestamp,
    wire::hex,
};

/// Parses a head with `authorization: <scheme> <parameters>`: grammar and limits of step 2,
/// authority of step 3, coverage of step 4, date of step 5. The covered values are read later.
#[inline]
pub(super) fn parse<'r>(
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let Carrier { scheme, parameters } = carrier;
    let authorization = Authorization::parse(scheme, parameters)?;
    let method = parse_method(head.method()).map_err(Rejection::malformed)?;
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    requirements.limits.ensure_target(target.len())?;
    let mut fields = Fields::of(head.headers());
    let authority = Authority::agreed(head.uri(), fields.host.text(&HOST)?)?;
    let host = authority.in_form(requirements.host_form);
    let x_date = fields.x_date.required_text(&X_DATE)?;
    let signed_at = requirements.date_form.parse(x_date).ok_or_else(|| {
        Rejection::malformed(reason!(
            "header x-date: expected {}, found \"{}\"",
            requirements.date_form.name(),
            Escaped::text(x_date)
        ))
    })?;
    let content_sha256 = fields.x_content_sha256.required_text(&X_CONTENT_SHA256)?;
    let payload = content_sha256::parse(content_sha256)
        .ok_or_else(|| Rejection::malformed(hex::no_digest(&X_CONTENT_SHA256, content_sha256)))?;

    let limits = &requirements.limits;
    for (name, text) in ALWAYS_COVERED.iter().zip([host, x_date, content_sha256]) {
        ensure_length(limits, name, text.len())?;
    }
    let mut lines: FurtherLines<'r> = SmallVec::new();
    let mut many = None;
    for name in signed_headers::further_names(authorization.signed_headers)? {
        let name = name?;
        if lines.len().saturating_add(ALWAYS_COVERED.len()) >= limits.covered_headers {
            let found = authorization.signed_headers.split(';').count();
            let reason = limits.too_many_covered("signed-headers", found);
            return Err(Rejection::malformed(reason));
        }
        if ALWAYS_COVERED.contains(&name) || is_listed(name, &lines, &mut many) {
            return Err(Rejection::malformed(reason!(
                "signed-headers: expected each name once, found {} twice",
                Escaped::text(name)
            )));
        }
        let line = covered_line(&mut fields, &head, name)?;
        ensure_length(limits, name, line.len(&head))?;
        lines.push((name, line));
    }
    let nonce = covered_nonce(&lines)?;

    let audience_checked = requirements.check_audience(authority)?;

    for required in &requirements.required_headers {
        let further = lines.iter().map(|(name, _)| *name);
        let mut covered = ALWAYS_COVERED.into_iter().chain(further);
        if covered.all(|name| name != required.as_str()) {
            return Err(uncovered(required, &lines));
        }
    }
    // Covered fields were already removed from `fields`.
    if !fields.x_nonce.is_absent() {
        return Err(uncovered(&X_NONCE, &lines));
    }
    if !fields.content_encoding.is_absent() {
        return Err(uncovered(&CONTENT_ENCODING, &lines));
    }
    let content_type_uncovered = !fields.content_type.is_absent();
    let date = requirements.freshness("x-date", signed_at).judge(now)?;

    let mut further = FurtherHeaders::new();
    for &(name, line) in &lines {
        let value = line.value(&head, name)?;
        further.push(CoveredHeader { name, value });
    }
    Ok(ParsedHead {
        scheme,
        key_id: authorization.credential.into(),
        date,
        replay: nonce.map(ReplayIdentity::Nonce),
        nonce: Decides::Key,
        content_type_uncovered,
        audience_checked,
        coverage: Coverage::Request,
        presigned: false,
        signed_over: SignedOver::Head {
            credentials: Credentials {
                request: CanonicalRequest {
                    method,
                    target,
                    host,
                    x_date,
                    content_sha256,
                    further,
                    signed_headers: authorization.signed_headers,
                },
                signature: authorization.signature,
            }
            .into(),
            payload: DeclaredPayload::Sha256(payload),
        },
    })
}

/// Further covered headers whose values are not read yet.
type FurtherLines<'r> = SmallVec<[(&'r str, FurtherLine<'r>); FEW]>;

/// Up to this number, names are compared one by one.
const FEW: usize = 4;

/// Returns whether a name was listed before. Looks many names up by hash, with a key that no sender
/// knows.
#[inline]
fn is_listed<'r>(
    name: &'r str,
    before: &[(&'r str, FurtherLine<'r>)],
    many: &mut Option<HashSet<&'r str>>,
) -> bool {
    if before.len() < FEW {
        return before.iter().any(|(known, _)| *known == name);
    }
    let many = many.get_or_insert_with(|| before.iter().map(|(known, _)| *known).collect());
    !many.insert(name)
}

#[derive(Clone, Copy)]
enum FurtherLine<'r> {
    One(&'r HeaderValue),
    /// The pieces of a cookie, which form one value.
    Cookie,
}

impl<'r> FurtherLine<'r> {
    #[inline]
    fn len(self, head: &RequestHead<'r>) -> usize {
        match self {
            Self::One(line) => line.len(),
            Self::Cookie => cookie::len(head.headers()).unwrap_or_default(),
        }
    }

    /// Returns the value. Refuses a value that is not ASCII.
    #[inline]
    fn value(self, head: &RequestHead<'r>, name: &str) -> Result<Cow<'r, str>, Rejection> {
        let refused = |line| Rejection::malformed(not_ascii(Escaped::text(name).into(), line));
        match self {
            Self::One(line) => line.to_str().map(Cow::Borrowed).map_err(|_| refused(line)),
            Self::Cookie => cookie::value(head.headers()).ok_or_else(|| {
                let mut lines = head.headers().get_all(COOKIE).iter();
                lines.find(|line| line.to_str().is_err()).map_or_else(
                    // Invariant: the caller has found the header.
                    || Rejection::malformed(not_once(name, Field::Absent)),
                    refused,
                )
            }),
        }
    }
}

/// Removes the line of a further covered header from `fields` and returns it. Refuses an absent
/// header: no value may represent absence.
#[inline]
fn covered_line<'r>(
    fields: &mut Fields<'r>,
    head: &RequestHead<'r>,
    name: &str,
) -> Result<FurtherLine<'r>, Rejection> {
    let field = match name {
        "cookie" if head.headers().contains_key(COOKIE) => return Ok(FurtherLine::Cookie),
        "x-nonce" => mem::take(&mut fields.x_nonce),
        "content-type" => mem::take(&mut fields.content_type),
        "content-encoding" => mem::take(&mut fields.content_encoding),
        _ => head.headers().get_all(name).iter().collect(),
    };
    match field {
        Field::Once(line) => Ok(FurtherLine::One(line)),
        field @ (Field::Absent | Field::Repeated(_)) => {
            Err(Rejection::malformed(not_once(name, field)))
        }
    }
}

/// Returns the nonce, if it is covered.
#[inline]
fn covered_nonce<'r>(lines: &FurtherLines<'r>) -> Result<Option<&'r str>, Rejection> {
    let nonce = lines.iter().find_map(|line| match line {
        ("x-nonce", FurtherLine::One(line)) => Some(*line),
        _ => None,
    });
    let Some(line) = nonce else {
        return Ok(None);
    };
    let text = line.to_str();
    let text = text.map_err(|_| Rejection::malformed(not_ascii((&X_NONCE).into(), line)))?;
    if Nonce::is_valid(text) {
        Ok(Some(text))
    } else {
        Err(Rejection::malformed(Nonce::refusal(text)))
    }
}

/// Refuses a covered header that is too long.
#[inline]
fn ensure_length(limits: &HeadLimits, name: &str, bytes: usize) -> Result<(), Rejection> {
    if bytes <= limits.covered_value_bytes {
        return Ok(());
    }
    Err(Rejection::malformed(limits.too_long_value(name, bytes)))
}

#[cold]
fn uncovered(name: &HeaderName, further: &[(&str, FurtherLine<'_>)]) -> Rejection {
    let further = further.iter().map(|(name, _)| *name);
    let covered: Vec<&str> = ALWAYS_COVERED.into_iter().chain(further).collect();
    Rejection::insufficient_coverage(reason!(
        "header {}: expected to be covered, found covered {}",
        name,
        &covered
    ))
}
