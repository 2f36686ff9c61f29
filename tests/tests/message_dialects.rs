//! Each dialect of RFC 9421 from signer to verifier, and what a verifier of another one says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{
    CallerKey, CallerKeys, MessageSignaturesSignSettings as Sign,
    MessageSignaturesVerifySettings as Verify, Rejection, RejectionKind, Secret, Signer,
    SigningKey, UriScheme, Verified, Verifier,
};
use http::{Request, request::Parts};
use tests::keys::{NOW, SECRET};

fn key() -> SigningKey {
    SigningKey::message_ecdsa_p256_sha256(&Secret::from_hex(SECRET).unwrap()).unwrap()
}

/// The dialects of this test by name: how each signs and verifies.
type Dialect = (&'static str, fn(Sign) -> Sign, fn() -> Verify);

const DIALECTS: [Dialect; 5] = [
    ("strict", |settings| settings, Verify::strict),
    ("web_bot_auth", Sign::for_web_bot_auth, Verify::web_bot_auth),
    (
        "adcp_request_3_2",
        Sign::for_adcp_request_3_2,
        Verify::adcp_request_3_2,
    ),
    (
        "adcp_request_3_1",
        Sign::for_adcp_request_3_1,
        Verify::adcp_request_3_1,
    ),
    ("adcp_webhook", Sign::for_adcp_webhook, Verify::adcp_webhook),
];

fn sign(dialect: fn(Sign) -> Sign, key: &SigningKey, key_id: &str, body: &'static [u8]) -> Parts {
    let request = Request::post("https://agents.example/%7ea/./b?x=%2f")
        .header("content-type", "application/json")
        .header(
            "signature-agent",
            "sig1=\"https://Agent.example:443/keys?v=1\"",
        )
        .body(());
    let (mut parts, ()) = request.unwrap().into_parts();
    let settings = dialect(Sign::new(key_id, key.clone()).unwrap());
    let signer = Signer::message_signatures(settings, ["agents.example"]).unwrap();
    signer.sign(&parts, body, NOW).unwrap().apply(&mut parts);
    parts
}

fn verify(
    parts: &Parts,
    settings: Verify,
    key: &SigningKey,
    key_id: &str,
    body: &[u8],
) -> Result<Verified, Rejection> {
    let verifier = Verifier::builder()
        .accept_only(settings)
        .expected_hosts(["agents.example"])
        .build()
        .unwrap();
    let head = verifier.parse(parts, NOW)?;
    assert_eq!(head.key_id(), key_id);
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    let keys = CallerKeys::new("agent", [key.with_key_id(key_id).unwrap()]).unwrap();
    head.authenticate(&keys, NOW)?.finish_with(body, NOW)
}

#[test]
fn what_a_dialect_signs_its_verifier_accepts_and_no_other() {
    const BODY: &[u8] = b"{}";
    let key = key();
    let thumbprint = key.verifying_key().thumbprint().unwrap();
    for (name, signing, _) in DIALECTS {
        let parts = sign(signing, &key, &thumbprint, BODY);
        for (other, _, settings) in DIALECTS {
            let key_id = match other {
                "web_bot_auth" => format!("https://agent.example/keys {thumbprint}"),
                _ => thumbprint.clone(),
            };
            let found = verify(&parts, settings(), &key, &key_id, BODY);
            assert_eq!(found.is_ok(), name == other, "{name} by {other}: {found:?}");
            if let Ok(verified) = found {
                assert_eq!(verified.caller(), &"agent");
            }
        }
    }
}

#[test]
fn a_body_that_was_changed_is_refused_in_every_dialect() {
    let key = key();
    let thumbprint = key.verifying_key().thumbprint().unwrap();
    for (name, signing, settings) in DIALECTS {
        let parts = sign(signing, &key, &thumbprint, b"{}");
        let key_id = match name {
            "web_bot_auth" => format!("https://agent.example/keys {thumbprint}"),
            _ => thumbprint.clone(),
        };
        let found = verify(&parts, settings(), &key, &key_id, b"[]").unwrap_err();
        assert_eq!(found.kind(), RejectionKind::BodyMismatch, "{name}");
    }
}

#[test]
fn curl_signs_what_its_verifier_accepts_and_strict_says_what_is_missing() {
    let key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let request = Request::get("/orders/7").header("host", "agents.example");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let settings = Sign::new("billing", key.clone())
        .unwrap()
        .insecure_as_curl();
    let signer = Signer::message_signatures(settings, ["agents.example"]).unwrap();
    signer
        .sign(&parts, &b""[..], NOW)
        .unwrap()
        .apply(&mut parts);
    assert_eq!(
        parts.headers["signature-input"],
        "sig1=(\"@method\" \"@authority\" \"@path\");created=1767323045;keyid=\"billing\";\
         alg=\"hmac-sha256\""
    );
    let curl = || Verify::curl().with_scheme(UriScheme::Http);
    verify(&parts, curl(), &key, "billing", b"").unwrap();
    let refused = verify(&parts, Verify::strict(), &key, "billing", b"").unwrap_err();
    assert_eq!(refused.kind(), RejectionKind::InsufficientCoverage);
    let reason = refused.to_string();
    assert!(reason.contains("expected @query to be covered"), "{reason}");
}

#[test]
fn a_key_id_of_rfc_9421_is_any_string_and_the_caller_keeps_its_name() {
    let key = CallerKey::new("1", key().verifying_key()).unwrap();
    for (key_id, valid) in [
        ("a key, or two; \"quoted\" = \\", true),
        ("https://agent.example/keys?a=b thumb", true),
        ("", false),
        ("schl\u{fc}ssel", false),
        ("a\nb", false),
        (&"k".repeat(2048), true),
        (&"k".repeat(2049), false),
    ] {
        assert_eq!(key.clone().with_key_id(key_id).is_ok(), valid, "{key_id}");
    }
    let native = SigningKey::hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let native = CallerKey::new("1", native.verifying_key()).unwrap();
    assert!(native.with_key_id("a key").is_err());
}
