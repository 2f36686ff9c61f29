//! RFC 9421 through the public API: the coverage, which of several signatures counts, and how other
//! implementations have failed. Tests named after a failure say where it happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{hint::black_box, time::Duration};

use base64ct::{Base64, Encoding};
use countersign::{
    Algorithm, Asserted, BodyState, CallerKey, ComponentId, ConfigErrorKind, HeadLimits,
    KeyStore as _, Keyring, MessageSignaturesSignSettings, MessageSignaturesVerifySettings, Nonce,
    PayloadDigest, RejectionKind, Scheme, Secret, SignErrorKind, Signer, SigningKey, Timestamp,
    UriScheme, Verified, Verifier, VerifierBuilder, VerifyingKey,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use sha2::Sha256;
use tests::{
    growth::{self, FACTOR},
    keys::{NOW, OTHER_SECRET, SECRET},
};

const HOST: &str = "user-service.internal";
const BODY: &[u8] = b"{\"userId\":123}";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::HmacSha256, Algorithm::Ed25519];

fn secret(hex: &str) -> Secret {
    Secret::from_hex(hex).unwrap()
}

fn key(algorithm: Algorithm, hex: &str) -> SigningKey {
    match algorithm {
        Algorithm::HmacSha256 => SigningKey::message_hmac_sha256(&secret(hex)),
        Algorithm::Ed25519 => SigningKey::message_ed25519(&secret(hex)).unwrap(),
        other => panic!("no key of {other}"),
    }
}

fn hmac() -> SigningKey {
    key(Algorithm::HmacSha256, SECRET)
}

fn signing() -> MessageSignaturesSignSettings {
    MessageSignaturesSignSettings::new("billing", hmac()).unwrap()
}

fn signer(settings: MessageSignaturesSignSettings) -> Signer {
    Signer::message_signatures(settings, [HOST]).unwrap()
}

fn keyring(key: &SigningKey) -> Keyring {
    keyring_of(CallerKey::new("1", key.verifying_key()).unwrap())
}

fn keyring_of(key: CallerKey) -> Keyring {
    Keyring::builder().caller("billing", key).build().unwrap()
}

fn builder(settings: MessageSignaturesVerifySettings) -> VerifierBuilder {
    Verifier::builder()
        .accept_only(settings)
        .expected_hosts([HOST])
        .keep_evidence()
}

fn verifier(settings: MessageSignaturesVerifySettings) -> Verifier {
    builder(settings).build().unwrap()
}

fn field(name: &'static str) -> ComponentId<'static> {
    HeaderName::from_static(name).into()
}

fn post() -> Parts {
    let request = Request::post("/api/account/7?x=1&y=2")
        .header("host", HOST)
        .header("content-type", "application/json")
        .body(());
    request.unwrap().into_parts().0
}

fn get() -> Parts {
    let request = Request::get("/api/account/7").header("host", HOST).body(());
    request.unwrap().into_parts().0
}

fn sign(settings: MessageSignaturesSignSettings, mut parts: Parts, body: &[u8]) -> Parts {
    let signature = signer(settings).sign(&parts, PayloadDigest::of(body), NOW);
    signature.unwrap().apply(&mut parts);
    parts
}

fn judge_at(
    verifier: &Verifier,
    keys: &Keyring,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Result<Verified, RejectionKind> {
    let kind = |rejection: countersign::Rejection| rejection.kind();
    let unverified = verifier.parse(parts, now).map_err(kind)?;
    let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
    let authentication = unverified.authenticate(&found, now).map_err(kind)?;
    authentication.finish_with(body, now).map_err(kind)
}

/// Under the default settings, with the key that [`signing`] has.
fn judge(parts: &Parts, body: &[u8]) -> Result<Verified, RejectionKind> {
    let verifier = verifier(MessageSignaturesVerifySettings::new());
    judge_at(&verifier, &keyring(&hmac()), parts, body, NOW)
}

#[track_caller]
fn assert_refused(name: &str, parts: &Parts, body: &[u8], expected: RejectionKind) {
    let found = judge(parts, body);
    assert_eq!(found.map(|_| ()), Err(expected), "{name}");
}

fn set(parts: &mut Parts, name: &'static str, value: &str) {
    let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
    parts.headers.insert(name, value);
}

fn header(parts: &Parts, name: &str) -> String {
    parts.headers[name].to_str().unwrap().to_owned()
}

/// Puts a member of `Signature-Input` on a request, with a right signature over the base that it
/// would have.
fn forge(mut parts: Parts, lines: &[(&str, &str)], parameters: &str) -> Parts {
    let ids: Vec<_> = lines.iter().map(|(id, _)| *id).collect();
    let input = format!("({}){parameters}", ids.join(" "));
    let values = lines.iter().map(|(id, value)| format!("{id}: {value}"));
    let last = format!("\"@signature-params\": {input}");
    let base = values.chain([last]).collect::<Vec<_>>().join("\n");
    let signature = mac(base.as_bytes());
    set(&mut parts, "signature-input", &format!("sig1={input}"));
    set(&mut parts, "signature", &format!("sig1=:{signature}:"));
    parts
}

fn mac(base: &[u8]) -> String {
    let secret = base16ct::lower::decode_vec(SECRET).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(base);
    Base64::encode_string(&mac.finalize().into_bytes())
}

const GET_LINES: [(&str, &str); 4] = [
    ("\"@method\"", "GET"),
    ("\"@authority\"", HOST),
    ("\"@path\"", "/api/account/7"),
    ("\"@query\"", "?"),
];
const PARAMETERS: &str = ";created=1767323045;nonce=\"0123456789abcdef\";keyid=\"billing\"";

#[test]
fn verifies_what_it_signs() {
    for algorithm in ALGORITHMS {
        for (name, parts, body) in [
            ("a body", post(), BODY),
            ("no body", get(), b""),
            ("a type and no body", post(), b""),
        ] {
            let key = key(algorithm, SECRET);
            let settings = MessageSignaturesSignSettings::new("billing", key.clone())
                .unwrap()
                .with_alg()
                .with_tag("svc v1")
                .unwrap()
                .with_expires_in(Duration::from_secs(60));
            let parts = sign(settings, parts, body);
            let has_digest = parts.headers.contains_key("content-digest");
            assert_eq!(has_digest, !body.is_empty(), "{name}");
            let verifier = verifier(
                MessageSignaturesVerifySettings::new()
                    .with_tag("svc v1")
                    .unwrap(),
            );
            let verified = judge_at(&verifier, &keyring(&key), &parts, body, NOW).unwrap();
            let name = format!("{algorithm}: {name}");
            assert_eq!(verified.caller(), &"billing", "{name}");
            assert_eq!(verified.scheme(), Scheme::MessageSignatures, "{name}");
            assert_eq!(verified.signed_at(), NOW, "{name}");
            let until = NOW.saturating_add(Duration::from_secs(60));
            assert_eq!(verified.fresh_until(), until, "{name}");
            assert!(verified.audience_checked(), "{name}");
            assert_eq!(verified.nonce().map(str::len), Some(32), "{name}");
            let digest = PayloadDigest::of(body);
            assert_eq!(verified.body(), BodyState::Verified(digest), "{name}");
            assert_eq!(verified.covered("host"), Some(HOST), "{name}");
            assert_eq!(verified.covered("@method"), None, "{name}");
            assert_eq!(
                verified.covered("content-type").is_some(),
                parts.headers.contains_key("content-type"),
                "{name}"
            );
            let evidence = verified.evidence().unwrap();
            assert!(evidence.is_signed_with(&key.verifying_key()), "{name}");
            let other = self::key(algorithm, OTHER_SECRET).verifying_key();
            assert!(!evidence.is_signed_with(&other), "{name}");
            assert!(
                evidence.canonical_request().starts_with("\"@method\": "),
                "{name}"
            );
        }
    }
}

#[test]
fn the_scheme_alone_is_accepted_under_the_default_settings() {
    let verifier = Verifier::builder()
        .accept(Scheme::MessageSignatures)
        .expected_hosts([HOST])
        .build()
        .unwrap();
    let parts = sign(signing(), post(), BODY);
    assert!(judge_at(&verifier, &keyring(&hmac()), &parts, BODY, NOW).is_ok());
}

/// A public key is known to every callee, so a signature for one must not serve another.
#[test]
fn expected_hosts_are_asked_for_unless_only_secrets_are_accepted() {
    for (name, settings, valid) in [
        ("any key", MessageSignaturesVerifySettings::new(), false),
        (
            "Ed25519",
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519),
            false,
        ),
        (
            "secrets",
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256),
            true,
        ),
    ] {
        let built = Verifier::builder().accept_only(settings).build();
        let kind = built.map(|_| ()).map_err(|error| error.kind());
        let expected = if valid {
            Ok(())
        } else {
            Err(ConfigErrorKind::Authority)
        };
        assert_eq!(kind, expected, "{name}");
    }
}

