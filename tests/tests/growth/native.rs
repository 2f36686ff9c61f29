//! `HMAC-SHA256` and `ED25519`.

use countersign::{RejectionKind, Scheme, Verifier};
use http::request::Parts;
use tests::stranger::{append, native};

use crate::{Outcome, assert_linear, builder, list, name, text};

fn verifier() -> Verifier {
    builder().accept(Scheme::Ed25519).build().unwrap()
}

fn assert_each_linear(
    case: &str,
    expected: Outcome,
    size: usize,
    head: impl Fn(Scheme, usize) -> Parts,
) {
    for scheme in [Scheme::HmacSha256, Scheme::Ed25519] {
        let case = format!("{scheme}: {case}");
        assert_linear(&case, &verifier(), expected, size, |size| {
            head(scheme, size)
        });
    }
}

#[test]
fn header_lines_cost_what_their_number_is() {
    assert_each_linear("headers", Outcome::UnverifiedHead, 1000, |scheme, size| {
        let mut head = native(scheme, "/", &[], " ");
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    assert_each_linear(
        "lines of one name",
        Outcome::UnverifiedHead,
        1000,
        |scheme, size| {
            let mut head = native(scheme, "/", &[], " ");
            (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
            head
        },
    );
}

#[test]
fn covered_headers_cost_what_their_number_and_their_length_are() {
    assert_each_linear(
        "covered headers",
        Outcome::UnverifiedHead,
        200,
        |scheme, size| {
            let names: Vec<_> = (0..size).map(name).collect();
            let mut head = native(scheme, "/", &names, " ");
            for name in &names {
                append(&mut head.headers, name, "a");
            }
            head
        },
    );
    assert_each_linear(
        "a covered value",
        Outcome::UnverifiedHead,
        16_000,
        |scheme, size| {
            let mut head = native(scheme, "/", &["x-extra".to_owned()], " ");
            append(&mut head.headers, "x-extra", text(size));
            head
        },
    );
    let repeated = Outcome::Refused(RejectionKind::Malformed);
    for size in [1, 200] {
        assert_each_linear("a covered name twice", repeated, size, |scheme, size| {
            let names: Vec<_> = (0..size).map(name).collect();
            let twice = [&names[..], &names[..1]].concat();
            let mut head = native(scheme, "/", &twice, " ");
            for name in &names {
                append(&mut head.headers, name, "a");
            }
            head
        });
    }
    assert_each_linear("lines of a covered name", repeated, 1000, |scheme, size| {
        let names = vec!["x-extra".to_owned(); size];
        let mut head = native(scheme, "/", &names, " ");
        (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
        head
    });
}

#[test]
fn the_target_and_the_parameters_cost_what_their_length_is() {
    assert_each_linear(
        "query pairs",
        Outcome::UnverifiedHead,
        3000,
        |scheme, size| {
            let query = list(size, "&", |number| format!("a{}", number % 10));
            native(scheme, &format!("/?{query}"), &[], " ")
        },
    );
    assert_each_linear(
        "path segments",
        Outcome::UnverifiedHead,
        4000,
        |scheme, size| native(scheme, &"/a".repeat(size), &[], " "),
    );
    assert_each_linear("spaces", Outcome::UnverifiedHead, 16_000, |scheme, size| {
        native(scheme, "/", &[], &" ".repeat(size))
    });
}
