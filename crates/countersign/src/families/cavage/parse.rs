use std::borrow::Cow;

use http::{
    HeaderName,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING},
};

use super::{
    DIGEST, SIGNATURE,
    algorithm::forbids_times,
    covered_names::{Covered, CoveredNames},
    credentials::Credentials,
    digest,
    parameters::{Parameters, Time},
    signing_string::SigningString,
    verify_settings::{CavageVerifySettings, Content, HostRule, Repeats},
};
use crate::{
    error::{Escaped, Reason, Rejection, reason},
    families::{
        Carrier, Coverage, Decides, FreshDate, Freshness, Nonce, ParsedHead, ReplayIdentity,
        Requirements, SignedOver, X_NONCE,
    },
    head::{
        Authority, Field, HeadLimits, RequestHead, Target, cookie, not_ascii, not_once,
        parse_method,
    },
    payload::{DeclaredPayload, PayloadDigest},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Parses a head with the parameters in `Authorization` or `Signature`: grammar and limits of step
/// 2, authority of step 3, coverage of step 4, date of step 5. The covered values are read later.
pub(super) fn parse<'r>(
    settings: &CavageVerifySettings,
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let dialect = settings.dialect;
    let limits = &requirements.limits;
    let text = text_of(carrier, head, limits)?;
    let parameters = Parameters::parse(text, dialect)?;
    let method = parse_method(head.method()).map_err(Rejection::malformed)?;
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    limits.ensure_target(target.len())?;
    let authority = Authority::of(&head)?;
    let host = authority.in_form(requirements.host_form);
    let Some(list) = parameters.headers else {
        return Err(Rejection::insufficient_coverage(
            "parameter headers: expected the covered names, found none, which means (created) alone",
        ));
    };
    let covered = CoveredNames::parse(list, dialect, limits)?;
    ensure_times(&parameters, &covered)?;
    for name in covered.iter() {
        if let Covered::Field(name) = name {
            let len = field_len(&head, name, host)?;
            if len > limits.covered_value_bytes {
                return Err(Rejection::malformed(limits.too_long_value(name, len)));
            }
        }
    }
    let nonce = covered_nonce(&head, &covered)?;

    let audience_checked = requirements.check_audience(authority)?;
    ensure_coverage(settings, &head, &covered, requirements)?;
    let date = judge_dates(settings, &parameters, &head, &covered, requirements, now)?;

    let mut signing_string = SigningString::new(dialect.frame, parameters.key_id);
    let mut payload = match settings.content {
        Content::Signed => DeclaredPayload::Sha256(PayloadDigest::OF_NOTHING),
        Content::SignedIfCovered => DeclaredPayload::Unsigned,
    };
    for name in covered.iter() {
        match name {
            Covered::Target(name, line) => signing_string.push_target(name, line, method, target),
            Covered::Created => push_time(&mut signing_string, name, parameters.created),
            Covered::Expires => push_time(&mut signing_string, name, parameters.expires),
            Covered::Field(name) => {
                let value = field_value(&head, name, host)?;
                if name == DIGEST.as_str() {
                    payload = digest::parse(&value)?;
                }
                signing_string.push_field(name, &value);
            }
        }
    }
    let covers_host = covered.covers(Covered::Field(HOST.as_str()));
    let replay = match (nonce, settings.repeats) {
        (Some(nonce), _) => Some(ReplayIdentity::Nonce(nonce)),
        // The text has one spelling.
        (None, Repeats::Refused) => Some(ReplayIdentity::Signature(
            parameters.signature_text.as_bytes(),
        )),
        (None, Repeats::Accepted) => None,
    };
    Ok(ParsedHead {
        scheme: Scheme::Cavage,
        key_id: Cow::Borrowed(parameters.key_id),
        date,
        replay,
        nonce: match settings.repeats {
            Repeats::Refused => Decides::Key,
            Repeats::Accepted => Decides::NotAsked,
        },
        content_type_uncovered: head.headers().contains_key(CONTENT_TYPE)
            && !covered.covers(Covered::Field(CONTENT_TYPE.as_str())),
        // The sender of the request controls everything that the signature does not cover.
        audience_checked: audience_checked && covers_host,
        coverage: if covers_host {
            Coverage::Request
        } else {
            Coverage::Partial
        },
        presigned: false,
        signed_over: SignedOver::Head {
            credentials: Credentials {
                text: signing_string.finish(),
                signature: parameters.signature,
                named: parameters.algorithm,
                algorithms: settings.algorithms,
            }
            .into(),
            payload,
        },
    })
}

