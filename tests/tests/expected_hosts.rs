//! Expected hosts are compared whole, in every scheme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails by panicking"
)]

use countersign::{
    AcceptedScheme, CallerKey, CavageSignSettings, CavageVerifySettings, DrfVerifySettings,
    KeyStore, Keyring, MessageSignaturesSignSettings, MessageSignaturesVerifySettings, Rejection,
    RejectionKind, Scheme, Secret, SigV4Credentials, SigV4SignSettings, SigV4VerifySettings,
    Signer, SigningKey, StandardWebhooksVerifySettings, Verifier,
};
use http::{Method, Request};
use tests::keys::{NOW, SECRET};

const EXPECTED: [&str; 2] = ["user-service.internal:8081", "[2001:db8::1]:8081"];

/// A signer for any authority, its key, and the verifier settings that accept it.
struct Subject {
    signer: Signer,
    key: CallerKey,
    accepted: AcceptedScheme,
}

fn subjects() -> Vec<(&'static str, Subject)> {
    let secret = Secret::from_hex(SECRET).unwrap();
    let text = Secret::from_text("q8Zk2LrT0vYx+W9/nCbE5hJmP3sUaGd7FiRoKtXw").unwrap();
    let key = |key: &SigningKey| CallerKey::new("1", key.verifying_key()).unwrap();
    let hosts = ["unused"];
    let native = |signing: SigningKey, scheme: Scheme| Subject {
        key: key(&signing),
        signer: Signer::new("billing", signing, hosts).unwrap(),
        accepted: scheme.into(),
    };
    let sigv4 = SigningKey::sigv4(&text);
    let message = SigningKey::message_hmac_sha256(&secret);
    let cavage = SigningKey::cavage_hmac_sha256(&secret);
    let drf = SigningKey::drf(&text);
    let webhooks = SigningKey::standard_webhooks(&secret);
    let drf_settings = DrfVerifySettings::for_caller("billing").unwrap();
    let webhooks_settings = StandardWebhooksVerifySettings::for_caller("billing").unwrap();
    vec![
        (
            "HMAC-SHA256",
            native(SigningKey::hmac_sha256(&secret), Scheme::HmacSha256),
        ),
        (
            "ED25519",
            native(SigningKey::ed25519(&secret).unwrap(), Scheme::Ed25519),
        ),
        (
            "SigV4",
            Subject {
                key: key(&sigv4).with_key_id("AKIDBILLING").unwrap(),
                signer: {
                    let credentials = SigV4Credentials::new("AKIDBILLING", sigv4).unwrap();
                    let settings = SigV4SignSettings::new("eu-central-1", "users", credentials);
                    Signer::sigv4(settings.unwrap(), hosts).unwrap()
                },
                accepted: SigV4VerifySettings::new("eu-central-1", "users")
                    .unwrap()
                    .into(),
            },
        ),
        (
            "RFC 9421",
            Subject {
                key: key(&message),
                signer: {
                    let settings = MessageSignaturesSignSettings::new("billing", message);
                    Signer::message_signatures(settings.unwrap(), hosts).unwrap()
                },
                accepted: MessageSignaturesVerifySettings::new().into(),
            },
        ),
        (
            "draft-cavage-12",
            Subject {
                key: key(&cavage),
                signer: {
                    let settings = CavageSignSettings::new("billing", cavage);
                    Signer::cavage(settings.unwrap(), hosts).unwrap()
                },
                accepted: CavageVerifySettings::new().into(),
            },
        ),
        (
            "DRF",
            Subject {
                key: key(&drf),
                signer: Signer::drf(drf, hosts).unwrap(),
                accepted: drf_settings.with_route(Method::POST, "/a").unwrap().into(),
            },
        ),
        (
            "Standard Webhooks",
            Subject {
                key: key(&webhooks),
                signer: Signer::standard_webhooks([webhooks], hosts).unwrap(),
                accepted: webhooks_settings
                    .with_route(Method::POST, "/a")
                    .unwrap()
                    .into(),
            },
        ),
    ]
}