#[test]
fn only_the_algorithms_of_the_settings_are_accepted() {
    for (algorithm, settings, valid) in [
        (
            Algorithm::HmacSha256,
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256),
            true,
        ),
        (
            Algorithm::HmacSha256,
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519),
            false,
        ),
        (
            Algorithm::Ed25519,
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256),
            false,
        ),
        (
            Algorithm::Ed25519,
            MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519),
            true,
        ),
    ] {
        let key = key(algorithm, SECRET);
        let parts = sign(
            MessageSignaturesSignSettings::new("billing", key.clone()).unwrap(),
            get(),
            b"",
        );
        let found = judge_at(&verifier(settings), &keyring(&key), &parts, b"", NOW);
        let expected = if valid {
            Ok(())
        } else {
            Err(RejectionKind::InvalidSignature)
        };
        assert_eq!(found.map(|_| ()), expected, "{algorithm}");
    }
}

#[test]
fn refuses_a_change_of_anything_covered() {
    type Change = fn(&mut Parts);
    let original = sign(signing(), post(), BODY);
    assert!(judge(&original, BODY).is_ok());
    let cases: [(&str, Change, RejectionKind); 12] = [
        (
            "method",
            |parts| parts.method = Method::PUT,
            RejectionKind::InvalidSignature,
        ),
        (
            "path",
            |parts| parts.uri = Uri::from_static("/api/account/8?x=1&y=2"),
            RejectionKind::InvalidSignature,
        ),
        (
            "query",
            |parts| parts.uri = Uri::from_static("/api/account/7?y=2&x=1"),
            RejectionKind::InvalidSignature,
        ),
        (
            "no query",
            |parts| parts.uri = Uri::from_static("/api/account/7"),
            RejectionKind::InvalidSignature,
        ),
        (
            "authority",
            |parts| set(parts, "host", "other"),
            RejectionKind::Misdirected,
        ),
        (
            "content type",
            |parts| set(parts, "content-type", "text/plain"),
            RejectionKind::InvalidSignature,
        ),
        (
            "digest",
            |parts| {
                let other = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
                set(parts, "content-digest", other);
            },
            RejectionKind::InvalidSignature,
        ),
        (
            "no digest",
            |parts| drop(parts.headers.remove("content-digest")),
            RejectionKind::Malformed,
        ),
        (
            "created",
            |parts| {
                let input = header(parts, "signature-input").replace("7323045", "7323046");
                set(parts, "signature-input", &input);
            },
            RejectionKind::InvalidSignature,
        ),
        (
            "nonce",
            |parts| {
                let input = header(parts, "signature-input").replace("nonce=\"", "nonce=\"0");
                set(parts, "signature-input", &input);
            },
            RejectionKind::InvalidSignature,
        ),
        (
            "key id",
            |parts| {
                let input = header(parts, "signature-input").replace("billing", "orders");
                set(parts, "signature-input", &input);
            },
            RejectionKind::InvalidSignature,
        ),
        (
            "the order of components",
            |parts| {
                let input = header(parts, "signature-input")
                    .replace("\"@path\" \"@query\"", "\"@query\" \"@path\"");
                set(parts, "signature-input", &input);
            },
            RejectionKind::InvalidSignature,
        ),
    ];
    for (name, change, expected) in cases {
        let mut parts = original.clone();
        change(&mut parts);
        assert_refused(name, &parts, BODY, expected);
    }
}

/// Source: RUSTSEC-2024-0010 (comparison stopped at the shorter signature).
#[test]
fn rustsec_2024_0010_a_part_of_a_signature_is_none() {
    for algorithm in ALGORITHMS {
        let key = key(algorithm, SECRET);
        let original = sign(
            MessageSignaturesSignSettings::new("billing", key.clone()).unwrap(),
            get(),
            b"",
        );
        let text = header(&original, "signature");
        let bytes = Base64::decode_vec(&text["sig1=:".len()..text.len() - 1]).unwrap();
        let mut flipped = bytes.clone();
        flipped[0] ^= 1;
        let longer = [&bytes[..], &[0]].concat();
        for (name, signature, expected) in [
            ("whole", &bytes[..], Ok(())),
            ("empty", &[], Err(RejectionKind::Malformed)),
            (
                "one byte",
                &bytes[..1],
                Err(RejectionKind::InvalidSignature),
            ),
            (
                "half",
                &bytes[..bytes.len() / 2],
                Err(RejectionKind::InvalidSignature),
            ),
            (
                "all but one",
                &bytes[..bytes.len() - 1],
                Err(RejectionKind::InvalidSignature),
            ),
            ("one more", &longer, Err(RejectionKind::InvalidSignature)),
            ("a bit", &flipped, Err(RejectionKind::InvalidSignature)),
        ] {
            let mut parts = original.clone();
            set(
                &mut parts,
                "signature",
                &format!("sig1=:{}:", Base64::encode_string(signature)),
            );
            let verifier = verifier(MessageSignaturesVerifySettings::new());
            let found = judge_at(&verifier, &keyring(&key), &parts, b"", NOW);
            assert_eq!(found.map(|_| ()), expected, "{algorithm}: {name}");
        }
    }
}

