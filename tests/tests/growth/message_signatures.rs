//! RFC 9421, HTTP Message Signatures.

use countersign::{
    ComponentId, HeadLimits, MessageSignaturesVerifySettings, RejectionKind, StructuredType,
    UriScheme, Verifier,
};
use http::{HeaderName, Method, request::Parts};
use tests::stranger::{BYTES, PARAMETERS, REQUIRED, append, message_signatures, unsigned};

use crate::{Outcome, assert_linear, builder, list, name, text};

fn verify_settings() -> MessageSignaturesVerifySettings {
    let field = |name| HeaderName::from_static(name);
    MessageSignaturesVerifySettings::new()
        .with_scheme(UriScheme::Https)
        .with_structured_field(field("example-dict"), StructuredType::Dictionary)
        .with_structured_field(field("example-list"), StructuredType::List)
        .with_structured_field(field("example-item"), StructuredType::Item)
}

fn verifier() -> Verifier {
    builder().accept_only(verify_settings()).build().unwrap()
}

/// Within the limits that a verifier has by default, and so what strangers can send to one.
fn assert_claim_within_default_limits(case: &str, size: usize, head: impl Fn(usize) -> Parts) {
    let verifier = builder().limits(HeadLimits::default());
    let verifier = verifier.accept_only(verify_settings()).build().unwrap();
    assert_linear(case, &verifier, Outcome::UnverifiedHead, size, head);
}

fn assert_claim(case: &str, size: usize, head: impl Fn(usize) -> Parts) {
    assert_linear(case, &verifier(), Outcome::UnverifiedHead, size, head);
}

fn assert_malformed(case: &str, size: usize, head: impl Fn(usize) -> Parts) {
    let malformed = Outcome::Refused(RejectionKind::Malformed);
    assert_linear(case, &verifier(), malformed, size, head);
}

fn query_param(name: &str) -> String {
    format!("\"@query-param\";name=\"{name}\"")
}

#[test]
fn a_query_is_split_once_however_many_of_its_parameters_are_covered() {
    assert_claim_within_default_limits("28 of 8 KiB", 7, |size| {
        let pairs = list(size, "&", |number| format!("p{number}=1"));
        let other = format!("&{}", "%41".repeat(26));
        let query = format!("{pairs}{}", other.repeat(3 * size));
        let components = list(size, " ", |number| query_param(&format!("p{number}")));
        message_signatures(&format!("/?{query}"), &components)
    });
    assert_claim("names that begin alike", 150, |size| {
        let query = list(size, "&", |number| format!("{}=1", name(number)));
        let components = list(size, " ", |number| query_param(&name(number)));
        message_signatures(&format!("/?{query}"), &components)
    });
    assert_claim("escapes", 2000, |size| {
        let query = format!("a={}", "%C3%A7".repeat(size));
        message_signatures(&format!("/?{query}"), &query_param("a"))
    });
    assert_claim("one of many", 1500, |size| {
        let query = list(size, "&", |number| format!("b{number}=1"));
        message_signatures(&format!("/?a=1&{query}"), &query_param("a"))
    });
    assert_malformed("one that is absent", 1500, |size| {
        let query = list(size, "&", |number| format!("b{number}=1"));
        message_signatures(&format!("/?{query}"), &query_param("a"))
    });
}

fn member(name: &str, key: &str) -> String {
    format!("\"{name}\";key=\"{key}\"")
}

