//! Each limit of [`HeadLimits`] holds in each scheme that its documentation names, to the byte, and
//! in no other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{
    ConfigErrorKind, DrfVerifySettings, HeadLimits, MessageSignaturesVerifySettings, RejectionKind,
    Scheme, SigV4Presigned, SigV4VerifySettings, StandardWebhooksVerifySettings, StructuredType,
    Verifier, VerifierBuilder,
};
use http::{HeaderName, Method, request::Parts};
use tests::{
    keys::NOW,
    stranger::{
        self, BYTES, HOOK, HOST, PARAMETERS, REGION, REQUIRED, SERVICE, V1, append,
        message_signatures, presigned, sigv4, unsigned,
    },
};

type Limit = fn(HeadLimits, usize) -> HeadLimits;

fn accepting_all() -> VerifierBuilder {
    let dictionary = HeaderName::from_static("example-dict");
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    Verifier::builder()
        .expected_hosts([HOST])
        .accept(Scheme::Ed25519)
        .accept(
            SigV4VerifySettings::new(REGION, SERVICE)
                .unwrap()
                .with_presigned(SigV4Presigned::new()),
        )
        .accept(
            MessageSignaturesVerifySettings::new()
                .with_structured_field(dictionary, StructuredType::Dictionary),
        )
        .accept(django.with_route(Method::POST, HOOK).unwrap())
        .accept(svix.with_route(Method::POST, HOOK).unwrap())
}

/// The result for a head under this limit.
fn judge(limit: Limit, value: usize, head: &Parts) -> Result<Scheme, RejectionKind> {
    let limits = limit(HeadLimits::default(), value);
    let verifier = accepting_all().limits(limits).build().unwrap();
    let found = verifier.parse(head, NOW);
    found
        .map(|claim| claim.scheme())
        .map_err(|rejection| rejection.kind())
}

/// Heads of which each has so many of what the limit is on.
#[track_caller]
fn assert_limited<const N: usize>(limit: Limit, heads: [(&str, Parts, usize); N]) {
    for (name, head, size) in heads {
        let found = judge(limit, size, &head);
        assert!(found.is_ok(), "{name}: at the limit of {size}: {found:?}");
        let found = judge(limit, size - 1, &head);
        assert_eq!(found, Err(RejectionKind::Malformed), "{name}: one over");
    }
}

/// Heads on which a limit has no bearing.
#[track_caller]
fn assert_unlimited<const N: usize>(limit: Limit, heads: [(&str, Parts); N]) {
    for (name, head) in heads {
        let found = judge(limit, 0, &head);
        assert!(found.is_ok(), "{name}: {found:?}");
    }
}

fn with(mut head: Parts, lines: &[(&str, &str)]) -> Parts {
    for (name, value) in lines {
        append(&mut head.headers, name, value);
    }
    head
}

fn extra() -> Vec<String> {
    vec!["x-extra".to_owned()]
}

fn hmac(target: &str, further: &[String]) -> Parts {
    stranger::native(Scheme::HmacSha256, target, further, " ")
}

fn ed25519(target: &str, further: &[String]) -> Parts {
    stranger::native(Scheme::Ed25519, target, further, " ")
}

fn drf() -> Parts {
    stranger::drf(HOOK, &"0".repeat(64))
}

fn webhooks() -> Parts {
    stranger::webhooks(HOOK, V1)
}

fn len_of(head: &Parts, name: &str) -> usize {
    let lines = head.headers.get_all(name).iter();
    lines.map(http::HeaderValue::len).sum()
}

