//! Schemes, keys and the name of the caller.

use countersign::{
    Authentication, CallerKey, CallerKeys, ConfigErrorKind, Keyring, RejectionKind, Scheme, Secret,
    Signer, SigningKey, Verifier, VerifyingKey,
};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key};

use crate::{
    HOST, SCHEMES, THREE, assert_code, caller_key, forger, key, keyring,
    message::{ALL_FIVE, Forger, Message},
    request, signed, verifier,
};

/// Source: httpsig (`alg` ignored), GHSA-869p-cjfg-cm3x, CVE-2026-39999, APISIX: the message chose
/// the algorithm, and a public key served as an HMAC secret (part 1, row 21; part 2).
#[test]
fn a_message_that_chooses_the_algorithm_of_a_key() {
    let public_key = ed25519_key(SECRET).verifying_key();
    let public_hex = base16ct::lower::encode_string(public_key.public_key().unwrap());
    let as_secret = Forger::new(Scheme::HmacSha256, "billing", &public_hex);
    let message = as_secret.sign(request("POST", "/"), ALL_FIVE, NOW);
    assert_code(
        Scheme::Ed25519,
        "public key as a secret",
        &message,
        "invalid_signature",
    );

    for (scheme, other) in [
        (Scheme::HmacSha256, Scheme::Ed25519),
        (Scheme::Ed25519, Scheme::HmacSha256),
    ] {
        let message = forger(other).sign(request("POST", "/"), ALL_FIVE, NOW);
        assert_code(
            scheme,
            "the same bytes in the other scheme",
            &message,
            "invalid_signature",
        );
        // A verifier that was not asked to accept a scheme does not know it.
        let only = Verifier::builder()
            .accept_only(scheme)
            .expected_hosts([HOST])
            .build()
            .unwrap();
        let found = message.judge(&only, &keyring(other), NOW).code();
        assert_eq!(found, "missing_signature", "{other}");
    }
}

/// Source: mauth's v2 falls back to v1; GHSA of gateways that tried the next credential: a weaker
/// check after a stronger one failed (part 1, row 20; part 2).
#[test]
fn a_stronger_signature_that_is_taken_away_or_fails() {
    // A caller that moves from the one scheme to the other has keys of both.
    let keys = Keyring::builder()
        .caller("billing", caller_key("old", &hmac_key(SECRET)))
        .caller("billing", caller_key("new", &ed25519_key(OTHER_SECRET)))
        .build()
        .unwrap();
    let judge = |message: &Message| message.judge(&verifier(), &keys, NOW).code();
    let hmac = Forger::new(Scheme::HmacSha256, "billing", SECRET);
    let ed25519 = Forger::new(Scheme::Ed25519, "billing", OTHER_SECRET);
    let weak = hmac.sign(request("POST", "/"), ALL_FIVE, NOW);
    let strong = ed25519.sign(request("POST", "/"), ALL_FIVE, NOW);
    assert_eq!((judge(&weak), judge(&strong)), ("accept", "accept"));

    let mut broken = strong.clone();
    broken.edit("authorization", "signature=", "signature=0");
    assert_eq!(judge(&broken), "malformed");
    let both = broken
        .clone()
        .with("authorization", weak.header("authorization"));
    assert_eq!(judge(&both), "malformed", "the weaker behind the broken");
    let both = strong
        .clone()
        .with("authorization", weak.header("authorization"));
    assert_eq!(judge(&both), "malformed", "both good");

    // Neither the nonce nor the content type can be taken out of the coverage.
    let stripped = hmac.sign(request("POST", "/"), THREE, NOW);
    assert_eq!(judge(&stripped), "insufficient_coverage");
    let mut stripped = strong.clone();
    stripped.remove("x-nonce");
    stripped.edit("authorization", ";x-nonce", "");
    assert_eq!(judge(&stripped), "invalid_signature");
}

/// Source: GHSA-9c4q-hq6p-c237, MinIO: credentials were taken from the query while the header's
/// were checked (part 2). These schemes have no credentials in the query, so there they are
/// nothing.
#[test]
fn credentials_in_the_query() {
    for scheme in SCHEMES {
        let signed = signed(scheme);
        let (_, signature) = signed
            .header("authorization")
            .split_once("signature=")
            .unwrap();
        let query = format!(
            "credential=billing&signed-headers={ALL_FIVE}&signature={signature}&X-Amz-Signature={signature}"
        );
        let mut without = signed.clone();
        without.target = format!("/api/account/7?{query}");
        without.remove("authorization");
        assert_code(scheme, "alone", &without, "missing_signature");
        let mut beside = signed.clone();
        beside.target = format!("{}&{query}", signed.target);
        assert_code(scheme, "beside a header", &beside, "invalid_signature");
    }
}

/// Source: CVE-2026-28432, Misskey: the caller was whom the message named and not whose key it was
/// (part 2).
#[test]
fn a_caller_that_is_taken_from_the_message() {
    for scheme in SCHEMES {
        let message = forger(scheme).sign(request("POST", "/"), ALL_FIVE, NOW);
        let parts = message.parts().unwrap();
        // A store may fold names: what it answers is whose key it is.
        let record = caller_key("7", &key(scheme, SECRET));
        let record = CallerKeys::new("billing-production", [record]).unwrap();
        let unverified = verifier().parse(&parts, NOW).unwrap();
        assert_eq!(unverified.key_id(), "billing");
        let authenticated = unverified.authenticate(&record, NOW).unwrap();
        let Authentication::Head(head) = &authenticated else {
            panic!("the head declares its body");
        };
        assert_eq!(head.caller(), &"billing-production");
        let verified = authenticated.finish_with(&message.body, NOW).unwrap();
        assert_eq!(verified.caller(), &"billing-production");
        assert_eq!(verified.key_version(), &"7");

        let unverified = verifier().parse(&parts, NOW).unwrap();
        let refused = unverified
            .authenticate(&CallerKeys::unknown(), NOW)
            .unwrap_err();
        assert_eq!(refused.kind(), RejectionKind::InvalidSignature);
    }
}

