use std::{borrow::Cow, time::Duration};

use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HOST},
};
use smallvec::SmallVec;

#[cfg(feature = "sigv4-chunked")]
use super::chunked::ChunkedHead;
use super::{
    FamilyVerifier, X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN,
    authorization::{Authorization, Signature},
    canonical_headers::{
        CoveredHeader, CoveredHeaders, canonical_value, is_single, joined, separator,
    },
    canonical_query::CanonicalQuery,
    canonical_request::CanonicalRequest,
    canonical_uri::CanonicalUri,
    content_coding,
    credential_scope::Credential,
    credentials::Credentials,
    date::AmzDate,
    header_lines::HeaderLines,
    payload_hash::PayloadHash,
    query_parameters::{self, QueryParameters},
    signed_headers::{self, ListForm},
    target_form,
    verify_settings::{
        self, PayloadHashRule, SigV4Presigned, SigV4PresignedPayload, SigV4VerifySettings,
        is_without_body,
    },
};
use crate::{
    error::{Escaped, Rejection, reason},
    families::{
        Carrier, Coverage, Decides, Nonce, ParsedHead, ReplayIdentity, Requirements, SignedOver,
        X_NONCE,
    },
    head::{Authority, Field, RequestHead, Target, not_ascii, not_once, parse_method},
    payload::{DeclaredPayload, PayloadDigest},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Parses a head with a signature in the header or URL. Checks grammar and limits of step 2,
/// authority of step 3, coverage of step 4, date of step 5. The covered values are read later.
pub(super) fn parse<'r>(
    family: &FamilyVerifier,
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let method = parse_method(head.method()).map_err(Rejection::malformed)?;
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    requirements.limits.ensure_target(target.len())?;
    let mut query = CanonicalQuery::parse(target.query, requirements.limits.query_parameters)
        .map_err(Rejection::malformed)?;
    query_parameters::ensure_distinct(&query)?;
    let mut lines = HeaderLines::of(head.headers());
    let is_presigned = query_parameters::carries_signature(&query);
    let asserted = if is_presigned {
        AssertedCredentials::in_query(&query, &lines)?
    } else {
        AssertedCredentials::in_header(carrier, &query, &lines)?
    };

    let scope = asserted.credential.scope;
    let settings = family
        .settings_for(scope.region, scope.service)
        .ok_or_else(|| family.foreign(scope.region, scope.service))?;
    if !asserted.date.is_of_day(scope.date) {
        return Err(Rejection::malformed(reason!(
            "credential: expected {}, the day of the signed date, found {}",
            Escaped::text(asserted.date.day()),
            Escaped::text(scope.date)
        )));
    }
    let presigned = asserted.ensure_accepted(&head, settings)?;
    target_form::ensure_unambiguous(settings, target, &query)?;
    let uri = CanonicalUri::new(target.path, settings.scope.path).map_err(Rejection::malformed)?;

    let authority = Authority::agreed(head.uri(), lines.host.text(&HOST)?)?;
    let host = authority.in_form(requirements.host_form);
    let mut covered = SmallVec::new();
    find_covered(&asserted, host, &mut lines, requirements, &mut covered)?;
    let nonce = covered_nonce(&covered, &lines)?;

    let audience_checked = requirements.check_audience(authority)?;
    content_coding::ensure_allowed(asserted.content_sha256, &head)?;
    ensure_covered(&asserted, &covered, &lines, settings, requirements)?;
    let (payload_hash, declared) = asserted.payload(presigned, target.path, &head, settings)?;
    #[cfg(feature = "sigv4-chunked")]
    let chunked = match payload_hash {
        PayloadHash::Chunked(mode) => Some(ChunkedHead::read(mode, &head, &settings.chunks)?),
        PayloadHash::Sha256(_) | PayloadHash::OfBody | PayloadHash::Unsigned => None,
    };
    let mut freshness = requirements.freshness(asserted.date_carrier(), asserted.signed_at);
    let mut replay = nonce.map(ReplayIdentity::Nonce);
    if let (Some(presigned), Some(accepted)) = (&asserted.presigned, presigned) {
        freshness = freshness.lasting(
            "X-Amz-Date and X-Amz-Expires",
            presigned.expires.min(accepted.max_age),
        );
        if accepted.single_use {
            // The text of the signature has one spelling only.
            replay = replay.or(Some(ReplayIdentity::Signature(
                presigned.signature.as_bytes(),
            )));
        }
    }
    let content_type_uncovered =
        !lines.content_type.is_absent() && !is_covered(&covered, CONTENT_TYPE.as_str());
    let date = freshness.judge(now)?;

    let mut headers = CoveredHeaders::new();
    read_covered(&covered, &lines, &mut headers)?;
    if is_presigned {
        query.remove(query_parameters::SIGNATURE);
    }

    let request = CanonicalRequest {
        method,
        uri: &uri,
        query: &query,
        headers: &headers,
        signed_headers: match asserted.list_form() {
            // In signed form: each name once, sorted, joined by semicolons.
            ListForm::Header => Some(asserted.signed_headers),
            ListForm::Query => None,
        },
        payload_hash,
    };
    let credentials = Credentials::new(
        request.head_text(),
        asserted.date,
        scope,
        asserted.signature,
        asserted.session_token,
    );
    #[cfg(feature = "sigv4-chunked")]
    let credentials = credentials.with_chunks(chunked);
    let credentials = credentials.into();
    Ok(ParsedHead {
        scheme: Scheme::SigV4,
        key_id: asserted.credential.access_key_id,
        date,
        replay,
        nonce: Decides::Key,
        content_type_uncovered,
        audience_checked,
        coverage: Coverage::Request,
        presigned: is_presigned,
        signed_over: SignedOver::head(credentials, declared),
    })
}

