//! `AWS4-HMAC-SHA256`, in the header and in the URL.

use countersign::{
    HeadLimits, RejectionKind, SigV4PathEncoding, SigV4Presigned, SigV4VerifySettings, Verifier,
};
use http::request::Parts;
use tests::stranger::{REGION, SERVICE, append, presigned, sigv4};

use crate::{Outcome, assert_linear, builder, list, name, text};

/// The place of the signature.
#[derive(Clone, Copy, Debug)]
enum Place {
    Header,
    Query,
}

fn verify_settings() -> SigV4VerifySettings {
    let verify_settings = SigV4VerifySettings::new(REGION, SERVICE).unwrap();
    verify_settings.with_presigned(SigV4Presigned::new())
}

/// Takes paths and queries that are spelled in whatever way, so that the work of bringing them to
/// one form is done.
fn lenient() -> SigV4VerifySettings {
    verify_settings()
        .with_path_encoding(SigV4PathEncoding::Single)
        .insecure_accept_noncanonical_paths()
        .insecure_accept_ambiguous_queries()
        .insecure_accept_repeated_query_names()
}

fn verifier(verify_settings: SigV4VerifySettings) -> Verifier {
    builder().accept_only(verify_settings).build().unwrap()
}

/// A head whose signature covers these headers, whose names follow those that it always covers in
/// order.
fn covering(place: Place, path: &str, query: &str, further: &[String]) -> Parts {
    match place {
        Place::Header => sigv4(&format!("{path}?{query}"), further),
        Place::Query => presigned(path, query, further),
    }
}

fn assert_each_linear(
    case: &str,
    verify_settings: &SigV4VerifySettings,
    expected: Outcome,
    size: usize,
    head: impl Fn(Place, usize) -> Parts,
) {
    for place in [Place::Header, Place::Query] {
        let case = format!("{place:?}: {case}");
        let verifier = verifier(verify_settings.clone());
        assert_linear(&case, &verifier, expected, size, |size| head(place, size));
    }
}

#[test]
fn header_lines_cost_what_their_number_is() {
    let claim = Outcome::UnverifiedHead;
    assert_each_linear("headers", &verify_settings(), claim, 500, |place, size| {
        let mut head = covering(place, "/", "", &[]);
        (0..size).for_each(|number| append(&mut head.headers, &name(number), "a"));
        head
    });
    assert_each_linear(
        "lines of one name",
        &verify_settings(),
        claim,
        500,
        |place, size| {
            let mut head = covering(place, "/", "", &["x-extra".to_owned()]);
            (0..size).for_each(|_| append(&mut head.headers, "x-extra", "a"));
            head
        },
    );
}

#[test]
fn covered_headers_cost_what_their_number_and_their_length_are() {
    let claim = Outcome::UnverifiedHead;
    assert_each_linear(
        "covered headers",
        &verify_settings(),
        claim,
        200,
        |place, size| {
            let names: Vec<_> = (0..size)
                .map(|number| format!("y{}", name(number)))
                .collect();
            let mut head = covering(place, "/", "", &names);
            for name in &names {
                append(&mut head.headers, name, "a");
            }
            head
        },
    );
    let case = "covered headers of two lines";
    assert_each_linear(case, &verify_settings(), claim, 200, |place, size| {
        let names: Vec<_> = (0..size)
            .map(|number| format!("y{}", name(number)))
            .collect();
        let mut head = covering(place, "/", "", &names);
        for name in names.iter().chain(&names) {
            append(&mut head.headers, name, "a");
        }
        head
    });
    for (case, piece) in [
        ("a covered value", "a"),
        ("spaces in a covered value", "a  "),
    ] {
        assert_each_linear(case, &verify_settings(), claim, 8000, |place, size| {
            let mut head = covering(place, "/", "", &["x-extra".to_owned()]);
            append(&mut head.headers, "x-extra", piece.repeat(size));
            head
        });
    }
}

