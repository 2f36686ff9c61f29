//! Causes that lie in the settings of a verifier, in the rules of keys, and in what only one scheme
//! has.

use countersign::{
    CallerKey, ContentTypeRule, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, Scheme, Secret, SigV4Credentials, SigV4SignSettings,
    SigV4VerifySettings, Signer, SigningKey, Timestamp, UriScheme, Verifier, VerifyingKey,
    diagnose::{Cause, Diagnosis, Finding, Report},
};
use http::{
    HeaderName, HeaderValue, Request,
    header::{ACCEPT, CONTENT_TYPE},
    request::Parts,
};

use crate::client::{Family, HOST, KEY, NOW, key, other_key};

const AT: Timestamp = Timestamp::from_unix_seconds(NOW);

fn parts(url: &str) -> Parts {
    Request::post(url).body(()).unwrap().into_parts().0
}

fn usual() -> Parts {
    parts(&format!("http://{HOST}/api?a=b"))
}

fn secret() -> Secret {
    Secret::from_bytes(&KEY)
}

fn native() -> Signer {
    Signer::new("billing", key(Family::Hmac, &KEY), [HOST]).unwrap()
}

fn signed(signer: &Signer, mut parts: Parts) -> Parts {
    signer.sign(&parts, &b""[..], AT).unwrap().apply(&mut parts);
    parts
}

fn keys(key: VerifyingKey) -> Keyring {
    Keyring::builder()
        .caller("billing", CallerKey::new("1", key).unwrap())
        .build()
        .unwrap()
}

fn run(verifier: &Verifier, keyring: &Keyring, parts: &Parts) -> Report {
    Diagnosis::new(verifier, parts, AT)
        .with_keyring(keyring)
        .with_body(b"")
        .run()
}

fn assert_first(report: &Report, cause: Cause) {
    let first = report.first_cause().map(Finding::cause);
    assert_eq!(first, Some(cause), "{report}");
}

#[test]
fn a_nonce_that_is_absent_is_told_from_other_coverage() {
    let keyring = keys(key(Family::Hmac, &KEY).verifying_key());
    let without_nonce = native().insecure_three_headers();
    let report = run(
        &Verifier::default(),
        &keyring,
        &signed(&without_nonce, usual()),
    );
    assert_first(&report, Cause::NonceMissing);

    let rules = CallerKey::new("1", key(Family::Hmac, &KEY).verifying_key()).unwrap();
    let rules = rules.with_nonce(countersign::NonceRule::Optional);
    let rules = rules.with_content_type(ContentTypeRule::CoveredIfPresent);
    let keyring = Keyring::builder().caller("billing", rules).build().unwrap();
    let mut sent = signed(&native(), usual());
    sent.headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert_first(
        &run(&Verifier::default(), &keyring, &sent),
        Cause::HeaderNotCovered,
    );

    let strict = Verifier::builder()
        .require_headers([HeaderName::from_static("x-tenant")])
        .build()
        .unwrap();
    let sent = signed(&native(), usual());
    assert_first(&run(&strict, &keyring, &sent), Cause::HeaderNotCovered);
    let mut sent = signed(&native(), usual());
    sent.headers
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_first(
        &run(&Verifier::default(), &keyring, &sent),
        Cause::HeaderNotCovered,
    );
}

#[test]
fn a_scheme_that_is_not_accepted_is_named() {
    let keyring = keys(key(Family::Hmac, &KEY).verifying_key());
    let other = Verifier::builder()
        .accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap())
        .build()
        .unwrap();
    let report = run(&other, &keyring, &signed(&native(), usual()));
    assert_first(&report, Cause::SchemeNotAccepted);
    let settings =
        MessageSignaturesSignSettings::new("billing", key(Family::Rfc9421, &KEY)).unwrap();
    let signer = Signer::message_signatures(settings, [HOST]).unwrap();
    let keyring = keys(key(Family::Rfc9421, &KEY).verifying_key());
    let report = run(&Verifier::default(), &keyring, &signed(&signer, usual()));
    assert_first(&report, Cause::SchemeNotAccepted);
    let keyring = keys(key(Family::SigV4, &KEY).verifying_key());
    let credentials = SigV4Credentials::new("billing", key(Family::SigV4, &KEY)).unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials).unwrap();
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    let report = run(&Verifier::default(), &keyring, &signed(&signer, usual()));
    assert_first(&report, Cause::SchemeNotAccepted);
}

