//! What must hold for every request that is signed over its body: a signed request verifies, a
//! changed one is refused, and nothing that a peer can write makes the reader panic or passes for a
//! signature.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use std::time::Duration;

use base64ct::{Base64, Encoding};
use countersign::{
    CallerKey, DrfVerifySettings, Keyring, RejectionKind, Scheme, Secret, Signer, SigningKey,
    StandardWebhooksVerifySettings, Timestamp, Verifier,
};
use http::Method;
use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};
use tests::keys::{OTHER_SECRET, SECRET};

use crate::message::Message;

const HOST: &str = "service.internal";

/// So many cases, and no file of failures: a failure prints the case, which then becomes a row of a
/// table.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

fn drf_key() -> SigningKey {
    SigningKey::drf(&Secret::from_text(SECRET).unwrap())
}

fn webhooks_keys() -> [SigningKey; 2] {
    let bytes = base16ct::lower::decode_vec(OTHER_SECRET).unwrap();
    let seed: Vec<u8> = bytes.iter().rev().copied().collect();
    let text = format!("whsk_{}", Base64::encode_string(&seed));
    [
        SigningKey::standard_webhooks(&Secret::from_bytes(&bytes)),
        SigningKey::standard_webhooks_ed25519(&text).unwrap(),
    ]
}

fn keyring() -> Keyring {
    let key =
        |version: &str, key: &SigningKey| CallerKey::new(version, key.verifying_key()).unwrap();
    let [secret, ed25519] = webhooks_keys();
    Keyring::builder()
        .caller("django", key("1", &drf_key()))
        .caller("svix", key("1", &secret))
        .caller("svix", key("2", &ed25519))
        .build()
        .unwrap()
}

fn verifier() -> Verifier {
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    Verifier::builder()
        .accept(django.with_route(Method::POST, "/drf").unwrap())
        .accept(svix.with_route(Method::POST, "/hook").unwrap())
        .build()
        .unwrap()
}

/// A signed request, with which keys, and when.
#[derive(Clone, Debug)]
struct Signed {
    scheme: Scheme,
    message: Message,
    now: Timestamp,
}

fn id() -> impl Strategy<Value = String> {
    "[!-\\-/-~]{1,64}"
}

fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..=999_999_999_999_i64,
        1_700_000_000..1_800_000_000_i64,
        Just(0),
        Just(999_999_999_999)
    ]
}

fn signed() -> impl Strategy<Value = Signed> {
    let drf = (vec(any::<u8>(), 0..300), seconds()).prop_map(|(body, seconds)| {
        let now = Timestamp::from_unix_seconds(seconds);
        let signer = Signer::drf(drf_key(), [HOST]).unwrap();
        Signed {
            scheme: Scheme::Drf,
            message: Message::new("POST", "/drf", HOST, &body).signed(&signer, now),
            now,
        }
    });
    let webhook = (vec(any::<u8>(), 0..300), id(), seconds(), 1..=3_u8).prop_map(
        |(body, id, seconds, keys)| {
            let now = Timestamp::from_unix_seconds(seconds);
            let chosen = webhooks_keys()
                .into_iter()
                .zip([1, 2])
                .filter(|(_, bit)| keys & bit != 0)
                .map(|(key, _)| key);
            let signer = Signer::standard_webhooks(chosen, [HOST]).unwrap();
            let message = Message::new("POST", "/hook", HOST, &body).with("webhook-id", id);
            Signed {
                scheme: Scheme::StandardWebhooks,
                message: message.signed(&signer, now),
                now,
            }
        },
    );
    prop_oneof![drf, webhook]
}

/// The signed parts of a head.
fn signed_headers(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Drf => &["x-hmac-timestamp"],
        _ => &["webhook-id", "webhook-timestamp"],
    }
}

