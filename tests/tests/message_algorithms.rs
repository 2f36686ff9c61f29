//! The algorithms of RFC 9421 from signer to verifier.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{
    Algorithm, CallerKey, CallerKeys, ConfigErrorKind, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, RejectionKind, Secret, Signer, SigningKey, Verifier,
    VerifyingKey,
};
use http::{HeaderValue, Request, request::Parts};
use tests::keys::{NOW, OTHER_SECRET, SECRET};

/// A key of each algorithm that signs.
fn signing_keys(secret: &str) -> [SigningKey; 4] {
    let half = &secret[..32];
    let [secret, longer] =
        [secret, &format!("{secret}{half}")].map(|hex| Secret::from_hex(hex).unwrap());
    [
        SigningKey::message_hmac_sha256(&secret),
        SigningKey::message_ed25519(&secret).unwrap(),
        SigningKey::message_ecdsa_p256_sha256(&secret).unwrap(),
        SigningKey::message_ecdsa_p384_sha384(&longer).unwrap(),
    ]
}

fn signed(
    key: &SigningKey,
    change: fn(MessageSignaturesSignSettings) -> MessageSignaturesSignSettings,
) -> Parts {
    let request = Request::post("https://users.internal/v1/users?page=2");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let settings = MessageSignaturesSignSettings::new("billing", key.clone()).unwrap();
    let signer = Signer::message_signatures(change(settings), ["users.internal"]).unwrap();
    signer
        .sign(&parts, &b"{}"[..], NOW)
        .unwrap()
        .apply(&mut parts);
    parts
}

fn verify(
    parts: &Parts,
    settings: MessageSignaturesVerifySettings,
    key: VerifyingKey,
) -> Result<(), RejectionKind> {
    let verifier = Verifier::builder()
        .accept_only(settings)
        .expected_hosts(["users.internal"])
        .build()
        .unwrap();
    let keys = CallerKeys::new("billing", [CallerKey::new("1", key).unwrap()]).unwrap();
    let head = verifier.parse(parts, NOW).unwrap();
    head.authenticate(&keys, NOW)
        .and_then(|head| head.finish_with(b"{}", NOW))
        .map(|_| ())
        .map_err(|rejection| rejection.kind())
}

#[test]
fn each_algorithm_is_verified_with_its_own_key_alone() {
    let (own, others) = (signing_keys(SECRET), signing_keys(OTHER_SECRET));
    for signing in &own {
        let parts = signed(signing, |settings| settings);
        for key in own.iter().chain(&others) {
            let found = verify(
                &parts,
                MessageSignaturesVerifySettings::new(),
                key.verifying_key(),
            );
            let expected = if std::ptr::eq(key, signing) {
                Ok(())
            } else {
                Err(RejectionKind::InvalidSignature)
            };
            assert_eq!(
                found,
                expected,
                "{} under {}",
                signing.algorithm(),
                key.algorithm()
            );
        }
    }
}

/// The key decides. What the request tells about the algorithm can only agree.
#[test]
fn an_alg_that_is_not_of_the_key_is_refused() {
    for signing in signing_keys(SECRET) {
        let parts = signed(&signing, MessageSignaturesSignSettings::with_alg);
        let own = signing.algorithm();
        let name = format!("alg=\"{own}\"");
        let input = parts.headers["signature-input"].to_str().unwrap();
        assert!(input.contains(&name), "{input}");
        let settings = MessageSignaturesVerifySettings::new;
        assert_eq!(verify(&parts, settings(), signing.verifying_key()), Ok(()));
        for algorithm in Algorithm::ALL {
            let found = verify(
                &parts,
                settings().with_algorithm(*algorithm),
                signing.verifying_key(),
            );
            assert_eq!(found.is_ok(), *algorithm == own, "{own}: only {algorithm}");
        }
    }
}

#[test]
fn a_signature_of_another_length_is_refused() {
    for signing in signing_keys(SECRET) {
        let parts = signed(&signing, |settings| settings);
        for value in [
            "sig1=:AA==:".to_owned(),
            format!("sig1=:{}:", "AAAA".repeat(300)),
        ] {
            let mut parts = parts.clone();
            parts
                .headers
                .insert("signature", HeaderValue::try_from(value).unwrap());
            let found = verify(
                &parts,
                MessageSignaturesVerifySettings::new(),
                signing.verifying_key(),
            );
            assert_eq!(found, Err(RejectionKind::InvalidSignature));
        }
    }
}

/// One modulus under two paddings would let one signature be tried under both.
#[test]
fn an_rsa_key_has_one_algorithm() {
    let mut modulus: Vec<u8> = (0..=255).collect();
    modulus[0] = 0xff;
    let pss = VerifyingKey::message_rsa_pss_sha512(&modulus, &[1, 0, 1]).unwrap();
    let v1_5 = VerifyingKey::message_rsa_v1_5_sha256(&modulus, &[1, 0, 1]).unwrap();
    assert_eq!(pss.thumbprint(), v1_5.thumbprint());
    let keys = Keyring::builder()
        .caller("billing", CallerKey::new("1", pss).unwrap())
        .caller("billing", CallerKey::new("2", v1_5).unwrap());
    assert_eq!(keys.build().unwrap_err().kind(), ConfigErrorKind::SharedKey);
}
