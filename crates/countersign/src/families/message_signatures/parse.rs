use std::borrow::Cow;

use http::header::{CONTENT_TYPE, HOST};

use super::{
    CONTENT_DIGEST,
    component_id::ComponentId,
    content_digest,
    covered_values::CoveredValues,
    credentials::Credentials,
    fields::Fields,
    labeled_signature::{LabeledSignature, SignatureBytes},
    message::{Message, UriScheme},
    rules::{Content, Facts},
    signature_base::SignatureBase,
    signature_input::SignatureInput,
    verify_settings::MessageSignaturesVerifySettings,
};
use crate::{
    error::{Escaped, Reason, Rejection, Set, reason},
    families::{Coverage, Decides, ParsedHead, ReplayIdentity, Requirements, SignedOver},
    head::{Authority, RequestHead, Target, parse_method},
    payload::{DeclaredPayload, PayloadDigest},
    scheme::Scheme,
    timestamp::Timestamp,
};

/// Parses a head with `Signature-Input` and `Signature`: grammar and limits of step 2, authority of
/// step 3, coverage of step 4, date of step 5. The covered values are read later.
#[inline]
pub(super) fn parse<'r>(
    settings: &MessageSignaturesVerifySettings,
    head: RequestHead<'r>,
    requirements: &Requirements,
    now: Timestamp,
) -> Result<ParsedHead<'r>, Rejection> {
    let method = parse_method(head.method()).map_err(Rejection::malformed)?;
    let target = Target::parse(head.method(), head.uri()).map_err(Rejection::malformed)?;
    requirements.limits.ensure_target(target.len())?;
    let fields = Fields::of(head.headers());
    let authority = Authority::agreed(head.uri(), fields.host.text(&HOST)?)?;
    let mut input = SignatureInput::none(&requirements.limits);
    input.read(&fields, &requirements.limits, settings.signature_bytes)?;

    let scheme = settings.scheme.or(UriScheme::of(&head));
    let normalized = normalized(authority.as_str(), scheme);
    let audience_checked = check_audience(requirements, authority, &normalized)?;
    let normal_uri = settings.target_uri.of(&normalized, target);
    let normal_uri = normal_uri.map_err(Rejection::malformed)?;

    let facts = Facts::of(head, &fields);
    let chosen = settings.choose(&input, &facts, requirements)?;
    let LabeledSignature {
        label,
        covered,
        params,
        signature,
        serialized,
        ..
    } = chosen;
    let malformed = |problem| Rejection::malformed(of_label(label, &problem));
    if let Some(problem) = params.problem(settings.key_id_form, settings.nonce_form) {
        return Err(malformed(problem));
    }
    let (Some(created), Some(key_id)) = (params.created(), params.keyid()) else {
        // Invariant: `choose` never returns a signature without them.
        return Err(malformed(reason!(
            "expected created and keyid, found too few"
        )));
    };
    let message = Message {
        head,
        method,
        target,
        authority: &normalized,
        normal_uri: normal_uri.as_ref(),
        scheme,
        structured_fields: &settings.structured_fields,
        content_digest: &fields.content_digest,
        max_field_bytes: requirements.limits.covered_value_bytes,
        max_query_parameters: requirements.limits.query_parameters,
        response: None,
    };
    let mut values = CoveredValues::of(&message);
    values.find(covered).map_err(malformed)?;
    let freshness = settings
        .freshness(created, params.expires(), requirements)
        .map_err(malformed)?;
    let date = freshness.judge(now)?;

    let base = SignatureBase::new(covered, &mut values, params, *serialized).map_err(malformed)?;
    let payload = if covered.covers_field(CONTENT_DIGEST.as_str()) {
        content_digest::parse(
            &fields.content_digest,
            &requirements.limits,
            settings.digest_bytes,
        )?
    } else {
        match settings.content {
            Content::Signed => DeclaredPayload::Sha256(PayloadDigest::OF_NOTHING),
            Content::SignedIfCovered | Content::NeverCovered => DeclaredPayload::Unsigned,
        }
    };
    let covers_authority =
        covered.covers(&ComponentId::AUTHORITY) || covered.covers_field(HOST.as_str());
    let covers_request = covers_authority
        && [ComponentId::METHOD, ComponentId::PATH, ComponentId::QUERY]
            .iter()
            .all(|component| covered.covers(component));
    Ok(ParsedHead {
        scheme: Scheme::MessageSignatures,
        key_id: settings.key_id(chosen, key_id, &head, requirements)?,
        date,
        replay: params.nonce().map(ReplayIdentity::Nonce),
        nonce: settings.nonce,
        content_type_uncovered: fields.has_content_type
            && settings.content_type == Decides::Key
            && !covered.covers_field(CONTENT_TYPE.as_str()),
        // The sender of the request controls everything that the signature does not cover.
        audience_checked: audience_checked && covers_authority,
        coverage: if covers_request {
            Coverage::Request
        } else {
            Coverage::Partial
        },
        presigned: false,
        signed_over: SignedOver::Head {
            credentials: Credentials {
                base,
                signature: SignatureBytes::from_slice(signature),
                alg: params.alg(),
                algorithms: settings.algorithms,
                label,
                scheme: settings.scheme,
            }
            .into(),
            payload,
        },
    })
}

