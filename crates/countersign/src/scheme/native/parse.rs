use http::{
    HeaderName,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{
    ALWAYS_COVERED, X_CONTENT_SHA256, X_DATE, X_NONCE,
    authorization::Authorization,
    canonical_request::{CanonicalRequest, CoveredHeader, CoveredHeaders},
    content_sha256,
    credentials::Credentials,
    nonce::Nonce,
    signed_headers,
};
use crate::{
    error::{Rejection, RejectionKind},
    head::{Authority, RequestHead, Target, ascii, parse_method},
    payload::DeclaredPayload,
    scheme::Carrier,
    verify::{ParsedHead, Proof, ReplayIdentity, VerifyPolicy},
};

/// Reads a head that carries `authorization: <scheme> <parameters>`: the grammar and the caps of step 2, then the
/// authority of step 3 and the coverage of step 4.
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
    let authority = Authority::of(&head)?;
    let host = authority.in_form(policy.host_form);
    let date = head.required(&X_DATE)?;
    let signed_at = policy.date_form.parse(date).ok_or_else(|| {
        Rejection::header(RejectionKind::Malformed, &X_DATE, "expected an IMF-fixdate")
    })?;
    let content_hash = head.required(&X_CONTENT_SHA256)?;
    let content_sha256 = content_sha256::parse(content_hash).ok_or_else(|| {
        Rejection::header(
            RejectionKind::Malformed,
            &X_CONTENT_SHA256,
            "expected 64 lower-case hexadecimal digits",
        )
    })?;

    let mut covered = CoveredHeaders::new();
    for (name, value) in ALWAYS_COVERED.into_iter().zip([host, date, content_hash]) {
        covered.push(CoveredHeader { name, value });
    }
    for name in signed_headers::further_names(authorization.signed_headers)? {
        let name = name?;
        if covered.len() >= policy.limits.covered_headers {
            return Err(Rejection::malformed(
                "signed-headers: more names than the limit",
            ));
        }
        if value_of(&covered, name).is_some() {
            return Err(Rejection::malformed("signed-headers: a name twice"));
        }
        let value = covered_value(&head, name)?;
        covered.push(CoveredHeader { name, value });
    }
    let too_long =
        |header: &CoveredHeader<'_>| header.value.len() > policy.limits.covered_value_bytes;
    if covered.iter().any(too_long) {
        return Err(Rejection::malformed(
            "a covered header is longer than the limit",
        ));
    }
    let nonce = value_of(&covered, X_NONCE.as_str());
    if nonce.is_some_and(|nonce| !Nonce::is_valid(nonce)) {
        return Err(Rejection::header(
            RejectionKind::Malformed,
            &X_NONCE,
            "expected 16 to 128 visible ASCII characters",
        ));
    }

    let audience_checked = policy.check_audience(authority)?;

    for name in &policy.required_headers {
        if value_of(&covered, name.as_str()).is_none() {
            return Err(uncovered(name));
        }
    }
    for name in [&X_NONCE, &CONTENT_ENCODING] {
        if is_present_but_uncovered(&head, &covered, name) {
            return Err(uncovered(name));
        }
    }
    let content_type_uncovered = is_present_but_uncovered(&head, &covered, &CONTENT_TYPE);

    Ok(ParsedHead {
        scheme,
        key_id: authorization.credential.into(),
        signed_at,
        freshness: policy.freshness(signed_at),
        replay: nonce.map(ReplayIdentity::Nonce),
        content_type_uncovered,
        audience_checked,
        presigned: false,
        proof: Proof::Head {
            credentials: Credentials {
                request: CanonicalRequest {
                    method,
                    target,
                    covered,
                    signed_headers: authorization.signed_headers,
                    content_sha256: content_hash,
                },
                signature: authorization.signature,
            }
            .into(),
            payload: DeclaredPayload::Sha256(content_sha256),
        },
    })
}

/// The value of a further covered header. An absent one is refused: nothing may stand for "not there".
fn covered_value<'r>(head: &RequestHead<'r>, name: &str) -> Result<&'r str, Rejection> {
    // A name that is known is looked up by its hash; another one has to be read first.
    let mut values = match name {
        "x-nonce" => head.headers().get_all(&X_NONCE),
        "content-type" => head.headers().get_all(CONTENT_TYPE),
        _ => head.headers().get_all(name),
    }
    .iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Rejection::malformed(
            "a covered header: expected once, found none or more",
        ));
    };
    ascii(value).ok_or(Rejection::malformed(
        "a covered header: expected visible ASCII",
    ))
}

fn value_of<'r>(covered: &[CoveredHeader<'r>], name: &str) -> Option<&'r str> {
    covered
        .iter()
        .find(|header| header.name == name)
        .map(|header| header.value)
}

fn is_present_but_uncovered(
    head: &RequestHead<'_>,
    covered: &[CoveredHeader<'_>],
    name: &HeaderName,
) -> bool {
    value_of(covered, name.as_str()).is_none() && head.headers().contains_key(name)
}

fn uncovered(name: &HeaderName) -> Rejection {
    Rejection::header(
        RejectionKind::InsufficientCoverage,
        name,
        "expected to be covered",
    )
}