/// Signs for the authority that is sent, so that only the expected hosts can refuse the request.
fn judged(subject: Subject, authority: &str) -> Result<(), Rejection> {
    let signer = subject.signer.insecure_any_authority();
    let request = Request::post(format!("http://{authority}/a")).body(());
    let (mut parts, ()) = request.unwrap().into_parts();
    signer
        .sign(&parts, &b"{}"[..], NOW)
        .unwrap()
        .apply(&mut parts);
    let verifier = Verifier::builder()
        .accept_only(subject.accepted)
        .expected_hosts(EXPECTED)
        .build()
        .unwrap();
    let keys = Keyring::builder()
        .caller("billing", subject.key)
        .build()
        .unwrap();
    let unverified = verifier.parse(&parts, NOW)?;
    let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
    let authentication = unverified.authenticate(&found, NOW)?;
    authentication.finish_with(b"{}", NOW).map(|_| ())
}

#[test]
fn an_expected_host_is_accepted_whole_and_no_prefix_or_extension_of_it() {
    for (name, _) in subjects() {
        let subject = || {
            let mut subjects = subjects().into_iter();
            subjects.find(|(known, _)| *known == name).unwrap().1
        };
        for authority in [
            "user-service.internal:8081",
            "User-Service.Internal:8081",
            "[2001:db8::1]:8081",
        ] {
            let outcome = judged(subject(), authority);
            assert!(outcome.is_ok(), "{name}: {authority}: {outcome:?}");
        }
        for authority in [
            "user-service.internal",
            "user-service.internal:808",
            "user-service.internal:80811",
            "user-service.internal:8082",
            "user-service.interna:8081",
            "user-service.internal.evil:8081",
            "user-service:8081",
            "ser-service.internal:8081",
            "evil-user-service.internal:8081",
            "u",
            "[2001:db8::1]",
            "[2001:db8::11]:8081",
            "[2001:db8::]:8081",
        ] {
            let kind = judged(subject(), authority).unwrap_err().kind();
            assert_eq!(kind, RejectionKind::Misdirected, "{name}: {authority}");
        }
    }
}

/// Key ids select among the keys of one caller: only the key that a request names verifies it.
#[test]
fn a_request_is_judged_by_the_keys_of_the_id_that_it_names_and_no_others() {
    let key = |text| SigningKey::sigv4(&Secret::from_text(text).unwrap());
    let (first, second) = (
        key("q8Zk2LrT0vYx+W9/nCbE5hJmP3sUaGd7FiRoKtXw"),
        key("Tt5Rk2LrT0vYx+W9/nCbE5hJmP3sUaGd7FiRoKaaa"),
    );
    let of = |version: &str, key: &SigningKey, id: &str| {
        let key = CallerKey::new(version, key.verifying_key()).unwrap();
        key.with_key_id(id).unwrap()
    };
    // The store returns all keys of the caller, whichever key id is looked up.
    let keys = countersign::CallerKeys::new(
        "billing",
        [of("1", &first, "AKIDONE"), of("2", &second, "AKIDTWO")],
    )
    .unwrap();
    let verifier = Verifier::builder()
        .accept_only(SigV4VerifySettings::new("eu-central-1", "users").unwrap())
        .build()
        .unwrap();
    for (id, key, expected) in [
        ("AKIDONE", &first, Ok("1")),
        ("AKIDTWO", &second, Ok("2")),
        ("AKIDONE", &second, Err(RejectionKind::InvalidSignature)),
        ("AKIDTWO", &first, Err(RejectionKind::InvalidSignature)),
    ] {
        let credentials = SigV4Credentials::new(id, key.clone()).unwrap();
        let settings = SigV4SignSettings::new("eu-central-1", "users", credentials).unwrap();
        let signer = Signer::sigv4(settings, ["users"]).unwrap();
        let request = Request::post("http://users/a").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let signature = signer.sign(&parts, &b"{}"[..], NOW).unwrap();
        signature.apply(&mut parts);
        let unverified = verifier.parse(&parts, NOW).unwrap();
        let outcome = unverified
            .authenticate(&keys, NOW)
            .and_then(|found| found.finish_with(b"{}", NOW));
        let version = outcome
            .as_ref()
            .map(|verified| verified.key_version().as_str());
        assert_eq!(version.map_err(Rejection::kind), expected, "{id}");
    }
}