/// Source: GHSA-x9cc-346q-g27m (web-bot-auth: a signature over nothing verified).
#[test]
fn ghsa_x9cc_346q_g27m_an_empty_or_partial_list_is_refused() {
    let all = [
        ComponentId::METHOD,
        ComponentId::AUTHORITY,
        ComponentId::PATH,
        ComponentId::QUERY,
    ];
    let empty = sign(signing().insecure_cover_only([]), get(), b"");
    assert!(header(&empty, "signature-input").starts_with("sig1=();"));
    assert_refused("()", &empty, b"", RejectionKind::InsufficientCoverage);
    for left_out in &all {
        let others = all.iter().filter(|id| *id != left_out).cloned();
        let parts = sign(signing().insecure_cover_only(others), get(), b"");
        let name = left_out.to_string();
        assert_refused(&name, &parts, b"", RejectionKind::InsufficientCoverage);
    }
    assert!(judge(&sign(signing().insecure_cover_only(all), get(), b""), b"").is_ok());
}

#[test]
fn created_and_key_id_are_required_and_the_nonce_by_the_key() {
    for (name, parameters, expected) in [
        ("all", PARAMETERS, Ok(())),
        (
            "no date",
            ";nonce=\"0123456789abcdef\";keyid=\"billing\"",
            Err(RejectionKind::InsufficientCoverage),
        ),
        (
            "no key id",
            ";created=1767323045;nonce=\"0123456789abcdef\"",
            Err(RejectionKind::InsufficientCoverage),
        ),
        (
            "no nonce",
            ";created=1767323045;keyid=\"billing\"",
            Err(RejectionKind::InsufficientCoverage),
        ),
        (
            "an unknown parameter",
            &format!("{PARAMETERS};x=1"),
            Err(RejectionKind::Malformed),
        ),
        (
            "a parameter twice",
            &format!("{PARAMETERS};created=1767323045"),
            Err(RejectionKind::Malformed),
        ),
        (
            "a key id that is none",
            ";created=1767323045;nonce=\"0123456789abcdef\";keyid=\"a=b\"",
            Err(RejectionKind::Malformed),
        ),
        (
            "an empty nonce",
            ";created=1767323045;nonce=\"\";keyid=\"billing\"",
            Err(RejectionKind::Malformed),
        ),
    ] {
        let parts = forge(get(), &GET_LINES, parameters);
        assert_eq!(judge(&parts, b"").map(|_| ()), expected, "{name}");
    }
    let parts = sign(signing().insecure_omit_nonce(), get(), b"");
    let key = CallerKey::new("1", hmac().verifying_key())
        .unwrap()
        .with_nonce(countersign::NonceRule::Optional);
    let verifier = verifier(MessageSignaturesVerifySettings::new());
    let verified = judge_at(&verifier, &keyring_of(key), &parts, b"", NOW).unwrap();
    assert_eq!(verified.nonce(), None);
    assert!(verified.replay_key("").is_none());
}

#[test]
fn what_the_application_requires_must_be_covered() {
    let tenant = || {
        let mut parts = get();
        set(&mut parts, "x-tenant", "7");
        parts
    };
    let covered = sign(
        signing().with_covered_component(field("x-tenant")).unwrap(),
        tenant(),
        b"",
    );
    let uncovered = sign(signing(), tenant(), b"");
    let header = HeaderName::from_static("x-tenant");
    for (name, verifier) in [
        (
            "a header",
            builder(MessageSignaturesVerifySettings::new()).require_headers([header.clone()]),
        ),
        (
            "a component",
            builder(MessageSignaturesVerifySettings::new().with_required_component(header)),
        ),
    ] {
        let verifier = verifier.build().unwrap();
        let keys = keyring(&hmac());
        let verified = judge_at(&verifier, &keys, &covered, b"", NOW).unwrap();
        assert_eq!(verified.covered("x-tenant"), Some("7"), "{name}");
        let found = judge_at(&verifier, &keys, &uncovered, b"", NOW);
        assert_eq!(
            found.unwrap_err(),
            RejectionKind::InsufficientCoverage,
            "{name}"
        );
    }
    assert_eq!(judge(&uncovered, b"").unwrap().covered("x-tenant"), None);
}

#[test]
fn content_headers_must_be_covered_where_they_are_present() {
    for name in ["content-type", "content-encoding"] {
        let mut parts = sign(signing(), get(), b"");
        set(&mut parts, name, "x");
        assert_refused(name, &parts, b"", RejectionKind::InsufficientCoverage);
        let mut parts = get();
        set(&mut parts, name, "x");
        let parts = sign(signing(), parts, b"");
        assert_eq!(
            judge(&parts, b"").unwrap().covered(name),
            Some("x"),
            "{name}"
        );
    }
}

/// Source: APISIX issues 13395 and 13415, Tyk issue 3040 (a digest that is checked but not signed,
/// or signed but not checked).
#[test]
fn apisix_13395_a_digest_counts_only_if_it_is_covered_and_right() {
    let digest = "sha-256=:4WfijFGlPCWSXKtLFGFPm3XXyxQVyHGn3yeXRL1/d4M=:";
    let without_digest = [
        ComponentId::METHOD,
        ComponentId::AUTHORITY,
        ComponentId::PATH,
        ComponentId::QUERY,
        field("content-type"),
    ];
    let mut parts = sign(signing().insecure_cover_only(without_digest), post(), BODY);
    // The body is not empty, as is signed by leaving out its digest.
    assert_refused("no digest", &parts, BODY, RejectionKind::BodyMismatch);
    assert!(judge(&parts, b"").is_ok());
    set(&mut parts, "content-length", "14");
    assert_refused(
        "a length",
        &parts,
        BODY,
        RejectionKind::InsufficientCoverage,
    );
    set(&mut parts, "content-length", "0");
    assert!(judge(&parts, b"").is_ok());
    set(&mut parts, "content-digest", digest);
    assert_refused(
        "uncovered",
        &parts,
        BODY,
        RejectionKind::InsufficientCoverage,
    );
    assert_refused(
        "uncovered",
        &parts,
        b"",
        RejectionKind::InsufficientCoverage,
    );

    let covered = sign(signing(), post(), BODY);
    assert_refused(
        "wrong",
        &covered,
        b"{\"userId\":124}",
        RejectionKind::BodyMismatch,
    );
    assert_refused("empty", &covered, b"", RejectionKind::BodyMismatch);

    // Given up by name, and still checked where it is covered.
    let lenient =
        verifier(MessageSignaturesVerifySettings::new().insecure_allow_unsigned_content());
    let keys = keyring(&hmac());
    let verified = judge_at(&lenient, &keys, &parts, BODY, NOW).unwrap();
    assert_eq!(verified.body(), BodyState::Unsigned);
    let found = judge_at(&lenient, &keys, &covered, b"", NOW);
    assert_eq!(found.unwrap_err(), RejectionKind::BodyMismatch);
}