#[test]
fn the_credentials_of_every_scheme_are_bounded() {
    let limit = HeadLimits::with_authorization_bytes;
    let in_authorization = [
        ("HMAC-SHA256", hmac("/", &[])),
        ("ED25519", ed25519("/", &[])),
        ("SigV4", sigv4("/", &[])),
    ];
    assert_limited(
        limit,
        in_authorization.map(|(name, head)| {
            let len = len_of(&head, "authorization");
            (name, head, len)
        }),
    );
    // In whichever scheme the signature is, the header is bounded.
    let beside = [("authorization", "Bearer 0123456789")];
    assert_limited(
        limit,
        [
            ("DRF", drf()),
            ("webhooks", webhooks()),
            ("SigV4 presigned", presigned("/", "", &[])),
        ]
        .map(|(name, head)| (name, with(head, &beside), 17)),
    );
    let input = format!("sig1=({REQUIRED}){PARAMETERS}");
    let long = format!("sig1=:{}:", "AAAA".repeat(80));
    let two = |tag: &str| format!("sig2=({REQUIRED}){PARAMETERS};tag=\"{tag}\"");
    let [first, second] = [format!("sig1={BYTES}"), format!("sig2={BYTES}")];
    let of = |lines: &[(&str, &str)]| with(unsigned(Method::GET, "/"), lines);
    let heads = [
        (
            "RFC 9421, signature-input",
            of(&[("signature-input", &input), ("signature", &first)]),
            "signature-input",
        ),
        (
            "RFC 9421, signature",
            of(&[("signature-input", &input), ("signature", &long)]),
            "signature",
        ),
        (
            // The second is none that counts: it covers too little.
            "RFC 9421, on two lines",
            of(&[
                ("signature-input", &input),
                ("signature-input", &two("b").replace(REQUIRED, "")),
                ("signature", &first),
                ("signature", &second),
            ]),
            "signature-input",
        ),
    ];
    assert_limited(
        limit,
        heads.map(|(name, head, field)| {
            let len = len_of(&head, field);
            (name, head, len)
        }),
    );
}

#[test]
fn the_target_of_every_scheme_is_bounded() {
    let limit = HeadLimits::with_target_bytes;
    let url = presigned("/a", "b=c", &[]);
    let len = url.uri.path_and_query().unwrap().as_str().len();
    let target = "/hook?0123456789";
    assert_limited(
        limit,
        [
            ("HMAC-SHA256", hmac(target, &[]), 16),
            ("ED25519", ed25519(target, &[]), 16),
            ("SigV4", sigv4(target, &[]), 16),
            ("SigV4 presigned", url, len),
            ("RFC 9421", message_signatures(target, "\"host\""), 16),
        ],
    );
    // In these two only the routes of the settings are accepted, so that another target is refused
    // in any case.
    let signature = "0".repeat(64);
    for (name, head) in [
        ("DRF", stranger::drf(target, &signature)),
        ("webhooks", stranger::webhooks(target, V1)),
    ] {
        let uncovered = Err(RejectionKind::InsufficientCoverage);
        assert_eq!(judge(limit, 16, &head), uncovered, "{name}");
        let malformed = Err(RejectionKind::Malformed);
        assert_eq!(judge(limit, 15, &head), malformed, "{name}");
    }
}

#[test]
fn a_route_that_is_longer_than_every_target_is_refused_at_the_start() {
    let django = || DrfVerifySettings::for_caller("django").unwrap();
    let svix = || StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let built = |builder: VerifierBuilder, bytes| {
        let limits = HeadLimits::default().with_target_bytes(bytes);
        let built = builder.limits(limits).build();
        built.map(|_| ()).map_err(|error| error.kind())
    };
    for route in ["/hooks", "/hook?"] {
        let drf = django().with_route(Method::POST, route).unwrap();
        let webhooks = svix().with_route(Method::POST, route).unwrap();
        for builder in [
            || Verifier::builder(),
            || Verifier::builder().expected_hosts([HOST]),
        ] {
            let accepting = [
                builder().accept(drf.clone()),
                builder().accept(webhooks.clone()),
            ];
            for builder in accepting {
                assert_eq!(built(builder, 6), Ok(()), "{route}");
            }
            let accepting = [
                builder().accept(drf.clone()),
                builder().accept(webhooks.clone()),
            ];
            for builder in accepting {
                assert_eq!(built(builder, 5), Err(ConfigErrorKind::Setting), "{route}");
            }
        }
    }
}

