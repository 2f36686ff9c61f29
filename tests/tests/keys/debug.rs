//! Nothing that can be printed shows a key.

use std::fmt::Debug;

use base64ct::{Base64, Encoding};
use countersign::{
    ArcKeyStore, ArcReplayStore, KeyStore, Keyring, MemoryReplayStore, Nonce, PayloadDigest,
    Scheme, Secret, Signer, SigningKey, Validity, Verifier, VerifyingKey,
};
use tests::keys::{NOW, OTHER_SECRET};
use tower::{Layer, service_fn};
use tower_countersign::{SignLayer, VerifyLayer};

use crate::{
    HOST, build, bytes, caller_key, judge_at,
    message::{Message, NONCE, authenticate},
    one_caller, shown, signed_with,
};

/// A secret that shows in whatever way it is printed: it is text, and strong enough to be used.
const PRINTABLE: &[u8; 32] = b"Xq7-tangerine_Walrus.42-obelisk!";

/// Every spelling of a few bytes of the secret.
fn needles() -> Vec<String> {
    let mut needles = Vec::new();
    for window in PRINTABLE.windows(6) {
        let hex = base16ct::lower::encode_string(window);
        needles.push(hex.to_uppercase());
        needles.push(hex);
        needles.push(String::from_utf8(window.to_vec()).unwrap());
        let numbers = |show: fn(&u8) -> String| {
            let numbers: Vec<_> = window.iter().map(show).collect();
            numbers.join(",")
        };
        needles.push(numbers(u8::to_string));
        needles.push(numbers(|byte| format!("{byte:#x}")));
        needles.push(numbers(|byte| format!("{byte:x}")));
    }
    for start in 0..3 {
        let text = Base64::encode_string(&PRINTABLE[start..]);
        let text = text.trim_end_matches('=');
        needles.extend((0..text.len() - 12).map(|from| text[from..from + 10].to_owned()));
    }
    needles
}

fn assert_shows_nothing(name: &str, value: &dyn Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        // Lists of numbers are searched however they are broken into lines.
        let packed: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        for needle in needles() {
            assert!(
                !shown.contains(&needle) && !packed.contains(&needle),
                "{name} shows {needle}: {shown}"
            );
        }
    }
}

#[test]
fn the_search_finds_a_secret_that_is_shown() {
    let secret = PRINTABLE.to_vec();
    for (name, shown) in [
        ("bytes", format!("{secret:?}")),
        ("bytes on lines", format!("{secret:#?}")),
        ("hexadecimal bytes", format!("{secret:#x?}")),
        ("text", String::from_utf8(secret.clone()).unwrap()),
        ("digits", base16ct::lower::encode_string(&secret)),
        ("upper-case digits", base16ct::upper::encode_string(&secret)),
        ("Base64", Base64::encode_string(&secret)),
        ("Base64 of a part", Base64::encode_string(&secret[5..25])),
    ] {
        let packed: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        let found = needles().iter().any(|needle| packed.contains(needle));
        assert!(found, "{name}: {shown}");
    }
}