/// Source: GHSA-869p-cjfg-cm3x (node-jws) and others: the name of a key led the look-up astray
/// (part 1, row 21).
#[test]
fn a_name_that_leads_the_look_up_astray() {
    for scheme in SCHEMES {
        for (credential, expected) in [
            ("../../etc/passwd", "invalid_signature"),
            ("billing%0d%0ax", "invalid_signature"),
            ("billing%00", "invalid_signature"),
            ("%62illing", "invalid_signature"),
            ("billing'--", "invalid_signature"),
            ("{billing}", "invalid_signature"),
            ("*", "invalid_signature"),
            ("BILLING", "invalid_signature"),
            ("billing\tx", "malformed"),
            ("billing x", "malformed"),
            ("bill\u{e9}", "malformed"),
            ("billing;x", "malformed"),
            ("billing\\", "malformed"),
            ("billing\"", "malformed"),
            ("billing\r\nx", "no HTTP"),
            ("billing\0", "no HTTP"),
        ] {
            let mut message = signed(scheme);
            message.edit(
                "authorization",
                "credential=billing",
                &format!("credential={credential}"),
            );
            assert_code(scheme, credential, &message, expected);
        }
    }
}

/// Source: RustFS GHSA-r5qv-rc46-hv8q and CVE-2025-68926: a default secret was in the source;
/// CVE-2025-53548, Clerk, and CVE-2022-43411, Jenkins: no secret meant no check (part 1, row 19;
/// part 2).
#[test]
fn a_secret_that_is_empty_short_or_known_to_everyone() {
    let long_enough = |byte: u8| Secret::from_bytes(&[byte; 32]);
    for (name, secret) in [
        ("empty", Secret::from_bytes(b"")),
        ("one byte", Secret::from_text("x").unwrap()),
        ("31 bytes", Secret::from_hex(&SECRET[..62]).unwrap()),
        ("zeroes", long_enough(0)),
        ("one byte throughout", long_enough(b'x')),
        ("secret", Secret::from_text("secret").unwrap()),
        ("rustfsadmin", Secret::from_text("rustfsadmin").unwrap()),
        (
            "counting up",
            Secret::from_bytes(&(0..32).collect::<Vec<u8>>()),
        ),
        (
            "the documentation's",
            Secret::from_text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap(),
        ),
        ("the article's", Secret::from_hex(&"00".repeat(32)).unwrap()),
    ] {
        let verifying = CallerKey::new("1", VerifyingKey::hmac_sha256(&secret)).unwrap();
        let refused = Keyring::builder()
            .caller("billing", verifying)
            .build()
            .unwrap_err();
        assert_eq!(refused.kind(), ConfigErrorKind::WeakKey, "{name}");
        let signer = Signer::new("billing", SigningKey::hmac_sha256(&secret), [HOST]);
        assert_eq!(
            signer.unwrap_err().kind(),
            ConfigErrorKind::WeakKey,
            "{name}"
        );
    }
    for (name, refused) in [
        ("no callers", Keyring::builder().build()),
        ("an empty variable", Keyring::from_service_secrets("", None)),
        ("an empty object", Keyring::from_service_secrets("{}", None)),
        (
            "two empty objects",
            Keyring::from_service_secrets("{}", Some("{}")),
        ),
        ("an empty file", Keyring::from_toml("")),
        (
            "a caller without keys",
            Keyring::from_toml("[[callers]]\nname = \"billing\""),
        ),
    ] {
        assert!(refused.is_err(), "{name}");
    }
}

/// Source: aws-sdk-go-v2#3350: a derived key was kept under the name of the secret and not under
/// the secret (part 2).
#[test]
fn a_replaced_secret_that_still_verifies() {
    for scheme in SCHEMES {
        let ring = |hex| {
            Keyring::builder()
                .caller("billing", caller_key("1", &key(scheme, hex)))
                .build()
                .unwrap()
        };
        let keys = ring(SECRET);
        let old = forger(scheme).sign(request("POST", "/"), ALL_FIVE, NOW);
        let new = Forger::new(scheme, "billing", OTHER_SECRET);
        let new = new.sign(request("POST", "/"), ALL_FIVE, NOW);
        let judge = |message: &Message| message.judge(&verifier(), &keys, NOW).code();
        assert_eq!(
            (judge(&old), judge(&new)),
            ("accept", "invalid_signature"),
            "{scheme}"
        );
        keys.replace(&ring(OTHER_SECRET));
        assert_eq!(
            (judge(&old), judge(&new)),
            ("invalid_signature", "accept"),
            "{scheme}"
        );
        // And back: nothing is kept of the one between.
        keys.replace(&ring(SECRET));
        assert_eq!(
            (judge(&old), judge(&new)),
            ("accept", "invalid_signature"),
            "{scheme}"
        );
    }
}
