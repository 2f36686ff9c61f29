//! Verifiers with fewer requirements, to check whether the signature is right nevertheless.
//!
//! Their results never admit a request: they exist only while a refused request is diagnosed.

use http::{HeaderName, header::AUTHORIZATION};

use super::{cause::Cause, head_copy::HeadCopy};
use crate::{
    families::{
        FamilyVerifier, Requirements, cavage, message_signatures, native,
        sigv4::{self, AssertedScope, Relaxation},
    },
    scheme::Scheme,
    verify::Verifier,
    wire::DateForm,
};

/// A verifier with one requirement less.
pub(super) struct Relaxed {
    pub(super) cause: Cause,
    pub(super) detail: String,
    pub(super) verifier: Verifier,
}

/// The greatest number of senders tried for one request.
const MAX_SENDERS: usize = 8;

/// Returns every verifier with one requirement less.
pub(super) fn each(verifier: &Verifier, head: &HeadCopy) -> Vec<Relaxed> {
    let mut found = Vec::new();
    let mut add = |cause, detail: &str, relax: &dyn Fn(&mut Requirements)| {
        let mut requirements = verifier.requirements().clone();
        relax(&mut requirements);
        found.push(Relaxed {
            cause,
            detail: detail.to_owned(),
            verifier: Verifier::unchecked(requirements),
        });
    };
    let hosts = verifier.expected_hosts().join(", ");
    let detail = format!(
        "found host {:?}, expected {hosts}",
        head.authority().unwrap_or_default()
    );
    add(Cause::HostNotExpected, &detail, &|requirements| {
        requirements.expected_hosts.clear();
    });
    let detail = "a header that the verifier requires is not covered";
    add(Cause::HeaderNotCovered, detail, &|requirements| {
        requirements.required_headers.clear();
    });
    let detail = "x-date: found RFC 3339, expected an IMF-fixdate";
    add(Cause::DateForm, detail, &|requirements| {
        requirements.date_form = DateForm::ImfFixdateOrRfc3339;
    });
    for relaxation in Relaxation::ALL {
        let (cause, detail) = of_sigv4(relaxation, verifier, head);
        add(cause, &detail, &|requirements| {
            relax_sigv4(requirements, relaxation, head);
        });
    }
    let detail = "a required component, or the body, is not covered";
    add(Cause::HeaderNotCovered, detail, &|requirements| {
        for accepted in &mut requirements.accepted {
            relax_coverage(accepted);
        }
    });
    for (scheme, family) in foreign(verifier, head) {
        let detail = ["signed in ", scheme.name()].concat();
        add(Cause::SchemeNotAccepted, &detail, &|requirements| {
            requirements.accepted.push(family.clone());
        });
    }
    for verifier in with_routes(verifier, head) {
        found.push(Relaxed {
            cause: Cause::RouteNotListed,
            detail: format!("request {} {}", head.method, head.path()),
            verifier,
        });
    }
    found
}

/// Returns verifiers with the fewest requirements. There are several only if the sender is unknown.
pub(super) fn all(verifier: &Verifier, head: &HeadCopy) -> Vec<Verifier> {
    let mut requirements = verifier.requirements().clone();
    requirements.expected_hosts.clear();
    requirements.required_headers.clear();
    requirements.date_form = DateForm::ImfFixdateOrRfc3339;
    for relaxation in Relaxation::ALL {
        relax_sigv4(&mut requirements, relaxation, head);
    }
    for accepted in &mut requirements.accepted {
        relax_coverage(accepted);
    }
    let foreign = foreign(verifier, head).into_iter();
    requirements
        .accepted
        .extend(foreign.map(|(_, family)| family));
    let relaxed = Verifier::unchecked(requirements);
    let mut all = with_routes(&relaxed, head);
    all.insert(0, relaxed);
    all
}

/// Requires no component of a scheme whose settings say what must be covered.
fn relax_coverage(accepted: &mut FamilyVerifier) {
    match accepted {
        FamilyVerifier::MessageSignatures(family) => *family = family.relaxed(),
        FamilyVerifier::Cavage(family) => *family = family.relaxed(),
        _ => {}
    }
}

fn of_sigv4(relaxation: Relaxation, verifier: &Verifier, head: &HeadCopy) -> (Cause, String) {
    match relaxation {
        Relaxation::Targets => {
            let detail = "the path or the query is not in canonical form";
            (Cause::StrictTarget, detail.to_owned())
        }
        Relaxation::UnsignedPayload => {
            (Cause::PayloadUnsigned, "found UNSIGNED-PAYLOAD".to_owned())
        }
        Relaxation::UndeclaredHash => {
            let detail = "x-amz-content-sha256: expected the hash of the body, found none";
            (Cause::HeaderNotCovered, detail.to_owned())
        }
        Relaxation::Presigned => (
            Cause::PresignedNotAccepted,
            "found a signature in the query".to_owned(),
        ),
        Relaxation::Scope => {
            let scope = AssertedScope::of(&head.head());
            let scopes: Vec<(&str, &str)> = verifier
                .requirements()
                .accepted
                .iter()
                .filter_map(|family| match family {
                    FamilyVerifier::SigV4(family) => Some(family.scopes()),
                    _ => None,
                })
                .flatten()
                .collect();
            let expected: Vec<_> = scopes
                .iter()
                .map(|(region, service)| [region, "/", service].concat())
                .collect();
            let (region, service) = scope
                .map(|scope| (scope.region, scope.service))
                .unwrap_or_default();
            let knows_region = scopes.iter().any(|(known, _)| *known == region);
            let cause = if knows_region {
                Cause::Service
            } else {
                Cause::Region
            };
            let expected = expected.join(", ");
            (
                cause,
                format!("found {region}/{service}, expected {expected}"),
            )
        }
    }
}