/// Returns the authority in lower case, without the default port of the scheme (RFC 9421 section
/// 2.2.3). Without a known scheme, no port is a default.
pub(super) fn normalized(authority: &str, scheme: Option<UriScheme>) -> Cow<'_, str> {
    let authority = scheme
        .and_then(|scheme| authority.strip_suffix(scheme.default_port()))
        .unwrap_or(authority);
    // Reads all bytes before judging any, so that the compiler vectorises the loop.
    let has_upper_case = authority
        .bytes()
        .fold(false, |found, byte| found | byte.is_ascii_uppercase());
    if has_upper_case {
        Cow::Owned(authority.to_ascii_lowercase())
    } else {
        Cow::Borrowed(authority)
    }
}

/// Compares with an expected host. Its default port may be given or omitted: both name one
/// authority.
fn check_audience(
    requirements: &Requirements,
    authority: Authority<'_>,
    normalized: &str,
) -> Result<bool, Rejection> {
    let normalized = Authority::parse(normalized).ok();
    if normalized.is_some_and(|normalized| requirements.expects(normalized)) {
        return Ok(true);
    }
    requirements.check_audience(authority)
}

/// Returns the reason for a problem in one signature, with its label.
#[cold]
pub(super) fn of_label(label: &str, problem: &Reason) -> Reason {
    reason!("signature \"{}\": {}", Escaped::text(label), Set(problem))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::{
        families::message_signatures::{
            MessageSignaturesSignSettings, dialects::DEFAULT_COMPONENTS,
        },
        key::{CallerKey, Secret, SigningKey},
        keyring::CallerKeys,
        sign::Signer,
        verify::Verifier,
    };

    #[test]
    fn an_authority_is_in_lower_case_and_has_no_default_port() {
        use UriScheme::{Http, Https};

        for (authority, scheme, expected) in [
            ("Example.COM", None, "example.com"),
            ("example.com:443", Some(Https), "example.com"),
            ("example.com:80", Some(Http), "example.com"),
            ("example.com:443", Some(Http), "example.com:443"),
            ("example.com:80", Some(Https), "example.com:80"),
            ("example.com:443", None, "example.com:443"),
            ("example.com:8443", Some(Https), "example.com:8443"),
            ("[2001:DB8::80]", Some(Http), "[2001:db8::80]"),
            ("[2001:db8::1]:443", Some(Https), "[2001:db8::1]"),
        ] {
            assert_eq!(normalized(authority, scheme), expected, "{authority}");
        }
    }

    /// Refuses signatures with too little coverage. A sender can change an uncovered authority, so
    /// comparing it with the expected hosts proves nothing. A signature that leaves out part of a
    /// request is not for that request.
    #[test]
    fn what_is_said_of_a_signature_is_what_it_covers() {
        use ComponentId as Id;
        const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

        let key = SigningKey::message_hmac_sha256(&Secret::generate().unwrap());
        let request = Request::get("http://a/x")
            .header(HOST, "a")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let host = || Id::from(HOST);
        for (covered, audience, coverage) in [
            (vec![], false, Coverage::Partial),
            (vec![Id::METHOD], false, Coverage::Partial),
            (
                vec![Id::METHOD, Id::PATH, Id::QUERY],
                false,
                Coverage::Partial,
            ),
            (vec![Id::METHOD, Id::AUTHORITY], true, Coverage::Partial),
            (
                vec![Id::AUTHORITY, Id::PATH, Id::QUERY],
                true,
                Coverage::Partial,
            ),
            (
                vec![Id::METHOD, Id::AUTHORITY, Id::PATH],
                true,
                Coverage::Partial,
            ),
            (
                vec![Id::METHOD, Id::AUTHORITY, Id::QUERY],
                true,
                Coverage::Partial,
            ),
            (vec![Id::TARGET_URI], true, Coverage::Partial),
            (vec![Id::METHOD, Id::TARGET_URI], true, Coverage::Request),
            (
                vec![Id::METHOD, Id::REQUEST_TARGET],
                false,
                Coverage::Partial,
            ),
            (
                vec![Id::METHOD, Id::REQUEST_TARGET, host()],
                true,
                Coverage::Request,
            ),
            (DEFAULT_COMPONENTS.to_vec(), true, Coverage::Request),
        ] {
            let verifier = Verifier::builder()
                .expected_hosts(["a"])
                .accept_only(MessageSignaturesVerifySettings::new().insecure_require_only([]))
                .build()
                .unwrap();
            let signing = MessageSignaturesSignSettings::new("billing", key.clone()).unwrap();
            let signing = signing.insecure_cover_only(covered.clone());
            let signer = Signer::message_signatures(signing, ["a"]).unwrap();
            let mut parts = parts.clone();
            let signature = signer.sign(&parts, &b""[..], NOW).unwrap();
            signature.apply(&mut parts);
            let known = CallerKey::new("1", key.verifying_key()).unwrap();
            let keys = CallerKeys::new("billing", [known]).unwrap();
            let unverified = verifier.parse(&parts, NOW).unwrap();
            let authenticated = unverified.authenticate(&keys, NOW).unwrap();
            let proven = authenticated.finish_with(b"", NOW).unwrap();
            assert_eq!(proven.audience_checked(), audience, "{covered:?}");
            assert_eq!(proven.coverage(), coverage, "{covered:?}");
        }
    }
}