/// Returns the text of the parameters.
pub(super) fn text_of<'r>(
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    limits: &HeadLimits,
) -> Result<&'r str, Rejection> {
    if !carrier.parameters.is_empty() {
        return Ok(carrier.parameters);
    }
    let text = head.required(&SIGNATURE)?;
    if text.len() > limits.authorization_bytes {
        return Err(Rejection::malformed(Reason::over(
            (&SIGNATURE).into(),
            limits.authorization_bytes,
            "bytes",
            text.len(),
            "HeadLimits::with_authorization_bytes",
        )));
    }
    Ok(text)
}

/// Refuses times that are covered without a value or under an older algorithm (section 2.3).
fn ensure_times(parameters: &Parameters<'_>, covered: &CoveredNames<'_>) -> Result<(), Rejection> {
    for (name, parameter, time) in [
        (Covered::Created, "created", parameters.created),
        (Covered::Expires, "expires", parameters.expires),
    ] {
        if !covered.covers(name) {
            continue;
        }
        if time.is_none() {
            return Err(Rejection::malformed(reason!(
                "parameter {}: expected it because {} is covered, found none",
                parameter,
                Escaped::text(name.name())
            )));
        }
        if let Some(named) = parameters.algorithm.filter(|named| forbids_times(named)) {
            return Err(Rejection::malformed(reason!(
                "parameter headers: expected no {} under this algorithm, found it under \"{}\"",
                Escaped::text(name.name()),
                Escaped::text(named)
            )));
        }
    }
    Ok(())
}

/// Refuses a signature that leaves out a part that counts.
fn ensure_coverage<'r>(
    settings: &CavageVerifySettings,
    head: &RequestHead<'r>,
    covered: &CoveredNames<'r>,
    requirements: &Requirements,
) -> Result<(), Rejection> {
    let covers = |name: &HeaderName| {
        let mut names = covered.iter();
        names.any(|covered| matches!(covered, Covered::Field(field) if field == name.as_str()))
    };
    if !covered.covers_target() {
        let names: Vec<&str> = settings
            .dialect
            .targets
            .iter()
            .map(|(name, _)| *name)
            .collect();
        return Err(Rejection::insufficient_coverage(reason!(
            "parameter headers: expected one of {} in the list, found {}",
            &names,
            &covered.names()
        )));
    }
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    if !settings.dialect.signed_target.holds(target) {
        return Err(Rejection::insufficient_coverage(
            "target: expected a path without escapes and no query, because this gateway signs no \
             more, found more",
        ));
    }
    let has_date = covered.covers(Covered::Created) || settings.dialect.dates.iter().any(covers);
    if !has_date {
        return Err(Rejection::insufficient_coverage(reason!(
            "parameter headers: expected date, or (created) in the draft itself, in the list, \
             found {}",
            &covered.names()
        )));
    }
    let headers = head.headers();
    let is_there = |name: &&HeaderName| headers.contains_key(*name);
    let has_content = headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() != b"0");
    let must_have_digest = match settings.content {
        Content::Signed => has_content || headers.contains_key(&DIGEST),
        Content::SignedIfCovered => false,
    };
    let host = match settings.host {
        HostRule::Covered => Some(&HOST),
        HostRule::Optional => None,
    };
    let mut required = host
        .into_iter()
        .chain(&requirements.required_headers)
        .chain([&X_NONCE, &CONTENT_ENCODING].into_iter().filter(is_there))
        .chain(must_have_digest.then_some(&DIGEST));
    match required.find(|name| !covers(name)) {
        None => Ok(()),
        Some(missing) => Err(Rejection::insufficient_coverage(reason!(
            "header {}: expected to be covered, found covered {}",
            missing,
            &covered.names()
        ))),
    }
}

