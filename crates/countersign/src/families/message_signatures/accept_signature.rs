//! `Accept-Signature` (RFC 9421 section 5): the form of signature asked of the next request.

use super::{
    component_id::ComponentId, covered_components::CoveredComponents,
    structured_field::is_plain_text,
};
use crate::scheme::Algorithm;

/// Writes a request for a signature that covers these components, under a label of the peer's
/// choice.
///
/// `created` has no value, as the RFC prescribes. The field names no key id and no nonce (RFC 9421
/// section 5.1). With a value, each would ask for that very value; without one, it means nothing.
/// The documentation of the scheme says that every signature needs both.
pub(super) fn value(
    components: &CoveredComponents<'_>,
    algorithm: Option<Algorithm>,
    tag: Option<&str>,
) -> String {
    let mut text = "sig1=".to_owned();
    components.write_to(&mut text);
    text.push_str(";created");
    if let Some(algorithm) = algorithm {
        text.extend([";alg=\"", algorithm.name(), "\""]);
    }
    if let Some(tag) = tag.filter(|tag| is_plain_text(tag)) {
        text.extend([";tag=\"", tag, "\""]);
    }
    text
}

/// Returns these components, plus the digest of the body if they lack it.
pub(super) fn components<'c>(
    required: impl Iterator<Item = &'c ComponentId<'static>>,
    further: impl Iterator<Item = ComponentId<'static>>,
) -> CoveredComponents<'c> {
    let mut components = CoveredComponents::default();
    for id in required.cloned().chain(further) {
        if !components.covers(&id) {
            // Invariant: only components that are not covered are listed.
            let _: Result<(), &'static str> = components.push(id);
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use sfv::{Dictionary, Parser};

    use super::*;

    #[test]
    fn asks_for_components_and_parameters() {
        let required = [ComponentId::METHOD, ComponentId::TARGET_URI];
        let further = [
            ComponentId::PATH,
            ComponentId::CONTENT_DIGEST,
            ComponentId::METHOD,
        ];
        let components = components(required.iter(), further.into_iter());
        for (algorithm, tag, expected) in [
            (None, None, ";created"),
            (
                Some(Algorithm::HmacSha256),
                None,
                r#";created;alg="hmac-sha256""#,
            ),
            (
                Some(Algorithm::Ed25519),
                Some("svc v1"),
                r#";created;alg="ed25519";tag="svc v1""#,
            ),
        ] {
            let text = value(&components, algorithm, tag);
            let list = r#"sig1=("@method" "@target-uri" "content-digest")"#;
            assert_eq!(text, format!("{list}{expected}"));
            let again = Parser::new(&text).parse::<Dictionary>().unwrap();
            assert_eq!(sfv::FieldType::serialize(&again), Some(text));
        }
    }
}