#[test]
fn a_dictionary_is_parsed_once_however_many_of_its_members_are_covered() {
    assert_claim_within_default_limits("28 of 8 KiB", 7, |size| {
        let others = ", b".repeat(80 * size);
        let members = list(size, ", ", |number| format!("a{number}=1"));
        let components = list(size, " ", |number| {
            member("example-dict", &format!("a{number}"))
        });
        let mut head = message_signatures("/", &components);
        append(&mut head.headers, "example-dict", members + &others);
        head
    });
    assert_claim("each in both spellings", 7, |size| {
        let others = ", b".repeat(80 * size);
        let members = list(size, ", ", |number| format!("a{number}=(1 2);x"));
        let components = list(size, " ", |number| {
            let member = member("example-dict", &format!("a{number}"));
            format!("{member} {member};sf")
        });
        let mut head = message_signatures("/", &components);
        append(&mut head.headers, "example-dict", members + &others);
        head
    });
    assert_claim("a line each", 150, |size| {
        let components = list(size, " ", |number| {
            member("example-dict", &format!("a{number}"))
        });
        let mut head = message_signatures("/", &components);
        for number in 0..size {
            append(&mut head.headers, "example-dict", format!("a{number}=1"));
        }
        head
    });
    assert_claim("of the digest", 7, |size| {
        let others = ", b=:AA==:".repeat(30 * size);
        let members = list(size, ", ", |number| format!("a{number}=:AA==:"));
        let components = list(size, " ", |number| {
            member("content-digest", &format!("a{number}"))
        });
        let mut head = message_signatures("/", &format!("\"content-digest\" {components}"));
        let digest = format!("sha-256={BYTES}, {members}{others}");
        append(&mut head.headers, "content-digest", digest);
        head
    });
    assert_malformed("one that is absent", 1500, |size| {
        let members = list(size, ", ", |number| format!("a{number}"));
        let mut head = message_signatures("/", &member("example-dict", "b"));
        append(&mut head.headers, "example-dict", members);
        head
    });
}

/// Every field is another dictionary, so that each must be parsed.
#[test]
fn dictionaries_cost_what_they_are_together() {
    let of = |size: usize| {
        let names: Vec<_> = (0..size).map(name).collect();
        let mut verify_settings = verify_settings();
        for name in &names {
            let name = HeaderName::try_from(name.as_str()).unwrap();
            verify_settings =
                verify_settings.with_structured_field(name, StructuredType::Dictionary);
        }
        let verifier = builder().accept_only(verify_settings).build().unwrap();
        (names, verifier)
    };
    // The settings are those of the larger head in both.
    let (names, verifier) = of(4 * 25);
    assert_linear(
        "dictionaries",
        &verifier,
        Outcome::UnverifiedHead,
        25,
        |size| {
            let members = |key| list(size, " ", |number| member(&names[number], key));
            let components = format!("{} {}", members("a"), members("b"));
            let mut head = message_signatures("/", &components);
            for name in &names[..size] {
                append(&mut head.headers, name, "a=1, b=2");
            }
            head
        },
    );
}

#[test]
fn structured_fields_cost_what_their_length_is() {
    for (case, field, piece, separator) in [
        ("members", "example-dict", "a", ", "),
        ("parameters of a member", "example-dict", "a", ";"),
        ("items", "example-list", "a", ", "),
        ("inner lists", "example-list", "(a b);c", ", "),
        ("parameters of an item", "example-item", "a", ";"),
    ] {
        assert_claim(case, 500, |size| {
            let mut head = message_signatures("/", &format!("\"{field}\";sf"));
            let value = list(size, separator, |number| match piece {
                "a" => format!("a{number}"),
                piece => piece.to_owned(),
            });
            append(&mut head.headers, field, value);
            head
        });
    }
    for piece in ["(", "\"", "a;", "?1;a=\"\\\\\\\\", ":AA", "%\"%c3%a7"] {
        assert_malformed(&format!("pieces of {piece}"), 2000, |size| {
            let mut head = message_signatures("/", "\"example-list\";sf");
            append(&mut head.headers, "example-list", piece.repeat(size));
            head
        });
    }
}