/// Source: CVE-2026-26275 (httpsig-hyper compared the digest with a pattern that always matched).
#[test]
fn cve_2026_26275_every_bit_of_the_body_counts() {
    let parts = sign(signing(), post(), BODY);
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert_refused("a bit", &parts, &body, RejectionKind::BodyMismatch);
    }
}

/// Source: httpsig, where `alg` was ignored, and GHSA-869p-cjfg-cm3x, where the message chose the
/// algorithm.
#[test]
fn ghsa_869p_cjfg_cm3x_the_key_says_the_algorithm() {
    for (alg, expected) in [
        ("hmac-sha256", Ok(())),
        ("ed25519", Err(RejectionKind::InvalidSignature)),
        ("rsa-pss-sha512", Err(RejectionKind::InvalidSignature)),
        ("HMAC-SHA256", Err(RejectionKind::InvalidSignature)),
        ("none", Err(RejectionKind::InvalidSignature)),
        ("", Err(RejectionKind::InvalidSignature)),
    ] {
        let parts = forge(get(), &GET_LINES, &format!("{PARAMETERS};alg=\"{alg}\""));
        assert_eq!(judge(&parts, b"").map(|_| ()), expected, "{alg}");
    }
    // A MAC with the public key, which everyone knows, in place of a signature.
    let ed25519 = key(Algorithm::Ed25519, SECRET).verifying_key();
    let public = Secret::from_bytes(ed25519.public_key().unwrap());
    let forger = SigningKey::message_hmac_sha256(&public);
    for settings in [
        MessageSignaturesSignSettings::new("billing", forger.clone()).unwrap(),
        MessageSignaturesSignSettings::new("billing", forger)
            .unwrap()
            .with_alg(),
    ] {
        let parts = sign(settings, get(), b"");
        let keys = keyring_of(CallerKey::new("1", ed25519.clone()).unwrap());
        let verifier = verifier(MessageSignaturesVerifySettings::new());
        let found = judge_at(&verifier, &keys, &parts, b"", NOW);
        assert_eq!(found.unwrap_err(), RejectionKind::InvalidSignature);
    }
}

#[test]
fn a_key_of_another_scheme_is_none() {
    let other = SigningKey::hmac_sha256(&secret(SECRET));
    let parts = sign(signing(), get(), b"");
    let verifier = verifier(MessageSignaturesVerifySettings::new());
    let found = judge_at(&verifier, &keyring(&other), &parts, b"", NOW);
    assert_eq!(found.unwrap_err(), RejectionKind::InvalidSignature);
    let refused = MessageSignaturesSignSettings::new("billing", other).unwrap_err();
    assert_eq!(refused.kind(), ConfigErrorKind::Key);
}

/// Source: actpub-httpsig (bytes outside ASCII became an empty text).
#[test]
fn actpub_httpsig_bytes_outside_ascii_are_never_an_empty_text() {
    let with = |value: &str| {
        let mut parts = get();
        set(&mut parts, "x-name", value);
        parts
    };
    let lines = [&GET_LINES[..], &[("\"x-name\"", "")]].concat();
    let parts = forge(with("é"), &lines, PARAMETERS);
    assert_refused("covered", &parts, b"", RejectionKind::Malformed);
    let settings = signing().with_covered_component(field("x-name")).unwrap();
    let error = signer(settings)
        .sign(&with("é"), PayloadDigest::of(b""), NOW)
        .unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Header);
    for name in ["signature-input", "signature"] {
        let mut parts = sign(signing(), get(), b"");
        let value = format!("{}, é=()", header(&parts, name));
        set(&mut parts, name, &value);
        assert_refused(name, &parts, b"", RejectionKind::Malformed);
    }
}

/// Source: httpsig (an absent header was an empty one).
#[test]
fn httpsig_an_absent_header_is_not_an_empty_one() {
    let lines = [&GET_LINES[..], &[("\"x-name\"", "")]].concat();
    let parts = forge(get(), &lines, PARAMETERS);
    assert_refused("absent", &parts, b"", RejectionKind::Malformed);
    let mut parts = parts;
    set(&mut parts, "x-name", "");
    assert!(judge(&parts, b"").is_ok());
    let settings = signing().with_covered_component(field("x-name")).unwrap();
    let error = signer(settings)
        .sign(&get(), PayloadDigest::of(b""), NOW)
        .unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Header);
}

/// Source: A2A issue 1829 (a nonce made of `created` and `keyid` comes again within a millisecond).
#[test]
fn a2a_1829_two_signatures_of_one_moment_have_two_nonces() {
    let nonce = |parts: &Parts| judge(parts, b"").unwrap().nonce().unwrap().to_owned();
    let [one, other] = [(); 2].map(|()| sign(signing(), get(), b""));
    assert_ne!(nonce(&one), nonce(&other));
    assert_ne!(header(&one, "signature"), header(&other, "signature"));
}

/// Source: RFC 9421 section 2, an identifier occurs once.
#[test]
fn rfc9421_2_a_component_twice_is_refused_also_with_reordered_parameters() {
    let twice = |id: &'static str, other: &'static str, value: &'static str| {
        let lines = [&GET_LINES[..], &[(id, value), (other, value)]].concat();
        let mut parts = forge(get(), &lines, PARAMETERS);
        set(&mut parts, "content-digest", "sha-256=:AA==:");
        parts
    };
    for (name, parts) in [
        ("plain", twice("\"@method\"", "\"@method\"", "GET")),
        (
            "reordered parameters",
            twice(
                "\"content-digest\";sf;key=\"sha-256\"",
                "\"content-digest\";key=\"sha-256\";sf",
                ":AA==:",
            ),
        ),
    ] {
        assert_refused(name, &parts, b"", RejectionKind::Malformed);
    }
}

