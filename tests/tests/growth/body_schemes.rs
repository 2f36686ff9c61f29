//! `X-HMAC-SHA256` (DRF) and Standard Webhooks.

use countersign::{DrfVerifySettings, RejectionKind, StandardWebhooksVerifySettings, Verifier};
use http::{Method, request::Parts};
use tests::stranger::{HOOK, V1, append, drf, webhooks};

use crate::{Outcome, assert_linear, builder, name, text};

fn drf_verifier() -> Verifier {
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let django = django.with_route(Method::POST, HOOK).unwrap();
    builder().accept_only(django).build().unwrap()
}

fn webhooks_verifier() -> Verifier {
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let svix = svix.with_route(Method::POST, HOOK).unwrap();
    builder().accept_only(svix).build().unwrap()
}

/// Makes a head with this target and this signature.
type Signed = fn(&str, &str) -> Parts;

fn each() -> [(&'static str, Verifier, Signed, String); 2] {
    [
        ("DRF", drf_verifier(), drf, "0".repeat(64)),
        ("webhooks", webhooks_verifier(), webhooks, V1.to_owned()),
    ]
}

#[test]
fn header_lines_cost_what_their_number_is() {
    for (scheme, verifier, signed, signature) in each() {
        let case = format!("{scheme}: headers");
        assert_linear(&case, &verifier, Outcome::UnverifiedHead, 1000, |size| {
            let mut head = signed(HOOK, &signature);
            (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
            head
        });
        let case = format!("{scheme}: lines of one name");
        assert_linear(&case, &verifier, Outcome::UnverifiedHead, 1000, |size| {
            let mut head = signed(HOOK, &signature);
            (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
            head
        });
    }
}

#[test]
fn values_cost_what_their_length_is() {
    let malformed = Outcome::Refused(RejectionKind::Malformed);
    for (scheme, verifier, signed, signature) in each() {
        let case = format!("{scheme}: a long signature");
        assert_linear(&case, &verifier, malformed, 16_000, |size| {
            signed(HOOK, &text(size))
        });
        let case = format!("{scheme}: a long target");
        let uncovered = Outcome::Refused(RejectionKind::InsufficientCoverage);
        assert_linear(&case, &verifier, uncovered, 8000, |size| {
            signed(&format!("{HOOK}?{}", text(size)), &signature)
        });
    }
}

#[test]
fn signatures_cost_what_their_number_is() {
    let verifier = webhooks_verifier();
    assert_linear(
        "signatures",
        &verifier,
        Outcome::UnverifiedHead,
        2,
        |size| webhooks(HOOK, &vec![V1; size].join(" ")),
    );
    let malformed = Outcome::Refused(RejectionKind::Malformed);
    assert_linear("more than the limit", &verifier, malformed, 500, |size| {
        webhooks(HOOK, &vec![V1; size].join(" "))
    });
}