static HTTP_DATE: HeaderName = DATE;

/// The signature parameters of a head, in either place.
struct AssertedCredentials<'r> {
    credential: Credential<'r>,
    signed_headers: &'r str,
    signature: Signature,
    date: AmzDate,
    signed_at: Timestamp,
    /// The header that held the date; it must be covered.
    date_header: Option<&'static HeaderName>,
    session_token: Option<Cow<'r, str>>,
    content_sha256: Option<&'r str>,
    presigned: Option<Presigned<'r>>,
}

struct Presigned<'r> {
    expires: Duration,
    signature: &'r str,
}

impl<'r> AssertedCredentials<'r> {
    fn in_header(
        carrier: Carrier<'r>,
        query: &CanonicalQuery<'r>,
        lines: &HeaderLines<'r>,
    ) -> Result<Self, Rejection> {
        let authorization = Authorization::parse(carrier.parameters)?;
        let x_amz_date = lines.x_amz_date.text(&X_AMZ_DATE)?;
        let (name, text, parsed) = match (x_amz_date, lines.date.text(&HTTP_DATE)?) {
            (Some(text), _) => (&X_AMZ_DATE, text, AmzDate::parse(text)),
            (None, Some(text)) => (&HTTP_DATE, text, AmzDate::parse_http(text)),
            (None, None) => {
                return Err(Rejection::malformed(
                    "header x-amz-date: expected it or the header date, found neither",
                ));
            }
        };
        let (date, signed_at) = parsed.ok_or_else(|| {
            let expected = if *name == HTTP_DATE {
                "an IMF-fixdate"
            } else {
                "YYYYMMDD'T'HHMMSS'Z'"
            };
            Rejection::malformed(reason!(
                "header {}: expected {}, found \"{}\"",
                name,
                expected,
                Escaped::text(text)
            ))
        })?;
        if query_parameters::carries_token(query) {
            return Err(Rejection::malformed(
                "X-Amz-Security-Token: expected in a header, where the signature is, found in the \
                 query",
            ));
        }
        Ok(Self {
            credential: authorization.credential,
            signed_headers: authorization.signed_headers,
            signature: authorization.signature,
            date,
            signed_at,
            date_header: Some(name),
            session_token: lines
                .x_amz_security_token
                .text(&X_AMZ_SECURITY_TOKEN)?
                .map(Cow::Borrowed),
            content_sha256: lines.x_amz_content_sha256.text(&X_AMZ_CONTENT_SHA256)?,
            presigned: None,
        })
    }