/// Source: CVE-2022-29167 (Hawk: a pattern that backtracks).
#[test]
fn cve_2022_29167_text_of_any_kind_is_read_in_linear_time_and_beyond_the_limit_not_at_all() {
    const LEN: usize = 1 << 18;
    let limits = HeadLimits::default().with_authorization_bytes(LEN * 2);
    let lenient = builder(MessageSignaturesVerifySettings::new())
        .limits(limits)
        .build()
        .unwrap();
    let strict = verifier(MessageSignaturesVerifySettings::new());
    for (name, start, piece, end) in [
        ("brackets", "sig1=", "(", ""),
        ("spaces", "sig1=(", " ", ")"),
        ("components", "sig1=(", "\"a\" ", ")"),
        ("parameters of a component", "sig1=(\"a\"", ";a", ")"),
        ("parameters", "sig1=()", ";a", ""),
        ("parameters that are known", "sig1=()", ";created=1", ""),
        ("a string", "sig1=();nonce=\"", "a", "\""),
        ("escapes", "sig1=();nonce=\"", "\\\\", "\""),
        ("a string without an end", "sig1=();nonce=\"", "a", ""),
        ("digits", "sig1=();created=", "1", ""),
        ("labels", "", "a=(),", "a=()"),
        ("commas", "sig1=()", ",", ""),
        ("colons", "sig1=", ":", ""),
        ("Base64", "sig1=:", "AAAA", ":"),
    ] {
        for field in ["signature-input", "signature"] {
            let [small, large] = [LEN / FACTOR, LEN].map(|len| {
                let value = format!("{start}{}{end}", piece.repeat(len / piece.len()));
                let mut parts = sign(signing(), get(), b"");
                set(&mut parts, field, &value);
                parts
            });
            let read = |parts: &Parts| {
                _ = black_box(lenient.parse(parts, NOW));
                _ = black_box(lenient.asserted(parts));
            };
            let case = format!("{field}: {name}");
            growth::assert_linear(&case, &|| read(&small), &|| read(&large));
            let refuse = |parts: &Parts| assert!(strict.parse(parts, NOW).is_err(), "{case}");
            growth::assert_constant(&case, &|| refuse(&small), &|| refuse(&large));
        }
    }
}

/// Source: Hawk, http-signature-normalization, standard-webhooks (arithmetic on a date from the
/// wire).
#[test]
fn hawk_no_date_makes_arithmetic_overflow() {
    for (created, expected) in [
        ("1767323045", Ok(())),
        ("1767323345", Ok(())),
        ("1767322745", Ok(())),
        ("1767323346", Err(RejectionKind::Expired)),
        ("1767322744", Err(RejectionKind::Expired)),
        ("0", Err(RejectionKind::Expired)),
        ("-0", Err(RejectionKind::Expired)),
        ("-1", Err(RejectionKind::Expired)),
        ("999999999999999", Err(RejectionKind::Expired)),
        ("-999999999999999", Err(RejectionKind::Expired)),
        ("1000000000000000", Err(RejectionKind::Malformed)),
        ("9223372036854775807", Err(RejectionKind::Malformed)),
        ("-9223372036854775808", Err(RejectionKind::Malformed)),
        ("18446744073709551616", Err(RejectionKind::Malformed)),
        ("1767323045.0", Err(RejectionKind::Malformed)),
        ("\"1767323045\"", Err(RejectionKind::Malformed)),
        ("@1767323045", Err(RejectionKind::Malformed)),
        ("+1767323045", Err(RejectionKind::Malformed)),
        ("1e9", Err(RejectionKind::Malformed)),
        ("?1", Err(RejectionKind::Malformed)),
        ("", Err(RejectionKind::Malformed)),
        (" 1767323045", Err(RejectionKind::Malformed)),
        ("１７６７３２３０４５", Err(RejectionKind::Malformed)),
    ] {
        let parameters = format!(";created={created};nonce=\"0123456789abcdef\";keyid=\"billing\"");
        let parts = forge(get(), &GET_LINES, &parameters);
        assert_eq!(judge(&parts, b"").map(|_| ()), expected, "{created}");
    }
}

/// Source: RFC 9651 section 4.1.4, an integer has no zeroes before it: the number is signed.
#[test]
fn zeroes_before_a_date_are_no_part_of_it() {
    let mut parts = forge(get(), &GET_LINES, PARAMETERS);
    let input = header(&parts, "signature-input").replace("created=", "created=000");
    set(&mut parts, "signature-input", &input);
    assert!(judge(&parts, b"").is_ok());
}

#[test]
fn a_signature_is_not_accepted_beyond_what_it_says() {
    for (name, expires, at, expected) in [
        ("at its end", 60, 60, Ok(())),
        ("beyond", 60, 61, Err(RejectionKind::Expired)),
        ("at the end of the window", 600, 300, Ok(())),
        ("beyond the window", 600, 301, Err(RejectionKind::Expired)),
        ("at once", 0, 0, Ok(())),
        ("before it was made", -1, 0, Err(RejectionKind::Malformed)),
    ] {
        let parameters = format!("{PARAMETERS};expires={}", 1_767_323_045 + expires);
        let parts = forge(get(), &GET_LINES, &parameters);
        let now = NOW.saturating_add(Duration::from_secs(at));
        let verifier = verifier(MessageSignaturesVerifySettings::new());
        let found = judge_at(&verifier, &keyring(&hmac()), &parts, b"", now);
        assert_eq!(found.map(|_| ()), expected, "{name}");
    }
}

/// Adds the signature of other settings beside one that is there, under another label.
fn beside(mut parts: Parts, settings: MessageSignaturesSignSettings) -> Parts {
    let mut bare = parts.clone();
    for name in ["signature-input", "signature", "content-digest"] {
        bare.headers.remove(name);
    }
    let other = sign(settings.with_label("other").unwrap(), bare, BODY);
    for name in ["signature-input", "signature"] {
        parts.headers.append(name, other.headers[name].clone());
    }
    parts
}