#[test]
fn no_type_shows_a_byte_of_a_key() {
    let secret = || Secret::from_bytes(PRINTABLE);
    let text = || std::str::from_utf8(PRINTABLE).unwrap();
    assert_shows_nothing("Secret", &secret());
    assert_shows_nothing("Secret from text", &Secret::from_text(text()).unwrap());
    assert_shows_nothing("a list of secrets", &vec![secret(), secret()]);
    assert_shows_nothing(
        "Result of a Secret",
        &Secret::from_base64(&Base64::encode_string(PRINTABLE)),
    );

    for scheme in [Scheme::HmacSha256, Scheme::Ed25519] {
        let key = || match scheme {
            Scheme::HmacSha256 => SigningKey::hmac_sha256(&secret()),
            _ => SigningKey::ed25519(&secret()).unwrap(),
        };
        let name = |of: &str| format!("{of} of {scheme}");
        assert_shows_nothing(&name("SigningKey"), &key());
        assert_shows_nothing(&name("weak SigningKey"), &key().insecure_allow_weak_key());
        assert_shows_nothing(&name("VerifyingKey"), &key().verifying_key());
        let caller_key = || {
            caller_key("1", key().verifying_key())
                .with_validity(Validity::new().with_not_after(NOW))
        };
        assert_shows_nothing(&name("CallerKey"), &caller_key());
        let builder = Keyring::builder().caller("billing", caller_key());
        assert_shows_nothing(&name("KeyringBuilder"), &builder);
        let keys = one_caller(crate::caller_key("1", key().verifying_key())).unwrap();
        assert_shows_nothing(&name("Keyring"), &keys);
        assert_shows_nothing(&name("ArcKeyStore"), &ArcKeyStore::new(keys.clone()));
        let found = keys.try_lookup("billing").unwrap().unwrap();
        assert_shows_nothing(&name("CallerKeys"), &found);

        let signer = Signer::new("billing", key(), [HOST]).unwrap();
        assert_shows_nothing(&name("Signer"), &signer);
        assert_shows_nothing(&name("SignLayer"), &SignLayer::new(signer.clone()));
        let service = service_fn(async |_: http::Request<()>| Ok::<_, String>(()));
        let sign = SignLayer::new(signer.clone()).layer(service);
        assert_shows_nothing(&name("Sign"), &format!("{sign:?}"));
        assert_shows_nothing(&name("VerifyLayer"), &VerifyLayer::new(keys.clone()));
        let verify = VerifyLayer::new(keys.clone()).layer("the service");
        assert_shows_nothing(&name("Verify"), &verify);

        let message = Message::new("POST", "/", HOST, b"{}");
        let parts = message.parts().unwrap();
        let nonce = Nonce::new(NONCE).unwrap();
        let signature = signer.sign_with_nonce(&parts, PayloadDigest::of(b"{}"), nonce, NOW);
        assert_shows_nothing(&name("Signature"), &signature.unwrap());
        let verifier = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST])
            .keep_evidence();
        assert_shows_nothing(&name("VerifierBuilder"), &verifier);
        let verifier = verifier.build().unwrap();
        assert_shows_nothing(&name("Verifier"), &verifier);
        let signed = message.signed(&signer, NOW);
        let parts = signed.parts().unwrap();
        let unverified = verifier.parse(&parts, NOW).unwrap();
        assert_shows_nothing(&name("UnverifiedHead"), &unverified);
        let mut head = authenticate(&parts, &verifier, &keys, NOW).unwrap();
        assert_shows_nothing(&name("AuthenticatedHead"), &head);
        assert_shows_nothing(&name("ReplayKey"), &head.replay_key("").unwrap());
        head.update(&signed.body);
        let verified = head.finish().unwrap();
        assert_shows_nothing(&name("Verified"), &verified);
        assert_shows_nothing(&name("Evidence"), &verified.evidence().unwrap());

        let forged = signed_with(scheme, &bytes(OTHER_SECRET));
        let refused = judge_at(&keys, &forged, NOW);
        assert_shows_nothing(&name("Rejection"), &refused);
        let shared = build([("billing", caller_key()), ("orders", caller_key())]);
        assert_shows_nothing(&name("ConfigErrorKind"), &shared.map(|_| ()));
        let weak = Keyring::builder()
            .caller("billing", caller_key())
            .caller("orders", caller_key())
            .build();
        assert_shows_nothing(&name("ConfigError"), &weak.map(|_| ()));
    }
    for (name, error) in [
        ("hex", Secret::from_hex(text()).unwrap_err()),
        ("Base64", Secret::from_base64(text()).unwrap_err()),
        (
            "public key",
            VerifyingKey::ed25519_from_hex(text()).unwrap_err(),
        ),
        (
            "variable",
            Keyring::from_service_secrets(&format!("{{\"a\":\"{}\"}}", text()), None).unwrap_err(),
        ),
        (
            "variable that is no JSON",
            Keyring::from_service_secrets(text(), None).unwrap_err(),
        ),
        (
            "variable of a signer",
            Signer::from_service_secrets("a", &format!("{{\"b\":\"{}\"}}", text()), "b", HOST)
                .unwrap_err(),
        ),
    ] {
        assert_shows_nothing(name, &shown(&error));
        assert_shows_nothing(name, &error);
    }
    let store = MemoryReplayStore::new();
    assert_shows_nothing("MemoryReplayStore", &store);
    assert_shows_nothing("ArcReplayStore", &ArcReplayStore::new(store));
}