    fn in_query(query: &CanonicalQuery<'r>, lines: &HeaderLines<'r>) -> Result<Self, Rejection> {
        let parameters = QueryParameters::parse(query)?;
        let (date, signed_at) = AmzDate::parse(parameters.date).ok_or_else(|| {
            Rejection::malformed(reason!(
                "X-Amz-Date: expected YYYYMMDD'T'HHMMSS'Z' in the query, found {} characters \
                     that are no such date",
                parameters.date.len()
            ))
        })?;
        if !lines.x_amz_security_token.is_absent() {
            return Err(Rejection::malformed(
                "x-amz-security-token: expected in the query, where the signature is, \
                 found in a header",
            ));
        }
        let content_sha256 = match (
            parameters.content_sha256,
            lines.x_amz_content_sha256.text(&X_AMZ_CONTENT_SHA256)?,
        ) {
            (Some(_), Some(_)) => {
                return Err(Rejection::malformed(
                    "x-amz-content-sha256: expected in one place, \
                     found in the query and in a header",
                ));
            }
            (in_query, in_header) => in_query.or(in_header),
        };
        Ok(Self {
            credential: Credential::parse_encoded(parameters.credential)?,
            signed_headers: parameters.signed_headers,
            signature: Signature::parse(parameters.signature)?,
            date,
            signed_at,
            date_header: None,
            session_token: parameters.token()?,
            content_sha256,
            presigned: Some(Presigned {
                expires: parameters.expires,
                signature: parameters.signature,
            }),
        })
    }

    /// Names the source of the date, for a log.
    fn date_carrier(&self) -> &'static str {
        if self.date_header == Some(&HTTP_DATE) {
            "date"
        } else {
            "x-amz-date"
        }
    }

    fn list_form(&self) -> ListForm {
        match self.presigned {
            Some(_) => ListForm::Query,
            None => ListForm::Header,
        }
    }

    /// Returns the payload hash and the declared payload. `None` means that only the reader of the
    /// body knows its hash.
    fn payload(
        &self,
        presigned: Option<&SigV4Presigned>,
        path: &str,
        head: &RequestHead<'_>,
        settings: &SigV4VerifySettings,
    ) -> Result<(PayloadHash, Option<DeclaredPayload>), Rejection> {
        let hash = match (self.content_sha256, presigned) {
            (Some(text), _) => PayloadHash::parse(text).map_err(Rejection::malformed)?,
            (None, Some(presigned)) => {
                let payload = presigned.payload;
                match payload.unwrap_or_else(|| settings.scope.presigned_payload()) {
                    SigV4PresignedPayload::Unsigned => PayloadHash::Unsigned,
                    SigV4PresignedPayload::Sha256 => PayloadHash::OfBody,
                }
            }
            (None, None) => match settings.payload_hash {
                PayloadHashRule::Optional => PayloadHash::OfBody,
                PayloadHashRule::Required => {
                    return Err(Rejection::insufficient_coverage(
                        "header x-amz-content-sha256: expected because \
                         SigV4VerifySettings::with_payload_hash_required is set, found none",
                    ));
                }
            },
        };
        let empty = PayloadDigest::OF_NOTHING;
        let is_bodiless = presigned.is_some() && is_without_body(head.method());
        Ok(match hash {
            #[cfg(feature = "sigv4-chunked")]
            PayloadHash::Chunked(mode) => {
                settings.chunks.ensure_accepted(mode, presigned.is_some())?;
                // The decoder checks the body.
                (hash, Some(DeclaredPayload::Unsigned))
            }
            PayloadHash::Sha256(digest) => (hash, Some(DeclaredPayload::Sha256(digest))),
            // A presigned GET has no body: the body must be empty, signed or not.
            PayloadHash::OfBody if is_bodiless => (
                PayloadHash::Sha256(empty),
                Some(DeclaredPayload::Sha256(empty)),
            ),
            PayloadHash::Unsigned if is_bodiless => (hash, Some(DeclaredPayload::Sha256(empty))),
            PayloadHash::OfBody => (hash, None),
            PayloadHash::Unsigned if settings.accepts_unsigned_payload(path) => {
                (hash, Some(DeclaredPayload::Unsigned))
            }
            PayloadHash::Unsigned => {
                return Err(Rejection::insufficient_coverage(
                    "x-amz-content-sha256: expected the hash of the body, found UNSIGNED-PAYLOAD; \
                     SigV4VerifySettings::insecure_accept_unsigned_payload accepts it",
                ));
            }
        })
    }

    /// Returns the settings for presigned requests if this request is presigned. Refuses
    /// it if the settings accept none.
    fn ensure_accepted<'s>(
        &self,
        head: &RequestHead<'_>,
        settings: &'s SigV4VerifySettings,
    ) -> Result<Option<&'s SigV4Presigned>, Rejection> {
        if self.presigned.is_none() {
            return Ok(None);
        }
        let accepted = settings.presigned.as_ref().ok_or_else(|| {
            Rejection::malformed(
                "signature: expected in the header authorization, found in the query; \
                 SigV4VerifySettings::with_presigned accepts it there",
            )
        })?;
        if !accepted.accepts(head.method()) {
            return Err(Rejection::malformed(reason!(
                "method: expected one that is accepted in a presigned request, found {}; \
                 SigV4Presigned::with_method accepts it",
                Escaped::text(head.method().as_str())
            )));
        }
        Ok(Some(accepted))
    }
}