#[test]
fn one_of_several_signatures_counts() {
    let orders = || {
        MessageSignaturesSignSettings::new("orders", key(Algorithm::HmacSha256, OTHER_SECRET))
            .unwrap()
    };
    let tagged = |settings: MessageSignaturesSignSettings, tag| settings.with_tag(tag).unwrap();
    let own = || sign(tagged(signing(), "a"), post(), BODY);
    let partial = || orders().insecure_cover_only([ComponentId::METHOD]);
    let wrong = || {
        MessageSignaturesSignSettings::new("billing", key(Algorithm::HmacSha256, OTHER_SECRET))
            .unwrap()
    };
    let any = MessageSignaturesVerifySettings::new;
    let a = || {
        MessageSignaturesVerifySettings::new()
            .with_tag("a")
            .unwrap()
    };
    let b = || {
        MessageSignaturesVerifySettings::new()
            .with_tag("b")
            .unwrap()
    };
    let refused = RejectionKind::Malformed;
    for (name, parts, settings, expected) in [
        ("one, any tag", own(), any(), Ok(())),
        ("one, its tag", own(), a(), Ok(())),
        (
            "one, another tag",
            own(),
            b(),
            Err(RejectionKind::MissingSignature),
        ),
        ("two, any tag", beside(own(), orders()), any(), Err(refused)),
        (
            "two of one tag",
            beside(own(), tagged(orders(), "a")),
            a(),
            Err(refused),
        ),
        (
            "two, one without a tag",
            beside(own(), orders()),
            a(),
            Ok(()),
        ),
        (
            "two tags",
            beside(own(), tagged(orders(), "b")),
            a(),
            Ok(()),
        ),
        (
            "two, of which one covers little",
            beside(own(), partial()),
            any(),
            Ok(()),
        ),
        (
            "the wanted one is wrong, the other is right",
            beside(
                sign(tagged(wrong(), "b"), post(), BODY),
                tagged(signing(), "a"),
            ),
            b(),
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "the one that covers enough is wrong, the other is right",
            beside(
                sign(wrong(), post(), BODY),
                signing().insecure_cover_only([ComponentId::METHOD]),
            ),
            any(),
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "none covers enough",
            sign(partial(), post(), BODY),
            any(),
            Err(RejectionKind::InsufficientCoverage),
        ),
    ] {
        let found = judge_at(&verifier(settings), &keyring(&hmac()), &parts, BODY, NOW);
        assert_eq!(found.map(|_| ()), expected, "{name}");
    }
}

#[test]
fn a_signature_that_is_not_understood_does_not_spoil_another_one() {
    for (name, member) in [
        ("an unknown parameter", "(\"@method\");x=1;tag=\"b\""),
        ("a component of a response", "(\"@status\")"),
        ("an unknown component", "(\"@frobnicate\" \"@method\")"),
        ("a covered signature", "(\"signature\";key=\"sig1\")"),
    ] {
        let mut parts = sign(signing(), get(), b"");
        let input = format!("{}, other={member}", header(&parts, "signature-input"));
        set(&mut parts, "signature-input", &input);
        let signature = format!("{}, other=:AAAA:", header(&parts, "signature"));
        set(&mut parts, "signature", &signature);
        assert!(judge(&parts, b"").is_ok(), "{name}");
    }
}

#[test]
fn half_a_signature_is_not_none() {
    for (name, expected) in [
        ("signature", RejectionKind::Malformed),
        // The rest is sent by drafts before the RFC.
        ("signature-input", RejectionKind::MissingSignature),
    ] {
        let mut parts = sign(signing(), get(), b"");
        parts.headers.remove(name);
        assert_refused(name, &parts, b"", expected);
    }
    assert_refused("neither", &get(), b"", RejectionKind::MissingSignature);
}

#[test]
fn signatures_in_two_schemes_are_refused() {
    let native = Signer::new(
        "billing",
        SigningKey::hmac_sha256(&secret(OTHER_SECRET)),
        [HOST],
    );
    let mut parts = get();
    let signature = native.unwrap().sign(&parts, PayloadDigest::of(b""), NOW);
    signature.unwrap().apply(&mut parts);
    let both = sign(signing(), parts.clone(), b"");
    let verifier = Verifier::builder()
        .accept(MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256))
        .build()
        .unwrap();
    let found = verifier.parse(&both, NOW).map(|_| ()).unwrap_err();
    assert_eq!(found.kind(), RejectionKind::Malformed);
    assert!(verifier.parse(&parts, NOW).is_ok());
}

#[test]
fn headers_of_one_value_are_refused_when_they_come_twice() {
    for (name, value) in [
        ("host", HOST),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        ),
    ] {
        let mut parts = sign(signing(), post(), BODY);
        let value = HeaderValue::from_static(value);
        parts.headers.append(name, value);
        let found = judge(&parts, BODY).unwrap_err();
        let expected = [RejectionKind::Malformed, RejectionKind::InvalidSignature];
        assert!(expected.contains(&found), "{name}: {found:?}");
    }
}

/// Source: RFC 9421 section 2.1, step 4: several lines are signed as the list they are.
#[test]
fn lines_of_a_list_are_signed_joined() {
    let settings = || signing().with_covered_component(field("accept")).unwrap();
    let with = |values: &[&'static str]| {
        let mut parts = get();
        for value in values {
            parts
                .headers
                .append("accept", HeaderValue::from_static(value));
        }
        parts
    };
    let parts = sign(settings(), with(&["text/html", "*/*"]), b"");
    let verified = judge(&parts, b"").unwrap();
    assert_eq!(verified.covered("accept"), Some("text/html, */*"));
    let mut swapped = parts;
    swapped.headers.remove("accept");
    for value in ["*/*", "text/html"] {
        swapped
            .headers
            .append("accept", HeaderValue::from_static(value));
    }
    assert_refused("swapped", &swapped, b"", RejectionKind::InvalidSignature);
}

#[test]
fn a_target_is_bounded() {
    let limits = HeadLimits::default().with_target_bytes(14);
    let verifier = builder(MessageSignaturesVerifySettings::new())
        .limits(limits)
        .build()
        .unwrap();
    for (target, expected) in [
        ("/api/account/7", Ok(())),
        ("/api/account?7", Ok(())),
        ("/api/account/78", Err(RejectionKind::Malformed)),
        ("/api/account?78", Err(RejectionKind::Malformed)),
    ] {
        let mut parts = get();
        parts.uri = Uri::from_static(target);
        let parts = sign(signing(), parts, b"");
        let found = judge_at(&verifier, &keyring(&hmac()), &parts, b"", NOW);
        assert_eq!(found.map(|_| ()), expected, "{target}");
    }
}

/// Source: RFC 9110 section 7.1, of `*` there is a target and no path of a URI.
#[test]
fn an_asterisk_is_a_target_and_no_uri() {
    let mut parts = get();
    parts.method = Method::OPTIONS;
    parts.uri = Uri::from_static("*");
    let target = signing()
        .with_covered_component(ComponentId::REQUEST_TARGET)
        .unwrap();
    assert!(judge(&sign(target, parts.clone(), b""), b"").is_ok());
    let uri = signing()
        .with_covered_component(ComponentId::TARGET_URI)
        .unwrap();
    let uri = signer(uri.with_scheme(UriScheme::Https));
    let error = uri.sign(&parts, PayloadDigest::of(b""), NOW).unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Header);
}