#[test]
fn a_key_that_is_bound_to_another_scheme_is_named() {
    let verifier = Verifier::builder()
        .accept_only(Scheme::HmacSha256)
        .build()
        .unwrap();
    let keyring = keys(key(Family::Rfc9421, &KEY).verifying_key());
    let report = run(&verifier, &keyring, &signed(&native(), usual()));
    assert_first(&report, Cause::KeyOfAnotherScheme);
    let keyring = keys(key(Family::Rfc9421, &other_key(3)).verifying_key());
    let report = run(&verifier, &keyring, &signed(&native(), usual()));
    assert_first(&report, Cause::NoKeyOfScheme);
}

#[test]
fn a_key_id_of_another_key_is_named() {
    let with_id = |version: &str, id: &str, bytes: &[u8]| {
        let key = key(Family::SigV4, bytes).verifying_key();
        CallerKey::new(version, key)
            .unwrap()
            .with_key_id(id)
            .unwrap()
    };
    let keyring = Keyring::builder()
        .caller("billing", with_id("1", "AKIDONE", &KEY))
        .caller("billing", with_id("2", "AKIDTWO", &other_key(4)))
        .build()
        .unwrap();
    let verifier = Verifier::builder()
        .accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap())
        .build()
        .unwrap();
    let credentials = SigV4Credentials::new("AKIDTWO", key(Family::SigV4, &KEY)).unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials).unwrap();
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    let report = run(&verifier, &keyring, &signed(&signer, usual()));
    assert_first(&report, Cause::KeyOfAnotherId);
}

#[test]
fn a_session_token_that_is_absent_or_foreign_is_named() {
    let token = |text: &str| Secret::from_text(text).unwrap();
    let verifier = Verifier::builder()
        .accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap())
        .build()
        .unwrap();
    let bound = key(Family::SigV4, &KEY).verifying_key();
    let bound = bound.with_session_token(&token("the-right-token")).unwrap();
    let keyring = keys(bound);
    for sent in [None, Some("another-token")] {
        let mut credentials = SigV4Credentials::new("billing", key(Family::SigV4, &KEY)).unwrap();
        if let Some(text) = sent {
            credentials = credentials.with_session_token(&token(text)).unwrap();
        }
        let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials).unwrap();
        let signer = Signer::sigv4(settings, [HOST]).unwrap();
        let report = run(&verifier, &keyring, &signed(&signer, usual()));
        assert_first(&report, Cause::SessionToken);
        for shown in [report.to_string(), report.to_json(), format!("{report:?}")] {
            assert!(!shown.contains("another-token") && !shown.contains("the-right-token"));
        }
    }
}

#[test]
fn a_presigned_request_that_is_not_accepted_is_named() {
    let verifier = Verifier::builder()
        .accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap())
        .build()
        .unwrap();
    let keyring = keys(key(Family::SigV4, &KEY).verifying_key());
    let credentials = SigV4Credentials::new("billing", key(Family::SigV4, &KEY)).unwrap();
    let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials).unwrap();
    let signer = Signer::sigv4(settings, [HOST]).unwrap();
    let url = format!("http://{HOST}/api?a=b");
    let mut request = Request::get(&url).body(()).unwrap().into_parts().0;
    let lifetime = std::time::Duration::from_secs(300);
    request.uri = signer.presign(&request, &b""[..], lifetime, AT).unwrap();
    request
        .headers
        .insert("host", HeaderValue::from_static(HOST));
    assert_first(
        &run(&verifier, &keyring, &request),
        Cause::PresignedNotAccepted,
    );
}