/// Returns the nonce, if it is covered.
fn covered_nonce<'r>(
    covered: &[CoveredLine<'_>],
    lines: &HeaderLines<'r>,
) -> Result<Option<&'r str>, Rejection> {
    if lines.x_nonce.is_absent() || !is_covered(covered, X_NONCE.as_str()) {
        return Ok(None);
    }
    let nonce = lines.x_nonce.text(&X_NONCE)?;
    if let Some(nonce) = nonce
        && !Nonce::is_valid(nonce)
    {
        return Err(Rejection::malformed(Nonce::refusal(nonce)));
    }
    Ok(nonce)
}

/// A covered header whose value has not been read yet.
struct CoveredLine<'r> {
    name: &'r str,
    value: CoveredValue<'r>,
}

enum CoveredValue<'r> {
    Host(&'r str),
    Line(&'r HeaderValue),
    /// All lines of this name.
    Lines,
}

/// Number of covered headers kept without an allocation.
const INLINE: usize = 12;

/// The covered headers in signing order.
type CoveredLines<'r> = SmallVec<[CoveredLine<'r>; INLINE]>;

/// Finds the covered headers. Checks their number, the number of lines of each, and their lengths.
fn find_covered<'r>(
    asserted: &AssertedCredentials<'r>,
    host: &'r str,
    lines: &mut HeaderLines<'r>,
    requirements: &Requirements,
    covered: &mut CoveredLines<'r>,
) -> Result<(), Rejection> {
    let limits = &requirements.limits;
    let mut covers_host = false;
    for name in signed_headers::names(asserted.signed_headers, asserted.list_form()) {
        let name = name.map_err(Rejection::malformed)?;
        if covered.len() >= limits.covered_headers {
            let names = signed_headers::names(asserted.signed_headers, asserted.list_form());
            let reason = limits.too_many_covered("SignedHeaders", names.count());
            return Err(Rejection::malformed(reason));
        }
        let (value, len) = if name == "host" {
            covers_host = true;
            (CoveredValue::Host(host), host.len())
        } else {
            covered_value(name, lines)?
        };
        if len > limits.covered_value_bytes {
            return Err(Rejection::malformed(limits.too_long_value(name, len)));
        }
        covered.push(CoveredLine { name, value });
    }
    if covers_host {
        Ok(())
    } else {
        Err(signed_headers::host_missing(asserted.signed_headers))
    }
}