#[test]
fn header_lines_cost_what_their_number_is() {
    assert_claim("headers", 1000, |size| {
        let mut head = message_signatures("/", "\"@scheme\"");
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    for form in ["", ";bs"] {
        assert_claim(&format!("lines of one name{form}"), 1000, |size| {
            let mut head = message_signatures("/", &format!("\"x-extra\"{form}"));
            (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
            head
        });
        assert_claim(&format!("a covered value{form}"), 16_000, |size| {
            let mut head = message_signatures("/", &format!("\"x-extra\"{form}"));
            append(&mut head.headers, "x-extra", text(size));
            head
        });
    }
    assert_claim("lines of a digest", 500, |size| {
        let mut head = message_signatures("/", "\"content-digest\"");
        let digest = format!("sha-256={BYTES}");
        append(&mut head.headers, "content-digest", digest);
        for number in 0..size {
            append(
                &mut head.headers,
                "content-digest",
                format!("a{number}=:AA==:"),
            );
        }
        head
    });
}

#[test]
fn components_cost_what_their_number_is() {
    assert_claim("fields", 200, |size| {
        let mut head = message_signatures(
            "/",
            &list(size, " ", |number| format!("\"{}\"", name(number))),
        );
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    assert_claim("fields as bytes", 200, |size| {
        let components = list(size, " ", |number| format!("\"{}\";bs", name(number)));
        let mut head = message_signatures("/", &components);
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    assert_malformed("one twice at the end", 200, |size| {
        let components = list(size, " ", |number| format!("\"{}\"", name(number)));
        message_signatures("/", &format!("{components} \"{}\"", name(0)))
    });
    assert_malformed("parameters of a component", 2000, |size| {
        message_signatures("/", &format!("\"x-extra\"{}", ";a".repeat(size)))
    });
    assert_claim("spaces between components", 8000, |size| {
        let mut head = message_signatures("/", &format!("{}\"x-extra\"", " ".repeat(size)));
        append(&mut head.headers, "x-extra", "a");
        head
    });
}

#[test]
fn the_target_costs_what_its_length_is() {
    let all = r#""@target-uri" "@request-target""#;
    assert_claim("query pairs", 2000, |size| {
        message_signatures(
            &format!("/?{}", list(size, "&", |number| format!("a{number}"))),
            all,
        )
    });
    assert_claim("path segments", 6000, |size| {
        message_signatures(&"/a".repeat(size), all)
    });
}

#[test]
fn labels_and_signatures_cost_what_their_number_is() {
    let verify_settings = verify_settings().with_tag("mine").unwrap();
    let verifier = builder().accept_only(verify_settings).build().unwrap();
    // One is for this verifier; the others are somebody else's.
    let of = |size: usize, lines: bool| {
        let mut head = unsigned(Method::GET, "/");
        let tag = |number| if number == 0 { "mine" } else { "other" };
        let input =
            |number: usize| format!("s{number}=({REQUIRED}){PARAMETERS};tag=\"{}\"", tag(number));
        let signature = |number: usize| format!("s{number}={BYTES}");
        if lines {
            for number in 0..size {
                append(&mut head.headers, "signature-input", input(number));
                append(&mut head.headers, "signature", signature(number));
            }
        } else {
            append(
                &mut head.headers,
                "signature-input",
                list(size, ", ", input),
            );
            append(&mut head.headers, "signature", list(size, ", ", signature));
        }
        head
    };
    for lines in [false, true] {
        let case = format!("labels, on lines of their own: {lines}");
        assert_linear(&case, &verifier, Outcome::UnverifiedHead, 2, |size| {
            of(size, lines)
        });
        let malformed = Outcome::Refused(RejectionKind::Malformed);
        let case = format!("more labels than the limit, on lines of their own: {lines}");
        assert_linear(&case, &verifier, malformed, 500, |size| of(size, lines));
    }
}

#[test]
fn parameters_of_the_signature_cost_what_their_length_is() {
    let with = |parameters: String| {
        let mut head = unsigned(Method::GET, "/");
        let input = format!("sig1=({REQUIRED}){PARAMETERS}{parameters}");
        append(&mut head.headers, "signature-input", input);
        append(&mut head.headers, "signature", format!("sig1={BYTES}"));
        head
    };
    assert_claim("a tag", 16_000, |size| {
        with(format!(";tag=\"{}\"", text(size)))
    });
    assert_claim("spaces", 16_000, |size| {
        with(format!(";{}tag=\"a\"", " ".repeat(size)))
    });
    for piece in [";a", ";created=1", ";nonce=\"\\\\\""] {
        assert_malformed(&format!("parameters {piece}"), 2000, |size| {
            with(piece.repeat(size))
        });
    }
}

/// The required components are searched among the covered ones.
#[test]
fn required_components_cost_no_more_than_what_is_covered() {
    let required = ComponentId::from(HeaderName::from_static("x-extra"));
    let verifier = builder().accept_only(verify_settings().with_required_component(required));
    let verifier = verifier.build().unwrap();
    assert_linear(
        "required",
        &verifier,
        Outcome::UnverifiedHead,
        200,
        |size| {
            let components = list(size, " ", |number| format!("\"{}\"", name(number)));
            let mut head = message_signatures("/", &format!("{components} \"x-extra\""));
            (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
            append(&mut head.headers, "x-extra", "a");
            head
        },
    );
}