fn relax_sigv4(requirements: &mut Requirements, relaxation: Relaxation, head: &HeadCopy) {
    for accepted in &mut requirements.accepted {
        if let FamilyVerifier::SigV4(family) = accepted {
            *family = family.relaxed(relaxation, &head.head());
        }
    }
}

/// Returns the schemes that the head uses and the verifier does not accept, with settings that
/// accept everything.
fn foreign(verifier: &Verifier, head: &HeadCopy) -> Vec<(Scheme, FamilyVerifier)> {
    let mut found = Vec::new();
    let authorization = head.text_of(&AUTHORIZATION).unwrap_or_default();
    let (name, _) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let speaks_of = |scheme: Scheme| scheme.name().eq_ignore_ascii_case(name);
    for scheme in [Scheme::HmacSha256, Scheme::Ed25519] {
        if speaks_of(scheme) && !verifier.accepts(scheme) {
            found.push((
                scheme,
                FamilyVerifier::Native(native::FamilyVerifier::of_both()),
            ));
        }
    }
    let in_query = head
        .query()
        .is_some_and(|query| query.contains("X-Amz-Signature="));
    if (speaks_of(Scheme::SigV4) || in_query) && !verifier.accepts(Scheme::SigV4) {
        let family = AssertedScope::of(&head.head())
            .and_then(|scope| sigv4::FamilyVerifier::for_scope(&scope))
            .map(|family| {
                let relaxed = |family: sigv4::FamilyVerifier, relaxation: &Relaxation| {
                    family.relaxed(*relaxation, &head.head())
                };
                Relaxation::ALL.iter().fold(family, relaxed)
            });
        found.extend(family.map(|family| (Scheme::SigV4, FamilyVerifier::SigV4(family))));
    }
    let input = HeaderName::from_static("signature-input");
    if head.headers.contains_key(input) && !verifier.accepts(Scheme::MessageSignatures) {
        let family = message_signatures::FamilyVerifier::new().relaxed();
        found.push((
            Scheme::MessageSignatures,
            FamilyVerifier::MessageSignatures(family),
        ));
    }
    if !verifier.accepts(Scheme::Cavage) {
        let mut dialects = cavage::FamilyVerifier::dialects().into_iter();
        let family = dialects.find(|dialect| dialect.has_form_of(&head.head()));
        found.extend(family.map(|family| {
            let family = FamilyVerifier::Cavage(family.relaxed());
            (Scheme::Cavage, family)
        }));
    }
    found
}

/// Returns verifiers that also accept this request from each sender whose scheme sends no name.
fn with_routes(verifier: &Verifier, head: &HeadCopy) -> Vec<Verifier> {
    let request = head.head();
    let mut found = Vec::new();
    for (number, family) in verifier.requirements().accepted.iter().enumerate() {
        let senders: Vec<FamilyVerifier> = match family {
            FamilyVerifier::Drf(family) => {
                let senders = family.with_route_of(&request);
                senders.map(FamilyVerifier::Drf).collect()
            }
            FamilyVerifier::StandardWebhooks(family) => {
                let senders = family.with_route_of(&request);
                senders.map(FamilyVerifier::StandardWebhooks).collect()
            }
            _ => continue,
        };
        for sender in senders {
            let mut requirements = verifier.requirements().clone();
            requirements.expected_hosts.clear();
            if let Some(slot) = requirements.accepted.get_mut(number) {
                *slot = sender;
            }
            found.push(Verifier::unchecked(requirements));
        }
    }
    found.truncate(MAX_SENDERS);
    found
}

/// Returns the settings for a scheme.
pub(super) fn family_of(verifier: &Verifier, scheme: Scheme) -> Option<&FamilyVerifier> {
    let mut accepted = verifier.requirements().accepted.iter();
    accepted.find(|family| family.of_family().schemes().contains(&scheme))
}

/// Returns the names of the timestamp and signature headers, which can be configured.
pub(super) fn drf_names(verifier: &Verifier) -> Vec<(HeaderName, HeaderName)> {
    let accepted = verifier.requirements().accepted.iter();
    let names = accepted.filter_map(|family| match family {
        FamilyVerifier::Drf(family) => Some(family.header_names()),
        _ => None,
    });
    names
        .flatten()
        .map(|(timestamp, signature)| (timestamp.clone(), signature.clone()))
        .collect()
}