/// Returns the value of a covered header and its length. Refuses an absent header: no value may
/// represent absence.
fn covered_value<'r>(
    name: &str,
    lines: &mut HeaderLines<'r>,
) -> Result<(CoveredValue<'r>, usize), Rejection> {
    match lines.cover(name) {
        Field::Once(line) => Ok((CoveredValue::Line(line), line.len())),
        Field::Repeated(_) if !is_single(name) => {
            let between = separator(name).len();
            let bytes = lines.named(name).fold(0_usize, |bytes, value| {
                bytes.saturating_add(value.len()).saturating_add(between)
            });
            // No separator follows the last value.
            Ok((CoveredValue::Lines, bytes.saturating_sub(between)))
        }
        field @ (Field::Absent | Field::Repeated(_)) => {
            Err(Rejection::malformed(not_once(name, field)))
        }
    }
}

/// Reads the covered headers.
fn read_covered<'r>(
    covered: &[CoveredLine<'r>],
    lines: &HeaderLines<'r>,
    headers: &mut CoveredHeaders<'r>,
) -> Result<(), Rejection> {
    let not_ascii = |name, line| {
        let name = Escaped::text(name).into();
        Rejection::malformed(not_ascii(name, line))
    };
    for CoveredLine { name, value } in covered {
        let value = match value {
            CoveredValue::Host(host) => Cow::Borrowed(*host),
            CoveredValue::Line(line) => {
                canonical_value(line).ok_or_else(|| not_ascii(name, line))?
            }
            CoveredValue::Lines => joined(name, lines.named(name)).ok_or_else(|| {
                let mut lines = lines.named(name);
                let other = lines.find(|line| canonical_value(line).is_none());
                other.map_or_else(
                    || Rejection::malformed(not_once(name, Field::Absent)),
                    |line| not_ascii(name, line),
                )
            })?,
        };
        headers.push(CoveredHeader { name, value });
    }
    Ok(())
}

/// Refuses a signature that does not cover the required headers.
fn ensure_covered(
    asserted: &AssertedCredentials<'_>,
    covered: &[CoveredLine<'_>],
    lines: &HeaderLines<'_>,
    settings: &SigV4VerifySettings,
    requirements: &Requirements,
) -> Result<(), Rejection> {
    let mut required = requirements.required_headers.iter();
    if let Some(name) = required.find(|name| !is_covered(covered, name.as_str())) {
        return Err(uncovered(name, covered));
    }
    let mut speaking = None;
    for name in lines.uncovered() {
        // The request has this header: the parser has read it.
        if Some(name) == asserted.date_header {
            return Err(uncovered(name, covered));
        }
        // Source: GHSA-g8w9-qw9q-fghr (RustFS): an unsigned x-amz-copy-source made a PUT read
        // another object.
        let speaks = name.as_str().starts_with("x-amz-")
            || name == X_NONCE
            || name == CONTENT_ENCODING
                && !content_coding::is_chunked_only(asserted.content_sha256, lines);
        if speaks && !settings.accepts_uncovered(name) {
            speaking = speaking.or(Some(name));
        }
    }
    match speaking {
        None => Ok(()),
        Some(name) if verify_settings::may_be_uncovered(name) => {
            let covered: Vec<&str> = covered.iter().map(|line| line.name).collect();
            Err(Rejection::insufficient_coverage(reason!(
                "header {}: expected to be covered, found covered {}; \
                 SigV4VerifySettings::insecure_accept_uncovered_headers accepts it uncovered",
                name,
                &covered
            )))
        }
        Some(name) => Err(uncovered(name, covered)),
    }
}

fn is_covered(covered: &[CoveredLine<'_>], name: &str) -> bool {
    // Two names seldom have one length, so this is faster than a binary search.
    covered.iter().any(|line| line.name == name)
}

#[cold]
fn uncovered(name: &HeaderName, covered: &[CoveredLine<'_>]) -> Rejection {
    let covered: Vec<&str> = covered.iter().map(|line| line.name).collect();
    Rejection::insufficient_coverage(reason!(
        "header {}: expected to be covered, found covered {}",
        name,
        &covered
    ))
}
