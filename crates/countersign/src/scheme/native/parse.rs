use std::mem;

use http::{
    HeaderName,
    header::{CONTENT_ENCODING, HOST},
};

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
    scheme::Carrier,
    verify::{Coverage, ParsedHead, Proof, ReplayIdentity, VerifyPolicy},
};

/// Reads a head that carries `authorization: <scheme> <parameters>`: the grammar and the caps of step 2, then the
/// authority of step 3 and the coverage of step 4.
#[inline]
pub(super) fn parse<'r>(
    carrier: Carrier<'r>,
    head: RequestHead<'r>,
    policy: &VerifyPolicy,
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

    let mut request = CanonicalRequest {
        method,
        target,
        host,
        x_date,
        content_sha256,
        further: FurtherHeaders::new(),
        signed_headers: authorization.signed_headers,
    };
    for name in signed_headers::further_names(authorization.signed_headers)? {
        let name = name?;
        let further = &mut request.further;
        if further.len().saturating_add(ALWAYS_COVERED.len()) >= policy.limits.covered_headers {
            return Err(Rejection::malformed(
                "signed-headers: more names than the limit",
            ));
        }
        if ALWAYS_COVERED.contains(&name) || value_of(further, name).is_some() {
            return Err(Rejection::malformed("signed-headers: a name twice"));
        }
        let value = covered_value(&mut fields, &head, name)?;
        further.push(CoveredHeader { name, value });
    }
    let too_long = |value: &str| value.len() > policy.limits.covered_value_bytes;
    if [host, x_date, content_sha256].into_iter().any(too_long)
        || request.further.iter().any(|header| too_long(header.value))
    {
        return Err(Rejection::malformed(
            "a covered header is longer than the limit",
        ));
    }
    let nonce = value_of(&request.further, "x-nonce");
    if nonce.is_some_and(|nonce| !Nonce::is_valid(nonce)) {
        return Err(Rejection::header(
            RejectionKind::Malformed,
            &X_NONCE,
            "expected 16 to 128 visible ASCII characters",
        ));
    }

    let audience_checked = policy.check_audience(authority)?;

    for name in &policy.required_headers {
        if request
            .covered()
            .all(|(covered, _)| covered != name.as_str())
        {
            return Err(uncovered(name));
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

    Ok(ParsedHead {
        scheme,
        key_id: authorization.credential.into(),
        signed_at,
        freshness: policy.freshness(signed_at),
        replay: nonce.map(ReplayIdentity::Nonce),
        content_type_uncovered,
        audience_checked,
        coverage: Coverage::Request,
        presigned: false,
        proof: Proof::Head {
            credentials: Credentials {
                request,
                signature: authorization.signature,
            }
            .into(),
            payload: DeclaredPayload::Sha256(payload),
        },
    })
}

/// The value of a further covered header, which is taken out of the fields. An absent one is refused: nothing may stand
/// for "not there".
fn covered_value<'r>(
    fields: &mut Fields<'r>,
    head: &RequestHead<'r>,
    name: &str,
) -> Result<&'r str, Rejection> {
    let field = match name {
        "x-nonce" => mem::take(&mut fields.x_nonce),
        "content-type" => mem::take(&mut fields.content_type),
        "content-encoding" => mem::take(&mut fields.content_encoding),
        _ => head.headers().get_all(name).iter().collect(),
    };
    let Field::Once(value) = field else {
        return Err(Rejection::malformed(
            "a covered header: expected once, found none or more",
        ));
    };
    value
        .to_str()
        .map_err(|_| Rejection::malformed("a covered header: expected visible ASCII"))
}

fn value_of<'r>(further: &[CoveredHeader<'r>], name: &str) -> Option<&'r str> {
    further
        .iter()
        .find(|header| header.name == name)
        .map(|header| header.value)
}

fn uncovered(name: &HeaderName) -> Rejection {
    Rejection::header(
        RejectionKind::InsufficientCoverage,
        name,
        "expected to be covered",
    )
}
