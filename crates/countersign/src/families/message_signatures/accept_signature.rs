//! `Accept-Signature` (RFC 9421 section 5): what a signature of the next request is to be like.

use super::{
    component_id::ComponentId, covered_components::CoveredComponents,
    structured_field::is_plain_text,
};
use crate::scheme::Algorithm;

/// A request for a signature that covers these components, for a label of the peer's own choosing.
///
/// `created` stands without a value, as in a request for it. A key id and a nonce are not asked for: with a value they
/// would ask for this one, and without one they mean nothing (RFC 9421 section 5.1). That every signature needs them is
/// said in the documentation of the scheme.
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

/// These components and, where it is not among them, the digest of the body.
pub(super) fn components<'c>(
    required: &'c [ComponentId<'static>],
    further: impl Iterator<Item = ComponentId<'static>>,
) -> CoveredComponents<'c> {
    let mut components = CoveredComponents::default();
    for id in required.iter().cloned().chain(further) {
        if !components.covers(&id) {
            // Invariant: what is not covered is not listed.
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
        let components = components(&required, further.into_iter());
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