#[test]
fn a_key_may_have_an_id_of_its_own() {
    let key = CallerKey::new("1", hmac().verifying_key()).unwrap();
    let keys = keyring_of(key.with_key_id("billing/2026a").unwrap());
    let verifier = verifier(MessageSignaturesVerifySettings::new());
    for (key_id, expected) in [
        ("billing/2026a", Ok(())),
        ("billing", Err(RejectionKind::InvalidSignature)),
    ] {
        let parts = sign(
            MessageSignaturesSignSettings::new(key_id, hmac()).unwrap(),
            get(),
            b"",
        );
        let found = judge_at(&verifier, &keys, &parts, b"", NOW);
        assert_eq!(
            found.map(|verified| assert_eq!(verified.caller(), &"billing")),
            expected
        );
    }
}

#[test]
fn the_scheme_is_that_of_the_uri_or_of_the_settings() {
    let absolute = |scheme: &str| {
        let uri = format!("{scheme}://{HOST}/api/account/7");
        Request::get(uri).body(()).unwrap().into_parts().0
    };
    let covering = || {
        signing()
            .with_covered_component(ComponentId::SCHEME)
            .unwrap()
    };
    let uri = sign(
        signing()
            .with_covered_component(ComponentId::TARGET_URI)
            .unwrap(),
        absolute("https"),
        b"",
    );
    let mut origin = sign(covering().with_scheme(UriScheme::Https), get(), b"");
    let https = sign(covering(), absolute("https"), b"");
    for (name, parts, settings, expected) in [
        (
            "absolute",
            &https,
            MessageSignaturesVerifySettings::new(),
            Ok(()),
        ),
        (
            "origin form",
            &origin,
            MessageSignaturesVerifySettings::new(),
            Err(RejectionKind::Malformed),
        ),
        (
            "origin form, behind TLS",
            &origin,
            MessageSignaturesVerifySettings::new().with_scheme(UriScheme::Https),
            Ok(()),
        ),
        (
            "origin form, without TLS",
            &origin,
            MessageSignaturesVerifySettings::new().with_scheme(UriScheme::Http),
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "the URI of a proxy",
            &https,
            MessageSignaturesVerifySettings::new().with_scheme(UriScheme::Http),
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "target URI",
            &uri,
            MessageSignaturesVerifySettings::new(),
            Ok(()),
        ),
    ] {
        let found = judge_at(&verifier(settings), &keyring(&hmac()), parts, b"", NOW);
        assert_eq!(found.map(|_| ()), expected, "{name}");
    }
    set(&mut origin, "x-forwarded-proto", "https");
    assert_refused(
        "never a forwarded header",
        &origin,
        b"",
        RejectionKind::Malformed,
    );
}

/// Source: RFC 9421 section 2.2.3.
#[test]
fn an_authority_is_one_in_every_case_and_with_its_default_port() {
    let keys = keyring(&hmac());
    let settings = || MessageSignaturesVerifySettings::new().with_scheme(UriScheme::Https);
    let parts = sign(signing().with_scheme(UriScheme::Https), get(), b"");
    for expected_host in ["user-service.internal", "user-service.internal:443"] {
        let verifier = Verifier::builder()
            .accept_only(settings())
            .expected_hosts([expected_host])
            .build()
            .unwrap();
        for host in ["User-Service.Internal", "user-service.internal:443"] {
            let mut parts = parts.clone();
            set(&mut parts, "host", host);
            let found = judge_at(&verifier, &keys, &parts, b"", NOW).map(|_| ());
            let same = expected_host == HOST || host.ends_with(":443");
            let expected = if same {
                Ok(())
            } else {
                Err(RejectionKind::Misdirected)
            };
            assert_eq!(found, expected, "{host} {expected_host}");
        }
        let mut parts = parts.clone();
        set(&mut parts, "host", "user-service.internal:80");
        let found = judge_at(&verifier, &keys, &parts, b"", NOW).map(|_| ());
        assert_eq!(found, Err(RejectionKind::Misdirected), "{expected_host}");
    }
}

#[test]
fn a_refusal_says_how_to_sign() {
    let text = |settings, kind| -> Vec<String> {
        let challenges = verifier(settings).challenges("user-service", kind);
        challenges
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect()
    };
    let list = r#"sig1=("@method" "@authority" "@path" "@query" "content-digest")"#;
    assert_eq!(
        text(
            MessageSignaturesVerifySettings::new(),
            RejectionKind::Malformed
        ),
        [
            "www-authenticate: Signature realm=\"user-service\"".to_owned(),
            format!("accept-signature: {list};created"),
        ]
    );
    assert_eq!(
        text(
            MessageSignaturesVerifySettings::new()
                .with_algorithm(Algorithm::Ed25519)
                .with_tag("svc v1")
                .unwrap(),
            RejectionKind::Expired
        ),
        [
            "www-authenticate: Signature realm=\"user-service\", error=\"stale\"".to_owned(),
            format!("accept-signature: {list};created;alg=\"ed25519\";tag=\"svc v1\""),
        ]
    );
}

#[test]
fn a_refused_request_says_who_it_is_from() {
    let verifier = verifier(MessageSignaturesVerifySettings::new());
    let parts = sign(signing().insecure_cover_only([]), get(), b"");
    assert_eq!(
        verifier
            .asserted(&parts)
            .and_then(Asserted::into_key_id)
            .as_deref(),
        Some("billing")
    );
    assert_eq!(
        verifier.asserted(&get()).and_then(Asserted::into_key_id),
        None
    );
}

#[test]
fn refuses_to_sign_what_it_must_not() {
    for name in ["signature-input", "signature", "content-digest"] {
        let mut parts = get();
        set(&mut parts, name, "a=1");
        let error = signer(signing())
            .sign(&parts, PayloadDigest::of(b""), NOW)
            .unwrap_err();
        assert_eq!(error.kind(), SignErrorKind::AlreadySigned, "{name}");
    }
    let sign = |settings: MessageSignaturesSignSettings, parts: &Parts, now| {
        let signed = signer(settings).sign(parts, PayloadDigest::of(b""), now);
        signed.map(|_| ()).unwrap_err().kind()
    };
    let mut elsewhere = get();
    set(&mut elsewhere, "host", "other");
    assert_eq!(sign(signing(), &elsewhere, NOW), SignErrorKind::Authority);
    let mut lower = get();
    lower.method = Method::from_bytes(b"get").unwrap();
    assert_eq!(sign(signing(), &lower, NOW), SignErrorKind::Method);
    let endless = signing().with_expires_in(Duration::MAX);
    assert_eq!(sign(endless, &get(), NOW), SignErrorKind::Date);
    let scheme = signing()
        .with_covered_component(ComponentId::SCHEME)
        .unwrap();
    assert_eq!(sign(scheme, &get(), NOW), SignErrorKind::Header);
    let nonce = Nonce::new("0123456789abcde\"").unwrap();
    let signed = signer(signing()).sign_with_nonce(&get(), PayloadDigest::of(b""), nonce, NOW);
    assert_eq!(
        signed.map(|_| ()).unwrap_err().kind(),
        SignErrorKind::Header
    );
}

