use std::mem;

use http::{
    HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, HOST},
};
use smallvec::SmallVec;

use super::{
    ALWAYS_COVERED, X_CONTENT_SHA256, X_DATE, X_NONCE,
    authorization::Authorization,
    canonical_request::{CanonicalRequest, CoveredHeader, FurtherHeaders},
    content_sha256,
    credentials::Credentials,
    fields::Fields,
    nonce::Nonce,
    signed_headers,
};
use crate::{
    error::{Rejection, RejectionKind},
    head::{Authority, Field, RequestHead, Target, parse_method},
    payload::DeclaredPayload,
    scheme::{Carrier, distinct_list::DistinctList},
    timestamp::Timestamp,
    verify::{Coverage, ParsedHead, Proof, ReplayIdentity, VerifyPolicy},
};

/// Reads a head that carries `authorization: <scheme> <parameters>`: the grammar and the caps of
/// step 2, then the authority of step 3, the coverage of step 4 and the date of step 5. What the
/// covered values hold is read after that.
#[inline]
pub(super) fn parse<'r>(
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    policy: &VerifyPolicy,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let Carrier { scheme, parameters } = carrier;
    let authorization = Authorization::parse(scheme, parameters)?;
    let method = parse_method(head.method()).map_err(Rejection::malformed)?;
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    if target.len() > policy.limits.target_bytes {
        return Err(Rejection::malformed("target: longer than the limit"));
    }
    let mut fields = Fields::of(head.headers());
    let authority = Authority::agreed(head.uri(), fields.host.text(&HOST)?)?;
    let host = authority.in_form(policy.host_form);
    let x_date = fields.x_date.required_text(&X_DATE)?;
    let signed_at = policy.date_form.parse(x_date).ok_or_else(|| {
        Rejection::header(RejectionKind::Malformed, &X_DATE, "expected an IMF-fixdate")
    })?;
    let content_sha256 = fields.x_content_sha256.required_text(&X_CONTENT_SHA256)?;
    let payload = content_sha256::parse(content_sha256).ok_or_else(|| {
        Rejection::header(
            RejectionKind::Malformed,
            &X_CONTENT_SHA256,
            "expected 64 lower-case hexadecimal digits",
        )
    })?;

    let limits = &policy.limits;
    let too_long = |len: usize| len > limits.covered_value_bytes;
    if [host, x_date, content_sha256]
        .iter()
        .any(|text| too_long(text.len()))
    {
        return Err(covered_too_long());
    }
    let mut names = DistinctList::default();
    let mut lines: FurtherLines<'r> = SmallVec::new();
    for name in signed_headers::further_names(authorization.signed_headers)? {
        let name = name?;
        if names.len().saturating_add(ALWAYS_COVERED.len()) >= limits.covered_headers {
            return Err(Rejection::malformed(
                "signed-headers: more names than the limit",
            ));
        }
        if ALWAYS_COVERED.contains(&name) || names.push(name).is_err() {
            return Err(Rejection::malformed("signed-headers: a name twice"));
        }
        let line = covered_line(&mut fields, &head, name)?;
        if too_long(line.len()) {
            return Err(covered_too_long());
        }
        lines.push((name, line));
    }
    let nonce = lines.iter().find(|(name, _)| *name == "x-nonce");
    let nonce = nonce.map(|(_, line)| covered_nonce(line)).transpose()?;

    let audience_checked = policy.check_audience(authority)?;

    for required in &policy.required_headers {
        let mut covered = ALWAYS_COVERED.iter().chain(names.iter());
        if covered.all(|name| *name != required.as_str()) {
            return Err(uncovered(required));
        }
    }
    // What is covered was taken out of the fields.
    if !fields.x_nonce.is_absent() {
        return Err(uncovered(&X_NONCE));
    }
    if !fields.content_encoding.is_absent() {
        return Err(uncovered(&CONTENT_ENCODING));
    }
    let content_type_uncovered = !fields.content_type.is_absent();
    let date = policy.freshness(signed_at).judge(now)?;

    let mut further = FurtherHeaders::new();
    for (name, line) in lines {
        let value = line
            .to_str()
            .map_err(|_| Rejection::malformed("a covered header: expected visible ASCII"))?;
        further.push(CoveredHeader { name, value });
    }
    Ok(ParsedHead {
        scheme,
        key_id: authorization.credential.into(),
        date,
        replay: nonce.map(ReplayIdentity::Nonce),
        content_type_uncovered,
        audience_checked,
        coverage: Coverage::Request,
        presigned: false,
        proof: Proof::Head {
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
type FurtherLines<'r> = SmallVec<[(&'r str, &'r HeaderValue); 4]>;

/// The line of a further covered header, which is taken out of the fields. An absent one is
/// refused: nothing may stand for "not there".
fn covered_line<'r>(
    fields: &mut Fields<'r>,
    head: &RequestHead<'r>,
    name: &str,
) -> Result<&'r HeaderValue, Rejection> {
    let field = match name {
        "x-nonce" => mem::take(&mut fields.x_nonce),
        "content-type" => mem::take(&mut fields.content_type),
        "content-encoding" => mem::take(&mut fields.content_encoding),
        _ => head.headers().get_all(name).iter().collect(),
    };
    match field {
        Field::Once(line) => Ok(line),
        Field::Absent | Field::Repeated => Err(Rejection::malformed(
            "a covered header: expected once, found none or more",
        )),
    }
}

fn covered_nonce(line: &HeaderValue) -> Result<&str, Rejection> {
    let text = line.to_str().ok();
    text.filter(|nonce| Nonce::is_valid(nonce)).ok_or_else(|| {
        Rejection::header(
            RejectionKind::Malformed,
            &X_NONCE,
            "expected 16 to 128 visible ASCII characters",
        )
    })
}

const fn covered_too_long() -> Rejection {
    Rejection::malformed("a covered header is longer than the limit")
}

fn uncovered(name: &HeaderName) -> Rejection {
    Rejection::header(
        RejectionKind::InsufficientCoverage,
        name,
        "expected to be covered",
    )
}
