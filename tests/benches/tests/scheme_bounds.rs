//! The lower bounds of the other schemes sign what their specifications print, and accept right
//! signatures alone.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::collections::HashMap;

use base64ct::{Base64, Encoding};
use benches::{
    lower_bound::{self, drf, message_signatures, sigv4, standard_webhooks},
    naive, ours,
    request::{self, CALLER, DRF_SECRET, WEBHOOK_SECRET},
    schemes::{self, Scheme},
};
use http::request::Parts;

const SCHEMES: [Scheme; 6] = [
    Scheme::SigV4,
    Scheme::SigV4Presigned,
    Scheme::Drf,
    Scheme::StandardWebhooks,
    Scheme::HmacMessages,
    Scheme::Ed25519Messages,
];
const LENGTHS: [usize; 3] = [0, 1024, 100_000];

fn header<'r>(parts: &'r Parts, name: &str) -> &'r str {
    parts.headers[name].to_str().unwrap()
}

fn takes(scheme: Scheme, parts: &Parts, body: &[u8]) -> bool {
    match scheme {
        Scheme::SigV4 => sigv4::verify(&schemes::sigv4_keys(), parts, body),
        Scheme::SigV4Presigned => sigv4::verify_presigned(&schemes::sigv4_keys(), parts),
        Scheme::Drf => {
            let taken = drf::verify(&schemes::drf_key(), parts, body);
            let naive = naive::drf::verify(DRF_SECRET, parts, body).is_ok();
            assert_eq!(taken, naive);
            taken
        }
        Scheme::StandardWebhooks => {
            let taken = standard_webhooks::verify(&schemes::webhook_key(), parts, body);
            let naive = naive::standard_webhooks::verify(WEBHOOK_SECRET, parts, body).is_ok();
            assert_eq!(taken, naive);
            taken
        }
        Scheme::HmacMessages | Scheme::Ed25519Messages => {
            let key = schemes::message_key(scheme).public();
            let keys = HashMap::from([(CALLER.to_string(), key)]);
            message_signatures::verify(&keys, parts, body)
        }
        other => panic!("{other:?} is not known here"),
    }
}

#[test]
fn what_is_right_is_taken_and_what_is_not_is_refused() {
    for scheme in SCHEMES {
        let has_body = scheme != Scheme::SigV4Presigned;
        let covers_target = !matches!(scheme, Scheme::Drf | Scheme::StandardWebhooks);
        for len in LENGTHS {
            let body = request::body(if has_body { len } else { 0 });
            let parts = schemes::signed(scheme, &body);
            assert!(takes(scheme, &parts, &body), "{scheme:?}, {len}");

            let longer = request::body(len + 1);
            assert_eq!(
                takes(scheme, &parts, &longer),
                !has_body,
                "{scheme:?}, {len}: another body"
            );

            let mut moved = schemes::signed(scheme, &body);
            let target = moved.uri.to_string().replace("123", "124");
            moved.uri = target.parse().unwrap();
            assert_eq!(
                takes(scheme, &moved, &body),
                !covers_target,
                "{scheme:?}, {len}: another target"
            );
        }
    }
}

/// What the bound signs is ours to take; and what we sign is the bound's, where we cover the same
/// in the same order.
#[test]
fn ours_takes_what_the_bound_signs_and_signs_what_the_bound_takes() {
    for scheme in SCHEMES {
        let (verifier, keys) = (
            ours::schemes::verifier(scheme),
            ours::schemes::keyring(scheme),
        );
        let has_body = scheme != Scheme::SigV4Presigned;
        for len in LENGTHS {
            let body = request::body(if has_body { len } else { 0 });
            let takes = |parts: &Parts, body: &[u8]| {
                ours::schemes::verified(&verifier, &keys, parts, body).is_some()
            };
            let parts = schemes::signed(scheme, &body);
            assert!(takes(&parts, &body), "{scheme:?}, {len}");
            let longer = request::body(len + 1);
            assert!(!takes(&parts, &longer), "{scheme:?}, {len}: another body");

            let Some(signer) = ours::schemes::signer(scheme) else {
                continue;
            };
            let mut parts = ours::schemes::unsigned(scheme, len);
            ours::schemes::sign_with(&signer, None, &mut parts, &body).unwrap();
            assert!(takes(&parts, &body), "{scheme:?}, {len}: our own");
            if matches!(scheme, Scheme::Drf | Scheme::StandardWebhooks) {
                assert!(self::takes(scheme, &parts, &body), "{scheme:?}, {len}");
            }
        }
    }
}

/// Source: computed with Python's hmac from the article's code.
#[test]
fn drf_signs_as_the_article_does() {
    let key = lower_bound::key(b"super-secret-key-from-env");
    for (body, signature) in [
        (
            &br#"{"text":"hi","user_id":1}"#[..],
            "0f20a2e04291d8fb467f52a6564575b27858e2802acb2abf15f384da7c4376fa",
        ),
        (
            b"",
            "5870d433e5722f9c852dfa545173ae459bdc3ccab1c6bd4db3b3aaf1add69717",
        ),
    ] {
        let mut parts = request::unsigned(body.len());
        drf::sign_at(&key, 1_767_323_045, &mut parts, body).unwrap();
        assert_eq!(header(&parts, "x-hmac-timestamp"), "1767323045");
        assert_eq!(header(&parts, "x-hmac-signature"), signature);
    }
}

/// Source: the tests of the standardwebhooks crate.
#[test]
fn webhooks_are_signed_as_the_reference_does() {
    let key = lower_bound::key(&Base64::decode_vec("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap());
    let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let mut parts = request::unsigned(body.len());
    standard_webhooks::sign_at(&key, id, 1_649_367_553, &mut parts, body).unwrap();
    assert_eq!(header(&parts, "webhook-timestamp"), "1649367553");
    assert_eq!(
        header(&parts, "webhook-signature"),
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
    );
}

#[test]
fn a_sigv4_key_of_another_day_is_derived_anew() {
    let mut key = sigv4::Key::new(request::SIGV4_SECRET);
    let mut sign = |now| {
        let mut parts = request::unsigned(0);
        sigv4::sign_at(&mut key, request::SIGV4_ACCESS_KEY, now, &mut parts, b"").unwrap();
        header(&parts, "authorization").to_string()
    };
    let first = sign(1_767_323_045);
    let next_day = sign(1_767_323_045 + 86_400);
    assert!(first.contains("/20260102/"), "{first}");
    assert!(next_day.contains("/20260103/"), "{next_day}");
    assert_eq!(sign(1_767_323_045), first);
}
