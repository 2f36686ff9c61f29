//! Covered headers that stand on several lines.

use countersign::{
    Algorithm, CallerKey, Keyring, MessageSignaturesSignSettings, MessageSignaturesVerifySettings,
    Secret, SignErrorKind, Signer, SigningKey, Verifier,
};
use http::header::COOKIE;
use tests::{
    keys::{self, NOW, SECRET},
    signed::{AUTHORITY, billing},
};

use crate::{
    get,
    message::{Message, NONCE},
    name,
    sigv4::{self, judge_with},
};

fn tenants() -> Message {
    get("/a")
        .with("x-tenant", "one")
        .with("x-tenant", "two, three")
}

fn cookies() -> Message {
    get("/a").with("cookie", "a=1").with("cookie", "b=2; c=3")
}

fn message_signatures(covered: &str) -> (Signer, Verifier, Keyring) {
    let key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let settings = MessageSignaturesSignSettings::new("billing", key.clone()).unwrap();
    let settings =
        settings.with_covered_component(covered.parse::<countersign::ComponentId<'_>>().unwrap());
    let signer = Signer::message_signatures(settings.unwrap(), [AUTHORITY]).unwrap();
    let verify_settings =
        MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256);
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    let keys = Keyring::builder().caller("billing", key).build().unwrap();
    (signer, verifier, keys)
}

/// RFC 9110 section 5.3 lets anyone on the way make one line of them: the signature holds, and a
/// handler sees either.
#[test]
fn lines_of_a_covered_header_are_one_value_in_sigv4_and_rfc_9421() {
    let joined = |message: &Message, between: &str| {
        let mut one = message.clone();
        one.remove("x-tenant");
        one.with("x-tenant", format!("one{between}two, three"))
    };
    let message = sigv4::signed(tenants(), &sigv4::signer(), NOW);
    let (verifier, keys) = (sigv4::verifier(sigv4::verify_settings()), sigv4::keyring());
    for message in [&message, &joined(&message, ",")] {
        let verified = judge_with(message, &verifier, &keys, NOW).unwrap();
        assert_eq!(verified.covered("x-tenant"), Some("one,two, three"));
    }
    let (signer, verifier, keys) = message_signatures(r#""x-tenant""#);
    let message = tenants().signed(&signer, NOW);
    for message in [&message, &joined(&message, ", ")] {
        let verdict = message.judge(&verifier, &keys, NOW);
        let verified = verdict.verified("one line or two");
        assert_eq!(verified.covered("x-tenant"), Some("one, two, three"));
    }
}

#[test]
fn lines_of_a_covered_header_are_refused_in_the_native_schemes() {
    let signer = billing().with_covered_header(name("x-tenant")).unwrap();
    let parts = tenants().parts().unwrap();
    let error = signer.sign(&parts, &b""[..], NOW).unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Header);
    let one = get("/a").with("x-tenant", "one").signed(&signer, NOW);
    let keys = keys::keyring("billing", &keys::hmac_key(SECRET));
    let verdict = |message: &Message| message.judge(&Verifier::default(), &keys, NOW).code();
    assert_eq!(verdict(&one), "accept");
    assert_eq!(verdict(&one.with("x-tenant", "two")), "malformed");
}

/// RFC 9113 section 8.2.3: pieces of a cookie are one line with `; ` between them, and a hop to
/// HTTP/1.1 joins them so.
#[test]
fn pieces_of_a_cookie_are_one_value_in_every_scheme() {
    const JOINED: &str = "a=1; b=2; c=3";
    let joined = |message: &Message| {
        let mut one = message.clone();
        one.remove("cookie");
        one.with("cookie", JOINED)
    };
    let other = |message: &Message| {
        let mut one = message.clone();
        one.remove("cookie");
        one.with("cookie", "a=1").with("cookie", "b=2; c=4")
    };
    let key = keys::hmac_key(SECRET);
    let native = billing().with_covered_header(COOKIE).unwrap();
    let (rfc9421, verifier, keyring) = message_signatures(r#""cookie""#);
    let sigv4 = (
        "SigV4",
        sigv4::signed(cookies(), &sigv4::signer(), NOW),
        sigv4::verifier(sigv4::verify_settings()),
        sigv4::keyring(),
    );
    for (name, message, verifier, keys) in [
        sigv4,
        (
            "native",
            cookies().signed_with(&native, NONCE, NOW),
            Verifier::default(),
            keys::keyring("billing", &key),
        ),
        (
            "RFC 9421",
            cookies().signed_with(&rfc9421, NONCE, NOW),
            verifier,
            keyring,
        ),
    ] {
        for message in [&message, &joined(&message)] {
            let verified = judge_with(message, &verifier, &keys, NOW);
            let verified = verified.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(verified.covered("cookie"), Some(JOINED), "{name}");
        }
        let refused = judge_with(&other(&message), &verifier, &keys, NOW).unwrap_err();
        assert_eq!(refused.kind().code(), "invalid_signature", "{name}");
        let mut none = message.clone();
        none.remove("cookie");
        let refused = judge_with(&none, &verifier, &keys, NOW).unwrap_err();
        assert_eq!(refused.kind().code(), "malformed", "{name}");
    }
}

/// Where one piece ends says nothing, so that pieces cannot be covered one by one.
#[test]
fn pieces_of_a_cookie_are_no_byte_sequences() {
    let (signer, ..) = message_signatures(r#""cookie";bs"#);
    let parts = cookies().parts().unwrap();
    let error = signer.sign(&parts, &b""[..], NOW).unwrap_err();
    assert_eq!(error.kind(), SignErrorKind::Header);
}