#[test]
fn the_scheme_of_the_uri_is_tried_both_ways() {
    let settings =
        MessageSignaturesSignSettings::new("billing", key(Family::Rfc9421, &KEY)).unwrap();
    let settings = settings
        .with_scheme(UriScheme::Https)
        .with_covered_component(countersign::ComponentId::SCHEME)
        .unwrap();
    let signer = Signer::message_signatures(settings, [HOST]).unwrap();
    let verifier = Verifier::builder()
        .accept_only(
            MessageSignaturesVerifySettings::new()
                .with_algorithm(countersign::Algorithm::HmacSha256)
                .with_scheme(UriScheme::Http),
        )
        .build()
        .unwrap();
    let keyring = keys(key(Family::Rfc9421, &KEY).verifying_key());
    let mut sent = signed(&signer, parts(&format!("https://{HOST}/api?a=b")));
    sent.uri = usual().uri;
    let report = run(&verifier, &keyring, &sent);
    assert_first(&report, Cause::SchemeOfUri);
}

#[test]
fn an_algorithm_that_the_settings_exclude_is_named() {
    let ed25519 = SigningKey::message_ed25519(&secret()).unwrap();
    let settings = MessageSignaturesSignSettings::new("billing", ed25519.clone()).unwrap();
    let signer = Signer::message_signatures(settings, [HOST]).unwrap();
    let verifier = Verifier::builder()
        .accept_only(
            MessageSignaturesVerifySettings::new()
                .with_algorithm(countersign::Algorithm::HmacSha256),
        )
        .build()
        .unwrap();
    let keyring = keys(ed25519.verifying_key());
    let report = run(&verifier, &keyring, &signed(&signer, usual()));
    assert_first(&report, Cause::Algorithm);
}

#[test]
fn a_body_that_something_decompressed_is_named() {
    let keyring = keys(key(Family::Hmac, &KEY).verifying_key());
    let signer = native()
        .with_covered_header(http::header::CONTENT_ENCODING)
        .unwrap();
    let mut sent = usual();
    sent.headers
        .insert("content-encoding", HeaderValue::from_static("gzip"));
    let digest: &[u8] = &[0x1f, 0x8b, 8, 0];
    signer.sign(&sent, digest, AT).unwrap().apply(&mut sent);
    let verifier = Verifier::default();
    let report = Diagnosis::new(&verifier, &sent, AT)
        .with_keyring(&keyring)
        .with_body(b"plain")
        .run();
    assert_first(&report, Cause::BodyDecompressed);
}

#[test]
fn what_a_proxy_says_of_host_and_target_is_tried_and_never_decides() {
    let keyring = keys(key(Family::Hmac, &KEY).verifying_key());
    let signer = Signer::new("billing", key(Family::Hmac, &KEY), ["public.example"]).unwrap();
    let sent = signed(&signer, parts("http://public.example/edge/api?a=b"));
    let mut behind = usual();
    behind.headers = sent.headers.clone();
    behind.headers.insert(
        "x-forwarded-host",
        HeaderValue::from_static("public.example"),
    );
    let only_host = |behind: &Parts| {
        let mut parts = behind.clone();
        parts.uri = format!("http://{HOST}/edge/api?a=b").parse().unwrap();
        parts
    };
    let report = run(&Verifier::default(), &keyring, &only_host(&behind));
    assert!(!report.is_accepted());
    assert_first(&report, Cause::OtherHost);
    behind
        .headers
        .insert("x-forwarded-prefix", HeaderValue::from_static("/edge"));
    let report = run(&Verifier::default(), &keyring, &behind);
    assert_first(&report, Cause::OtherHost);
    let first = report.first_cause().unwrap();
    assert_eq!(first.also(), Some(Cause::PathPrefixStripped));
}

#[test]
fn values_of_headers_on_the_list_are_not_shown() {
    let keyring = keys(key(Family::Hmac, &KEY).verifying_key());
    let signer = native().with_covered_header(ACCEPT).unwrap();
    let mut sent = usual();
    sent.headers
        .insert(ACCEPT, HeaderValue::from_static("Hunter2"));
    signer.sign(&sent, &b""[..], AT).unwrap().apply(&mut sent);
    sent.headers
        .insert(ACCEPT, HeaderValue::from_static("hunter2 hunter2"));
    let verifier = Verifier::default();
    let report = Diagnosis::new(&verifier, &sent, AT)
        .with_keyring(&keyring)
        .with_body(b"")
        .with_redacted_header(ACCEPT)
        .run();
    for shown in [report.to_string(), report.to_json(), format!("{report:?}")] {
        assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
    }
}