#[test]
fn query_parameters_cost_what_their_length_is() {
    type Query = fn(usize) -> String;
    let cases: [(&str, usize, Query); 9] = [
        ("names", 800, |size| {
            list(size, "&", |number| format!("a{number}=1"))
        }),
        ("names that begin alike", 200, |size| list(size, "&", name)),
        ("names in another spelling", 200, |size| {
            list(size, "&", |number| format!("%61{}", name(number)))
        }),
        ("values that begin alike", 200, |size| {
            list(size, "&", |number| format!("a={}", name(number)))
        }),
        ("values in another spelling", 200, |size| {
            list(size, "&", |number| format!("a=%61{}", name(number)))
        }),
        ("X-Amz names", 200, |size| {
            list(size, "&", |number| format!("X-Amz-{}", name(number)))
        }),
        ("X-Amz names in another spelling", 200, |size| {
            list(size, "&", |number| format!("%58-Amz-{}", name(number)))
        }),
        ("names that begin like one of the signature", 400, |size| {
            list(size, "&", |number| format!("X-Amz-Signatur{number:06}"))
        }),
        ("empty ones", 6000, |size| "&".repeat(size)),
    ];
    for (case, size, query) in cases {
        assert_each_linear(
            case,
            &lenient(),
            Outcome::UnverifiedHead,
            size,
            |place, size| covering(place, "/", &query(size), &[]),
        );
    }
    // The names alone, which a strict verifier takes.
    for (case, size, query) in &cases[..2] {
        assert_each_linear(
            case,
            &verify_settings(),
            Outcome::UnverifiedHead,
            *size,
            |place, size| covering(place, "/", &query(size), &[]),
        );
    }
    let twice = Outcome::Refused(RejectionKind::Malformed);
    assert_each_linear(
        "a name twice",
        &verify_settings(),
        twice,
        200,
        |place, size| {
            let names = list(size, "&", name);
            covering(place, "/", &format!("{names}&{}", name(0)), &[])
        },
    );
}

/// Within the limits that a verifier has by default: 116 parameters that begin alike, in 8 KiB.
#[test]
fn a_query_within_the_default_limits_costs_what_its_length_is() {
    for prefix in ["", "%61"] {
        let case = format!("{prefix}: names that begin alike");
        let verifier = builder().limits(HeadLimits::default());
        let verifier = verifier.accept_only(lenient()).build().unwrap();
        for place in [Place::Header, Place::Query] {
            assert_linear(&case, &verifier, Outcome::UnverifiedHead, 29, |size| {
                let query = list(size, "&", |number| {
                    format!("{prefix}{}{number:03}", text(52))
                });
                covering(place, "/", &query, &[])
            });
        }
    }
}

#[test]
fn a_path_costs_what_its_length_is() {
    for piece in ["/a", "/..", "//", "/%2e", "/%61", "/*"] {
        let case = format!("a path of {piece}");
        assert_each_linear(
            &case,
            &lenient(),
            Outcome::UnverifiedHead,
            3000,
            |place, size| covering(place, &piece.repeat(size), "", &[]),
        );
    }
}

#[test]
fn the_parameters_of_the_header_cost_what_their_length_is() {
    let malformed = Outcome::Refused(RejectionKind::Malformed);
    for (case, expected, start, piece, end) in [
        ("spaces", Outcome::UnverifiedHead, "", " ", ""),
        (
            "slashes in the credential",
            malformed,
            "Credential=",
            "/",
            ", ",
        ),
        ("commas", malformed, "a", ",", ""),
        ("equals signs", malformed, "a", "=", ""),
    ] {
        assert_linear(case, &verifier(verify_settings()), expected, 8000, |size| {
            let mut head = covering(Place::Header, "/", "", &[]);
            let value = head.headers.remove("authorization").unwrap();
            let (name, rest) = value.to_str().unwrap().split_once(' ').unwrap();
            let (credential, rest) = rest.split_once(' ').unwrap();
            let value = if start.is_empty() {
                format!("{name} {credential} {}{rest}", piece.repeat(size))
            } else {
                format!("{name} {start}{}{end}{rest}", piece.repeat(size))
            };
            append(&mut head.headers, "authorization", value);
            head
        });
    }
}
