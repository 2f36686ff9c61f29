//! draft-cavage-http-signatures-12.

use countersign::{CavageVerifySettings, RejectionKind, Verifier};
use http::{Method, request::Parts};
use tests::stranger::{append, unsigned};

use crate::{Outcome, assert_linear, builder, list, name, text};

const REQUIRED: &str = "(request-target) host date";
const SIGNATURE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn verifier() -> Verifier {
    let settings = CavageVerifySettings::new();
    builder().accept_only(settings).build().unwrap()
}

/// Makes a head that covers these names beside the required ones.
fn covering(target: &str, names: &str) -> Parts {
    with_parameters(
        target,
        &format!("keyId=\"billing\",headers=\"{REQUIRED}{names}\",signature=\"{SIGNATURE}\""),
    )
}

fn with_parameters(target: &str, parameters: &str) -> Parts {
    let mut head = unsigned(Method::GET, target);
    append(&mut head.headers, "date", "Fri, 02 Jan 2026 03:04:05 GMT");
    append(&mut head.headers, "signature", parameters);
    head
}

fn assert_claim(case: &str, size: usize, head: impl Fn(usize) -> Parts) {
    assert_linear(case, &verifier(), Outcome::UnverifiedHead, size, head);
}

fn assert_malformed(case: &str, size: usize, head: impl Fn(usize) -> Parts) {
    let malformed = Outcome::Refused(RejectionKind::Malformed);
    assert_linear(case, &verifier(), malformed, size, head);
}

#[test]
fn covered_headers_cost_what_their_number_and_length_is() {
    assert_claim("covered headers", 500, |size| {
        let mut head = covering("/", &list(size, "", |number| format!(" {}", name(number))));
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    assert_claim("lines of one header", 1000, |size| {
        let mut head = covering("/", " x-extra");
        (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
        head
    });
    assert_claim("a long value", 16_000, |size| {
        let mut head = covering("/", " x-extra");
        append(&mut head.headers, "x-extra", text(size));
        head
    });
    assert_claim("a long target", 8000, |size| {
        covering(&format!("/?{}", text(size)), "")
    });
    assert_malformed("one name again and again", 1000, |size| {
        covering("/", &" x-extra".repeat(size))
    });
    assert_malformed("absent headers", 500, |size| {
        covering("/", &list(size, "", |number| format!(" {}", name(number))))
    });
}

#[test]
fn parameters_and_digests_cost_what_their_length_is() {
    assert_malformed("a long signature", 16_000, |size| {
        with_parameters("/", &format!("keyId=\"a\",signature=\"{}\"", text(size)))
    });
    assert_malformed("blanks", 8000, |size| {
        with_parameters("/", &format!("keyId=\"a\"{},x", " ".repeat(size)))
    });
    assert_malformed("unknown parameters", 4000, |size| {
        with_parameters("/", &format!("keyId=\"a\",{}", "x=\"\",".repeat(size)))
    });
    assert_malformed("digests", 2000, |size| {
        let mut head = covering("/", " digest");
        append(
            &mut head.headers,
            "digest",
            list(size, ",", |_| "md5=AAAA".to_owned()),
        );
        head
    });
}
