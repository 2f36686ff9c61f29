use crate::{
    error::{Escaped, Reason, Rejection, RejectionKind, Set, reason},
    families::Requirements,
    head::RequestHead,
    scheme::Scheme,
};

/// Headers that carry a signature in one of the schemes, by their default names.
const SIGNATURE_HEADERS: [&str; 5] = [
    "signature-input",
    "signature",
    "webhook-signature",
    "svix-signature",
    "x-hmac-signature",
];

/// Returns the rejection of a request without a signature in an accepted scheme.
///
/// `authorization` is the scheme name in that header, and the text after it.
#[cold]
pub(super) fn refusal(
    requirements: &Requirements,
    head: &RequestHead<'_>,
    authorization: Option<(&str, &str)>,
) -> Rejection {
    let mut families = requirements.accepted.iter();
    if let Some(reason) =
        families.find_map(|family| family.of_family().passed_over(head, requirements))
    {
        return Rejection::because(RejectionKind::MissingSignature, reason);
    }
    let accepted = requirements
        .accepted
        .iter()
        .flat_map(|family| family.of_family().schemes());
    let accepted: Vec<_> = accepted.copied().map(Scheme::name).collect();
    Rejection::because(
        RejectionKind::MissingSignature,
        reason!(
            "expected a signature in an accepted scheme ({}), found {}",
            &accepted,
            Set(&found(head, authorization))
        ),
    )
}

/// Describes the credentials found in place of a signature.
fn found(head: &RequestHead<'_>, authorization: Option<(&str, &str)>) -> Reason {
    let headers = head.headers();
    if headers.contains_key("signature") && !headers.contains_key("signature-input") {
        return reason!(
            "the header signature without signature-input, as in draft-cavage-http-signatures"
        );
    }
    match authorization {
        None => SIGNATURE_HEADERS
            .into_iter()
            .find(|name| headers.contains_key(*name))
            .map_or_else(
                || reason!("none"),
                |name| reason!("the header {} of another scheme", name),
            ),
        // `Authorization: Signature keyId="…",…`, the other form in that draft.
        Some((name, _)) if name.eq_ignore_ascii_case("signature") => {
            reason!("authorization in \"Signature\", as in draft-cavage-http-signatures")
        }
        // Text without a scheme name before it may be a secret.
        Some((name, parameters)) if is_scheme_name(name) && !parameters.is_empty() => {
            reason!("authorization in \"{}\"", Escaped::text(name))
        }
        Some(_) => reason!("authorization without the name of a scheme"),
    }
}

/// Returns whether a text can be the name of an authentication scheme and is too short to be a
/// token.
fn is_scheme_name(name: &str) -> bool {
    (1..=24).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