/// A value near those that the readers take.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        "[0-9]{0,14}",
        "[+-]?[0-9.e_ ]{0,14}",
        "[0-9a-f]{62,66}",
        "(v1a?|v2)?,?[A-Za-z0-9+/]{40,46}={0,3}",
        "((v1|v1a|v2),[A-Za-z0-9+/]{43}=[ ,]?){0,10}",
        "msg_[!-~ ]{0,20}",
        "[ -~]{0,40}",
    ];
    prop_oneof![
        4 => text.prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..80),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_signed_verifies_in_whatever_pieces_it_comes(
        signed in signed(),
        size in 1_usize..400,
    ) {
        let Signed { scheme, message, now } = signed;
        let pieces: Vec<_> = message.body.chunks(size).collect();
        let verdict = message.judge_in_pieces(&verifier(), &keyring(), now, &pieces);
        prop_assert_eq!(verdict.code(), "accept");
        let verified = verdict.verified("");
        prop_assert_eq!(verified.scheme(), scheme);
        prop_assert_eq!(verified.signed_at(), now);
        for name in signed_headers(scheme) {
            prop_assert_eq!(verified.covered(name), Some(message.header(name)));
        }
        prop_assert_eq!(verified.covered_headers().count(), signed_headers(scheme).len());
    }

    #[test]
    fn a_changed_body_is_refused(
        signed in signed(),
        at in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
        cut in any::<bool>(),
    ) {
        let Signed { mut message, now, .. } = signed;
        if cut && !message.body.is_empty() {
            message.body.truncate(at.index(message.body.len()));
        } else if message.body.is_empty() {
            message.body.push(change);
        } else {
            let at = at.index(message.body.len());
            message.body[at] ^= change;
        }
        let verdict = message.judge(&verifier(), &keyring(), now);
        prop_assert_eq!(verdict.code(), "invalid_signature");
    }

    #[test]
    fn a_changed_head_is_refused(
        signed in signed(),
        which in any::<prop::sample::Index>(),
        value in value(),
    ) {
        let Signed { scheme, mut message, now } = signed;
        let names = signed_headers(scheme);
        let name = names[which.index(names.len())];
        prop_assume!(value != message.header(name).as_bytes());
        message.set(name, value);
        let verdict = message.judge(&verifier(), &keyring(), now);
        prop_assert_ne!(verdict.code(), "accept");
    }

    #[test]
    fn another_moment_is_another_signed_text(signed in signed(), by in 1..60_i64) {
        let Signed { scheme, mut message, now } = signed;
        let moved = now.saturating_add(Duration::from_secs(by.unsigned_abs()));
        let name = *signed_headers(scheme).last().unwrap();
        message.set(name, moved.as_unix_seconds().to_string());
        let verdict = message.judge(&verifier(), &keyring(), moved);
        prop_assert!(matches!(verdict.code(), "invalid_signature" | "malformed"));
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn no_head_panics_or_passes(
        headers in vec((0..7_usize, value()), 0..7),
        path in prop_oneof![Just("/drf"), Just("/hook"), Just("/"), Just("*")],
        method in prop_oneof![4 => Just("POST"), 1 => Just("GET"), 1 => Just("post")],
        now in prop_oneof![any::<i64>(), seconds()],
        body in vec(any::<u8>(), 0..20),
    ) {
        const NAMES: [&str; 7] = [
            "x-hmac-timestamp",
            "x-hmac-signature",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "authorization",
            "host",
        ];
        let mut message = Message::new(method, path, HOST, &body);
        for (name, value) in headers {
            message.append(NAMES[name], value);
        }
        let now = Timestamp::from_unix_seconds(now);
        let verdict = message.judge(&verifier(), &keyring(), now);
        prop_assert_ne!(verdict.code(), "accept");
        prop_assert!(!verdict.kind().is_some_and(RejectionKind::is_after_mac));
        if let Some(parts) = message.parts() {
            let _ = verifier().asserted(&parts);
        }
    }

    /// Everything well-formed but the signature, so that the keys are reached.
    #[test]
    fn no_guessed_signature_passes(
        drf in any::<bool>(),
        mac in any::<[u8; 32]>(),
        more in any::<[u8; 32]>(),
        body in vec(any::<u8>(), 0..20),
    ) {
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let message = if drf {
            Message::new("POST", "/drf", HOST, &body)
                .with("x-hmac-timestamp", "1767323045")
                .with("x-hmac-signature", base16ct::lower::encode_string(&mac))
        } else {
            let list = format!(
                "v1,{} v1a,{}",
                Base64::encode_string(&mac),
                Base64::encode_string(&[mac, more].concat())
            );
            Message::new("POST", "/hook", HOST, &body)
                .with("webhook-id", "msg_1")
                .with("webhook-timestamp", "1767323045")
                .with("webhook-signature", list)
        };
        let verdict = message.judge(&verifier(), &keyring(), now);
        prop_assert_eq!(verdict.code(), "invalid_signature");
    }
}
