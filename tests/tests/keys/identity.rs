//! Which two keys are one, and may not be two.

use countersign::{
    CallerKey, CallerKeys, ConfigErrorKind, KeyState, Keyring, NonceRule, Scheme, Secret, Signer,
    SigningKey, Validity, VerifyingKey,
};
use sha2::{Digest, Sha256};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key, hmac_key};

use crate::{build, bytes, caller_key, code, hmac, judge_at, one_caller, signed_with};

/// Each way in which two keys that differ as bytes are one to HMAC (RFC 2104 section 2 and 3).
fn twins() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let short = bytes(SECRET);
    let padded = |key: &[u8], length| {
        let mut key = key.to_vec();
        key.resize(length, 0);
        key
    };
    let long: Vec<u8> = short.iter().copied().cycle().take(100).collect();
    let hash = Sha256::digest(&long).to_vec();
    vec![
        ("the same", short.clone(), short.clone()),
        ("a zero more", short.clone(), padded(&short, 33)),
        (
            "zeroes to the end of the block",
            short.clone(),
            padded(&short, 64),
        ),
        ("two paddings", padded(&short, 40), padded(&short, 64)),
        ("a long one and its hash", long.clone(), hash.clone()),
        ("a long one and its hash, padded", long, padded(&hash, 64)),
    ]
}

#[test]
fn hmac_takes_the_twins_for_one_key() {
    for (name, one, other) in twins() {
        let message = signed_with(Scheme::HmacSha256, &one);
        let keys = one_caller(caller_key("1", hmac(&other))).unwrap();
        assert_eq!(code(&keys, &message), "accept", "{name}");
    }
}

#[test]
fn two_callers_cannot_have_one_key_in_whatever_version_or_state() {
    let states = [KeyState::Active, KeyState::AcceptOnly, KeyState::Revoked];
    for (name, one, other) in twins() {
        for (first, second) in [(&one, &other), (&other, &one)] {
            for state in states {
                for other_state in states {
                    let found = build([
                        ("billing", caller_key("1", hmac(first)).with_validity(state)),
                        ("billing", caller_key("2", hmac(&bytes(OTHER_SECRET)))),
                        (
                            "orders",
                            caller_key("7", hmac(second)).with_validity(other_state),
                        ),
                    ]);
                    assert_eq!(
                        found.unwrap_err(),
                        ConfigErrorKind::SharedKey,
                        "{name}, {state:?} and {other_state:?}"
                    );
                }
            }
        }
    }
    let apart = build([
        ("billing", caller_key("1", hmac(&bytes(SECRET)))),
        ("orders", caller_key("1", hmac(&bytes(OTHER_SECRET)))),
    ]);
    assert!(apart.is_ok());
}

#[test]
fn two_callers_cannot_have_one_ed25519_key() {
    let key = || ed25519_key(SECRET).verifying_key();
    let found = build([
        ("billing", caller_key("1", key())),
        (
            "orders",
            caller_key("2", key()).with_validity(KeyState::Revoked),
        ),
    ]);
    assert_eq!(found.unwrap_err(), ConfigErrorKind::SharedKey);
}

/// A public key is known to everyone: as an HMAC secret it would let everyone be the caller.
#[test]
fn a_public_key_cannot_be_a_secret_too_of_whatever_caller() {
    let public_key = ed25519_key(SECRET).verifying_key();
    let point = public_key.public_key().unwrap().to_vec();
    let mut padded = point.clone();
    padded.resize(64, 0);
    // A secret past the block of which the hash is a point, which about every second hash is.
    let (long, hashed) = (0_u32..)
        .find_map(|number| {
            let long = [&number.to_be_bytes()[..], &[0x5a; 30], &bytes(SECRET)].concat();
            let hash: [u8; 32] = Sha256::digest(&long).into();
            VerifyingKey::ed25519(&hash).ok().map(|key| (long, key))
        })
        .unwrap();
    for (name, public_key, secret) in [
        ("as it is", public_key.clone(), point),
        ("padded", public_key, padded),
        ("hashed", hashed, long),
    ] {
        for caller in ["billing", "orders"] {
            let found = build([
                ("billing", caller_key("1", public_key.clone())),
                (caller, caller_key("2", hmac(&secret))),
            ]);
            let kind = found.unwrap_err();
            assert_eq!(kind, ConfigErrorKind::SharedKey, "{name}, {caller}");
        }
    }
}

#[test]
fn one_key_listed_twice_for_a_caller_is_one_key() {
    for (name, one, other) in twins() {
        // More listings than a caller may have keys.
        let listed = ["1", "2", "3", "4", "5", "6"].map(|version| {
            let secret = if version == "1" { &one } else { &other };
            ("billing", caller_key(version, hmac(secret)))
        });
        let keys = build(listed).unwrap();
        let message = signed_with(Scheme::HmacSha256, &other);
        let verified = judge_at(&keys, &message, NOW).verified(name);
        assert_eq!(verified.key_version(), &"1", "{name}");
    }
}