/// Judges every date. The request is fresh until the first covered one ends.
///
/// Anyone can change a time that is not covered. It can refuse a request (section 2.1.4), but it
/// never counts as its date, nor for how long the request is remembered.
fn judge_dates(
    settings: &CavageVerifySettings,
    parameters: &Parameters<'_>,
    head: &RequestHead<'_>,
    covered: &CoveredNames<'_>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<FreshDate, Rejection> {
    let expires = parameters.expires.map(|time| time.at);
    let ends = |freshness: Freshness, until: Option<Timestamp>| match until {
        Some(until) => freshness.not_after("expires", until),
        None => freshness,
    };
    let covered_expires = expires.filter(|_| covered.covers(Covered::Expires));
    let mut judged: Option<FreshDate> = None;
    let mut judge = |carrier: &'static str, at: Timestamp, is_covered: bool| {
        let freshness = requirements.freshness(carrier, at);
        ends(freshness, expires).judge(now)?;
        if is_covered {
            let date = ends(freshness, covered_expires).judge(now)?;
            if judged.is_none_or(|other| date.until() < other.until()) {
                judged = Some(date);
            }
        }
        Ok::<(), Rejection>(())
    };
    if let Some(created) = parameters.created {
        judge("created", created.at, covered.covers(Covered::Created))?;
    }
    for name in settings.dialect.dates {
        let mut names = covered.iter();
        if names.any(|covered| matches!(covered, Covered::Field(field) if field == name.as_str())) {
            let text = head.required(name)?;
            let at = requirements.date_form.parse(text).ok_or_else(|| {
                Rejection::malformed(reason!(
                    "header {}: expected {}, found \"{}\"",
                    name,
                    requirements.date_form.name(),
                    Escaped::text(text)
                ))
            })?;
            judge(name.as_str(), at, true)?;
        }
    }
    // Invariant: the coverage was judged before, so there is a date.
    judged.ok_or_else(|| {
        Rejection::insufficient_coverage(
            "parameter headers: expected a date in the list, found none",
        )
    })
}

/// Returns the nonce, if it is covered.
fn covered_nonce<'r>(
    head: &RequestHead<'r>,
    covered: &CoveredNames<'r>,
) -> Result<Option<&'r str>, Rejection> {
    if !covered.covers(Covered::Field(X_NONCE.as_str())) {
        return Ok(None);
    }
    let nonce = head.required(&X_NONCE)?;
    if Nonce::is_valid(nonce) {
        Ok(Some(nonce))
    } else {
        Err(Rejection::malformed(Nonce::refusal(nonce)))
    }
}

fn push_time(text: &mut SigningString<'_>, name: Covered<'_>, time: Option<Time<'_>>) {
    // Invariant: `ensure_times` has refused a covered time without a value.
    let value = time.map_or("", |time| time.text);
    text.push_parameter(name.name(), value);
}

/// Returns the length of a covered header without reading it. Refuses an absent header: no value
/// may represent absence.
pub(super) fn field_len(
    head: &RequestHead<'_>,
    name: &str,
    host: &str,
) -> Result<usize, Rejection> {
    let absent = || Rejection::malformed(not_once(name, Field::Absent));
    if name == HOST.as_str() {
        return Ok(host.len());
    }
    if name == COOKIE.as_str() {
        return cookie::len(head.headers()).ok_or_else(absent);
    }
    let lines = head.headers().get_all(name).iter();
    let lengths = lines.map(|line| line.len().saturating_add(SEPARATOR.len()));
    let sum = lengths.reduce(usize::saturating_add).ok_or_else(absent)?;
    Ok(sum.saturating_sub(SEPARATOR.len()))
}

/// Between the values of several lines (section 2.3).
const SEPARATOR: &str = ", ";

/// Returns the signed value of a covered header: its lines, joined. Refuses a value that is not
/// ASCII, and a second line of a header that has one value.
pub(super) fn field_value<'r>(
    head: &RequestHead<'r>,
    name: &str,
    host: &'r str,
) -> Result<Cow<'r, str>, Rejection> {
    if name == HOST.as_str() {
        return Ok(Cow::Borrowed(host));
    }
    let lines = || head.headers().get_all(name).iter();
    let refused = |line| Rejection::malformed(not_ascii(Escaped::text(name).into(), line));
    if name == COOKIE.as_str()
        && let Some(value) = cookie::value(head.headers())
    {
        return Ok(value);
    }
    if SINGLETONS.contains(&name) && lines().nth(1).is_some() {
        return Err(Rejection::malformed(not_once(name, lines().collect())));
    }
    let mut value: Option<Cow<'r, str>> = None;
    for line in lines() {
        let text = line.to_str().map_err(|_| refused(line))?;
        let text = text.trim_matches([' ', '\t']);
        match &mut value {
            None => value = Some(Cow::Borrowed(text)),
            Some(value) => value.to_mut().extend([SEPARATOR, text]),
        }
    }
    value.ok_or_else(|| Rejection::malformed(not_once(name, Field::Absent)))
}

/// Headers of one value, which other readers could take from either line.
const SINGLETONS: [&str; 6] = [
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "x-date",
    "x-nonce",
];