#[test]
fn the_number_of_covered_headers_is_bounded() {
    let limit = HeadLimits::with_covered_headers;
    let extra_line = [("x-extra", "a")];
    assert_limited(
        limit,
        [
            ("HMAC-SHA256", with(hmac("/", &extra()), &extra_line), 4),
            ("ED25519", with(ed25519("/", &extra()), &extra_line), 4),
            ("SigV4", with(sigv4("/", &extra()), &extra_line), 3),
            (
                "SigV4 presigned",
                with(presigned("/", "", &extra()), &extra_line),
                2,
            ),
            (
                "RFC 9421",
                with(message_signatures("/", "\"x-extra\""), &extra_line),
                5,
            ),
            (
                "RFC 9421, parameters of the query",
                message_signatures("/?a=1", "\"@query-param\";name=\"a\""),
                5,
            ),
        ],
    );
    assert_unlimited(limit, [("DRF", drf()), ("webhooks", webhooks())]);
}

#[test]
fn the_length_of_a_covered_value_is_bounded() {
    let limit = HeadLimits::with_covered_value_bytes;
    let value = "a".repeat(70);
    let one = [("x-extra", &*value)];
    let half = "a".repeat(34);
    let two = [("x-extra", &*half), ("x-extra", &*half)];
    assert_limited(
        limit,
        [
            ("HMAC-SHA256", with(hmac("/", &extra()), &one), 70),
            ("ED25519", with(ed25519("/", &extra()), &one), 70),
            ("HMAC-SHA256, the hash of the body", hmac("/", &[]), 64),
            ("SigV4", with(sigv4("/", &extra()), &one), 70),
            ("SigV4, two lines", with(sigv4("/", &extra()), &two), 69),
            ("SigV4, the host", sigv4("/", &[]), HOST.len()),
            (
                "SigV4 presigned",
                with(presigned("/", "", &extra()), &one),
                70,
            ),
            (
                "SigV4 presigned, the host",
                presigned("/", "", &[]),
                HOST.len(),
            ),
        ],
    );
    let dictionary = format!("a={}", "b".repeat(68));
    let [first, second] = ["a=", "b="].map(|start| format!("{start}{}", "c".repeat(32)));
    let digest = format!("sha-256={BYTES}");
    for (form, lines, size) in [
        ("\"x-extra\"", &one[..], 70),
        ("\"x-extra\"", &two, 70),
        ("\"x-extra\";bs", &one, 70),
        ("\"x-extra\";bs", &two, 70),
        ("\"example-dict\"", &[("example-dict", &*dictionary)], 70),
        ("\"example-dict\";sf", &[("example-dict", &*dictionary)], 70),
        (
            "\"example-dict\";key=\"a\"",
            &[("example-dict", &*dictionary)],
            70,
        ),
        (
            "\"example-dict\";key=\"b\"",
            &[("example-dict", &*first), ("example-dict", &*second)],
            70,
        ),
        ("\"content-digest\"", &[("content-digest", &*digest)], 54),
        ("\"host\"", &[], HOST.len()),
    ] {
        let head = with(message_signatures("/", form), lines);
        assert_limited(limit, [(form, head, size)]);
    }
    // The covered parts of these two have separate bounds, of 12 and 256 bytes.
    assert_unlimited(limit, [("DRF", drf()), ("webhooks", webhooks())]);
}

#[test]
fn the_number_of_query_parameters_is_bounded_where_they_are_signed_one_by_one() {
    let limit = HeadLimits::with_query_parameters;
    let parameter = "\"@query-param\";name=\"a\"";
    assert_limited(
        limit,
        [
            ("SigV4", sigv4("/?a=1&b&c=", &[]), 3),
            ("SigV4 presigned", presigned("/", "a=1&b&c=", &[]), 9),
            ("RFC 9421", message_signatures("/?a=1&b&c=", parameter), 3),
            (
                "RFC 9421, gaps",
                message_signatures("/?&&a=1&&&b&", parameter),
                2,
            ),
        ],
    );
    assert_unlimited(
        limit,
        [
            ("HMAC-SHA256", hmac("/?a=1&b&c=", &[])),
            ("ED25519", ed25519("/?a=1&b&c=", &[])),
            (
                "RFC 9421, the whole query",
                message_signatures("/?a=1&b&c=", "\"host\""),
            ),
            ("DRF", drf()),
            ("webhooks", webhooks()),
        ],
    );
}