#[test]
fn one_key_listed_twice_with_other_rules_is_refused() {
    type Rule = (&'static str, fn(CallerKey) -> CallerKey);
    let rules: [Rule; 6] = [
        ("accept-only", |key| key.with_validity(KeyState::AcceptOnly)),
        ("revoked", |key| key.with_validity(KeyState::Revoked)),
        ("not before", |key| {
            key.with_validity(Validity::new().with_not_before(NOW))
        }),
        ("not after", |key| {
            key.with_validity(Validity::new().with_not_after(NOW))
        }),
        ("nonce", |key| key.with_nonce(NonceRule::Optional)),
        ("three headers", CallerKey::insecure_three_headers),
    ];
    for (twins, one, other) in twins() {
        for (name, rule) in rules {
            let plain = caller_key("1", hmac(&one));
            let ruled = rule(caller_key("2", hmac(&other)));
            for pair in [[plain.clone(), ruled.clone()], [ruled, plain]] {
                let refused = build(pair.map(|key| ("billing", key))).unwrap_err();
                assert_eq!(refused, ConfigErrorKind::SharedKey, "{name}, {twins}");
            }
        }
    }
}

#[test]
fn a_caller_has_one_to_four_keys_and_each_of_them_verifies() {
    assert_eq!(Keyring::MAX_KEYS_PER_CALLER, 4);
    let secret = |number: u8| Sha256::digest([number]).to_vec();
    let ring = |count: u8| {
        build((0..count).map(|number| {
            let key = caller_key(&number.to_string(), hmac(&secret(number)));
            ("billing", key)
        }))
    };
    let keys = ring(4).unwrap();
    for number in 0..4_u8 {
        let message = signed_with(Scheme::HmacSha256, &secret(number));
        let verified = judge_at(&keys, &message, NOW).verified(&number.to_string());
        assert_eq!(verified.key_version(), &&*number.to_string());
    }
    let fifth = signed_with(Scheme::HmacSha256, &secret(4));
    assert_eq!(code(&keys, &fifth), "invalid_signature");
    assert_eq!(ring(5).unwrap_err(), ConfigErrorKind::Keyring);
    assert_eq!(ring(0).unwrap_err(), ConfigErrorKind::Keyring);
    let none = CallerKeys::new("billing", []).unwrap_err();
    assert_eq!(none.kind(), ConfigErrorKind::Keyring);
    let one_version = build([
        ("billing", caller_key("1", hmac(&secret(0)))),
        ("billing", caller_key("1", hmac(&secret(1)))),
    ]);
    assert_eq!(one_version.unwrap_err(), ConfigErrorKind::Keyring);
}

/// A secret for both directions lets a request that was sent be turned around.
#[test]
fn a_process_cannot_verify_with_a_secret_that_it_signs_with() {
    let signer = |key| Signer::new("user-service", key, ["orders.internal"]).unwrap();
    let other = signer(hmac_key(OTHER_SECRET));
    for (name, one, twin) in twins() {
        for state in [KeyState::Active, KeyState::AcceptOnly, KeyState::Revoked] {
            let keys = one_caller(caller_key("1", hmac(&one)).with_validity(state)).unwrap();
            let same = signer(SigningKey::hmac_sha256(&Secret::from_bytes(&twin)));
            for signers in [&[&same][..], &[&other, &same]] {
                let refused = keys.ensure_distinct_from(signers).unwrap_err();
                assert_eq!(refused.kind(), ConfigErrorKind::SharedKey, "{name}");
                assert!(refused.to_string().contains("billing"), "{name}: {refused}");
            }
            assert!(keys.ensure_distinct_from(&[&other]).is_ok(), "{name}");
            assert!(keys.ensure_distinct_from(&[]).is_ok(), "{name}");
        }
    }
    let keys = one_caller(caller_key("1", ed25519_key(SECRET).verifying_key())).unwrap();
    let same = signer(ed25519_key(SECRET));
    assert!(keys.ensure_distinct_from(&[&same]).is_err(), "Ed25519");
    let other = signer(ed25519_key(OTHER_SECRET));
    assert!(keys.ensure_distinct_from(&[&other]).is_ok(), "Ed25519");

    // One secret in two schemes: a verifier with it knows the seed.
    let keys = one_caller(caller_key("1", hmac(&bytes(SECRET)))).unwrap();
    assert!(keys.ensure_distinct_from(&[&same]).is_err(), "a seed");
    let public_key = ed25519_key(SECRET).verifying_key();
    let public_key = public_key.public_key().unwrap();
    let keys = one_caller(caller_key("1", hmac(public_key))).unwrap();
    assert!(keys.ensure_distinct_from(&[&same]).is_err(), "a public key");
}