#[test]
fn refuses_settings_that_are_none() {
    for name in ["signature", "signature-input"] {
        let error = signing().with_covered_component(field(name)).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Coverage, "{name}");
    }
    for label in ["", "Sig1", "1sig", "a b", "é"] {
        let error = signing().with_label(label).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting, "{label}");
    }
    for tag in ["", "a\"b", "a\\b", "é", "a\n"] {
        let error = signing().with_tag(tag).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting, "{tag}");
        let error = MessageSignaturesVerifySettings::new()
            .with_tag(tag)
            .unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting, "{tag}");
    }
    for (name, secret) in [("short", "ab".repeat(31)), ("repetitive", "ab".repeat(32))] {
        let key = SigningKey::message_hmac_sha256(&self::secret(&secret));
        let error = MessageSignaturesSignSettings::new("billing", key).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::WeakKey, "{name}");
    }
    // Source: RFC 9421 appendix B.1.4.
    let mut published = [0; 32];
    let point = b"26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb";
    base16ct::lower::decode(point, &mut published).unwrap();
    let key = VerifyingKey::message_ed25519(&published).unwrap();
    let built = Keyring::builder()
        .caller("billing", CallerKey::new("1", key).unwrap())
        .build();
    assert_eq!(built.unwrap_err().kind(), ConfigErrorKind::WeakKey);
}

#[test]
fn secrets_are_never_shown() {
    let settings = signing();
    let shown = format!("{settings:?} {:?}", signer(settings.clone()));
    assert!(!shown.contains(&SECRET[..8]), "{shown}");
    let parts = sign(settings, get(), b"");
    assert!(!format!("{:?}", parts.headers).contains("sig1=:"));
}

/// The parts of a request to sign.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    method: &'static str,
    path: String,
    query: Option<String>,
    value: String,
    body: Vec<u8>,
}

impl Content {
    fn parts(&self) -> Parts {
        let query = self.query.as_ref().map(|query| format!("?{query}"));
        let (mut parts, ()) = Request::builder()
            .method(self.method)
            .uri(format!("/{}{}", self.path, query.unwrap_or_default()))
            .header("host", HOST)
            .body(())
            .unwrap()
            .into_parts();
        set(&mut parts, "x-value", &self.value);
        parts
    }

    fn signed(&self) -> Parts {
        let settings = signing().with_covered_component(field("x-value")).unwrap();
        let nonce = Nonce::new("0123456789abcdef").unwrap();
        let mut parts = self.parts();
        let digest = PayloadDigest::of(&self.body);
        let signature = signer(settings).sign_with_nonce(&parts, digest, nonce, NOW);
        signature.unwrap().apply(&mut parts);
        parts
    }
}

fn content() -> impl Strategy<Value = Content> {
    (
        prop_oneof![Just("GET"), Just("POST"), Just("M-SEARCH")],
        "[a-z0-9/%._~-]{0,8}",
        proptest::option::of("[a-z0-9=&%+?/]{0,8}"),
        "[!-~]([ -~]{0,8}[!-~])?",
        proptest::collection::vec(any::<u8>(), 0..8),
    )
        .prop_map(|(method, path, query, value, body)| Content {
            method,
            path,
            query,
            value,
            body,
        })
}

proptest! {
    #[test]
    fn what_is_signed_verifies(content in content()) {
        let verified = judge(&content.signed(), &content.body);
        let verified = verified.map_err(|kind| proptest::test_runner::TestCaseError::fail(kind.code()))?;
        prop_assert_eq!(verified.covered("x-value"), Some(content.value.as_str()));
    }

    #[test]
    fn requests_that_differ_have_different_signatures(one in content(), other in content()) {
        let base = |content: &Content| {
            let verified = judge(&content.signed(), &content.body).unwrap();
            verified.evidence().unwrap().canonical_request().to_owned()
        };
        // An absent query and an empty one are both `?` (RFC 9421 section 2.2.7).
        let plain = |content: &Content| Content {
            query: content.query.clone().filter(|query| !query.is_empty()),
            ..content.clone()
        };
        prop_assert_eq!(plain(&one) == plain(&other), base(&one) == base(&other));
    }

    #[test]
    fn a_signature_of_one_request_is_not_that_of_another(one in content(), other in content()) {
        let mut parts = other.parts();
        for (name, value) in one.signed().headers {
            if let Some(name) = name && ["signature", "signature-input", "content-digest"].contains(&name.as_str()) {
                parts.headers.insert(name, value);
            }
        }
        let plain = |content: &Content| Content {
            query: content.query.clone().filter(|query| !query.is_empty()),
            ..content.clone()
        };
        prop_assert_eq!(judge(&parts, &other.body).is_ok(), plain(&one) == plain(&other));
    }

    #[test]
    fn nothing_on_the_wire_makes_it_panic(
        input in "(sig1=)?[ -~\t]{0,80}",
        signature in "(sig1=:)?[ -~\t]{0,40}",
        digest in "(sha-256=:)?[ -~\t]{0,40}",
    ) {
        let mut parts = sign(signing(), post(), BODY);
        for (name, value) in [
            ("signature-input", input.clone()),
            ("signature", signature),
            ("content-digest", digest),
        ] {
            let mut parts = parts.clone();
            set(&mut parts, name, &value);
            prop_assert!(judge(&parts, BODY).is_err());
        }
        set(&mut parts, "signature-input", &input);
        let verifier = verifier(MessageSignaturesVerifySettings::new());
        let _ = verifier.asserted(&parts);
        let _ = input.parse::<ComponentId<'_>>();
    }

    #[test]
    fn no_list_of_components_makes_it_panic(
        names in proptest::collection::vec(
            prop_oneof![
                Just("\"@method\"".to_owned()),
                Just("\"@query-param\";name=\"x\"".to_owned()),
                Just("\"content-digest\";key=\"sha-256\"".to_owned()),
                "\"[@a-z-]{0,8}\"(;[a-z]{1,4}(=\"[a-z]{0,4}\")?){0,2}",
            ],
            0..6,
        ),
        parameters in "(;[a-z]{3,7}=[0-9\"a-z]{0,8}){0,3}",
    ) {
        let parts = forge(post(), &[], "");
        let mut parts = parts;
        set(&mut parts, "signature-input", &format!("sig1=({}){parameters}", names.join(" ")));
        prop_assert!(judge(&parts, BODY).is_err());
    }
}
