//! How signatures over the body have failed elsewhere, as tests that fail if the core makes the
//! same mistake. Each is named after the failure and says where it happened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::similar_names,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod message;

use std::time::Duration;

use base64ct::{Base64, Encoding};
use countersign::{
    Asserted, Authentication, CallerKey, ConfigErrorKind, DrfVerifySettings, KeyStore, Keyring,
    Scheme, Secret, Signer, SigningKey, StandardWebhooksVerifySettings, Timestamp, Verifier,
    VerifyingKey,
};
use ed25519_dalek::Signer as _;
use http::Method;
use tests::keys::{NOW, OTHER_SECRET, SECRET, hmac_key};

use crate::message::{Message, hmac_sha256};

const HOST: &str = "service.internal";
const BODY: &[u8] = br#"{"text":"hi","user_id":1}"#;
const NOW_TEXT: &str = "1767323045";
const SCHEMES: [Scheme; 2] = [Scheme::Drf, Scheme::StandardWebhooks];
/// The text of the DRF secret; the bytes that it says in hexadecimal digits are the secret of the
/// webhooks.
const DRF_SECRET: &str = OTHER_SECRET;

fn drf_key() -> SigningKey {
    SigningKey::drf(&Secret::from_text(DRF_SECRET).unwrap())
}

fn webhooks_secret() -> Vec<u8> {
    base16ct::lower::decode_vec(OTHER_SECRET).unwrap()
}

fn webhooks_key() -> SigningKey {
    SigningKey::standard_webhooks(&Secret::from_bytes(&webhooks_secret()))
}

fn seed() -> [u8; 32] {
    base16ct::lower::decode_vec(SECRET)
        .unwrap()
        .try_into()
        .unwrap()
}

fn ed25519_key() -> SigningKey {
    let text = format!("whsk_{}", Base64::encode_string(&seed()));
    SigningKey::standard_webhooks_ed25519(&text).unwrap()
}

fn verifier() -> Verifier {
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    Verifier::builder()
        .accept(django.with_route(Method::POST, "/api/echo").unwrap())
        .accept(svix.with_route(Method::POST, "/hook").unwrap())
        .build()
        .unwrap()
}

fn keyring() -> Keyring {
    let caller_key =
        |version: &str, key: &SigningKey| CallerKey::new(version, key.verifying_key()).unwrap();
    Keyring::builder()
        .caller("django", caller_key("1", &drf_key()))
        .caller("svix", caller_key("1", &webhooks_key()))
        .caller("svix", caller_key("2", &ed25519_key()))
        .caller("billing", caller_key("1", &hmac_key(SECRET_OF_BILLING)))
        .build()
        .unwrap()
}

const SECRET_OF_BILLING: &str = "5d1b7f4b8c3a0e9962f1c4a7d8e0b35c17a96f2e4d8b3c0a5f6e7d8c9b0a1f2e";

fn unsigned(scheme: Scheme) -> Message {
    match scheme {
        Scheme::Drf => Message::new("POST", "/api/echo", HOST, BODY),
        _ => Message::new("POST", "/hook", HOST, BODY).with("webhook-id", "msg_1"),
    }
}

fn signed(scheme: Scheme) -> Message {
    let signer = match scheme {
        Scheme::Drf => Signer::drf(drf_key(), [HOST]),
        _ => Signer::standard_webhooks([webhooks_key()], [HOST]),
    };
    unsigned(scheme).signed(&signer.unwrap(), NOW)
}

/// Signed by hand, whatever the timestamp is.
fn signed_at(scheme: Scheme, timestamp: &str) -> Message {
    let mut message = unsigned(scheme);
    let before = [timestamp.as_bytes(), b".", BODY].concat();
    let signature = if scheme == Scheme::Drf {
        let mac = hmac_sha256(DRF_SECRET.as_bytes(), &before);
        base16ct::lower::encode_string(&mac)
    } else {
        let mac = hmac_sha256(&webhooks_secret(), &[b"msg_1.", &*before].concat());
        format!("v1,{}", Base64::encode_string(&mac))
    };
    message.append(signature_of(scheme), signature);
    message.append(timestamp_of(scheme), timestamp);
    message
}

fn signature_of(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Drf => "x-hmac-signature",
        _ => "webhook-signature",
    }
}

fn timestamp_of(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Drf => "x-hmac-timestamp",
        _ => "webhook-timestamp",
    }
}

fn code(message: &Message) -> &'static str {
    message.judge(&verifier(), &keyring(), NOW).code()
}

/// The signature is over the headers that were set to be covered, and over no other header.
#[test]
fn the_timestamp_is_the_only_header_that_drf_covers() {
    let mut message = signed(Scheme::Drf);
    message.append("x-other", "other");
    let parts = message.parts().unwrap();
    let unverified = verifier().parse(&parts, NOW).unwrap();
    let keys = keyring().try_lookup(unverified.key_id()).unwrap().unwrap();
    let Authentication::Body(mut mac) = unverified.authenticate(&keys, NOW).unwrap() else {
        panic!("nothing is proven before the body is read");
    };
    assert_eq!(mac.key_id(), "django");
    mac.update(BODY);
    let verified = mac.finish(NOW).unwrap();
    assert!(verified.covered_headers().eq([timestamp_of(Scheme::Drf)]));
    let covered = verified.covered(timestamp_of(Scheme::Drf));
    assert_eq!(covered, Some(NOW_TEXT));
}

#[test]
fn what_is_changed_below_is_accepted_as_it_is() {
    for scheme in SCHEMES {
        assert_eq!(code(&signed(scheme)), "accept", "{scheme}");
        assert_eq!(code(&signed_at(scheme, NOW_TEXT)), "accept", "{scheme}");
    }
}

/// Source: RUSTSEC-2024-0010, CVE-2024-21491 (svix compared up to the shorter signature: `v1,`
/// passed).
#[test]
fn a_signature_is_not_compared_up_to_the_shorter_one() {
    for scheme in SCHEMES {
        let good = signed(scheme);
        let signature = good.header(signature_of(scheme));
        let bytes = match scheme {
            Scheme::Drf => base16ct::lower::decode_vec(signature).unwrap(),
            _ => Base64::decode_vec(&signature[3..]).unwrap(),
        };
        let write = |bytes: &[u8]| match scheme {
            Scheme::Drf => base16ct::lower::encode_string(bytes),
            _ => format!("v1,{}", Base64::encode_string(bytes)),
        };
        for len in 0..32 {
            let mut message = good.clone();
            message.set(signature_of(scheme), write(&bytes[..len]));
            assert_eq!(code(&message), "malformed", "{scheme} {len}");
        }
        for more in [&[0][..], &[0; 32]] {
            let mut message = good.clone();
            message.set(signature_of(scheme), write(&[&*bytes, more].concat()));
            assert_eq!(code(&message), "malformed", "{scheme}");
        }
        for at in 0..32 {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            let mut message = good.clone();
            message.set(signature_of(scheme), write(&wrong));
            assert_eq!(code(&message), "invalid_signature", "{scheme} {at}");
        }
    }
}

/// Source: pitfalls row 16 (hawk, http-signature-normalization: clocks that overflowed); the Rust
/// library of Standard Webhooks, whose `now - timestamp` overflowed on `i64::MIN`; Python's `int`
/// and `float`, which read most of these.
#[test]
fn a_hostile_timestamp_is_refused_and_overflows_nothing() {
    for scheme in SCHEMES {
        for timestamp in [
            "",
            "-1",
            "-0",
            "+1767323045",
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "99999999999999999999",
            "1000000000000",
            "0000001767323045",
            "1e9",
            "1767323045.0",
            "1_767_323_045",
            "0x6957363c",
            "1767323045,1767323045",
            "1767323045 ",
            "NaN",
            "inf",
            "１７６７３２３０４５",
            "١٧٦٧٣٢٣٠٤٥",
        ] {
            let found = code(&signed_at(scheme, timestamp));
            assert_eq!(found, "malformed", "{scheme} {timestamp:?}");
        }
        for timestamp in ["0", "1", "1767322000", "999999999999"] {
            let found = code(&signed_at(scheme, timestamp));
            assert_eq!(found, "expired", "{scheme} {timestamp}");
        }
    }
    // The text is signed as sent. Where the specification is the digits, a zero before them is
    // another text for the same moment; where it is the number, it has one.
    assert_eq!(code(&signed_at(Scheme::Drf, "001767323045")), "accept");
    assert_eq!(
        code(&signed_at(Scheme::StandardWebhooks, "01767323045")),
        "malformed"
    );
}

/// Source: mauth-client (Python), which took every timestamp in the future; CVE-2020-12692
/// (Keystone compared none with the clock).
#[test]
fn a_timestamp_is_judged_on_both_sides() {
    for (scheme, window) in [(Scheme::Drf, 60), (Scheme::StandardWebhooks, 300)] {
        for (offset, expected) in [
            (-window - 1, "expired"),
            (-window, "accept"),
            (window, "accept"),
            (window + 1, "expired"),
            (600, "expired"),
            (-600, "expired"),
        ] {
            let at = (1_767_323_045 + offset).to_string();
            assert_eq!(code(&signed_at(scheme, &at)), expected, "{scheme} {offset}");
        }
    }
}

/// Source: drf, `hmac.compare_digest` of Python, which raises on text that is not ASCII: 500
/// instead of 401.
#[test]
fn a_signature_that_is_not_ascii_is_refused_like_any_other() {
    for scheme in SCHEMES {
        for value in [
            "é".repeat(32),
            "é".repeat(64),
            "v1,é".to_owned(),
            "\u{ff10}".repeat(64),
        ] {
            let mut message = signed(scheme);
            message.set(signature_of(scheme), value);
            assert_eq!(code(&message), "malformed", "{scheme}");
        }
        let mut message = signed(scheme);
        message.set(signature_of(scheme), [0xff; 64]);
        assert_eq!(code(&message), "malformed", "{scheme}");
    }
}

/// Source: the Python library of Standard Webhooks, whose `split(",")` raises `ValueError` on an
/// entry without a comma and whose Base64 is lenient.
#[test]
fn junk_in_the_list_of_signatures_is_passed_over_alone_refused_and_no_error() {
    let good = signed(Scheme::StandardWebhooks);
    let entry = good.header("webhook-signature");
    for (name, list) in [
        ("no comma", format!("{entry} junk")),
        ("no comma before", format!("junk {entry}")),
        ("a space alone", format!("{entry} ")),
        ("two spaces", format!("{entry}  v2,x")),
    ] {
        let mut message = good.clone();
        message.set("webhook-signature", list);
        assert_eq!(code(&message), "accept", "{name}");
    }
    for (name, list) in [
        ("no comma", "junk".to_owned()),
        ("two commas", entry.replacen(',', ",,", 1)),
        ("a comma alone", ",".to_owned()),
        ("Base64 with a space", entry.replace('=', " =")),
        (
            "Base64 with junk in it",
            format!("{}!{}", &entry[..10], &entry[10..]),
        ),
        ("no padding", entry.trim_end_matches('=').to_owned()),
        ("nine entries", format!("{entry}{}", " v2,x".repeat(8))),
        ("a mebibyte", "v1,".repeat(350_000)),
        ("a mebibyte of spaces", " ".repeat(1 << 20)),
    ] {
        let mut message = good.clone();
        message.set("webhook-signature", list);
        assert_eq!(code(&message), "malformed", "{name}");
    }
    let mut message = good.clone();
    message.set("webhook-signature", format!("v2,x {entry} v1b,y"));
    assert_eq!(code(&message), "accept", "versions that are not known");
}

/// Source: pitfalls row 32 (APISIX hmac-auth answered 500 to a repeated `X-HMAC-SIGNATURE`); row 7
/// (first against last).
#[test]
fn a_header_of_the_scheme_twice_is_refused() {
    for (scheme, names) in [
        (Scheme::Drf, &["x-hmac-timestamp", "x-hmac-signature"][..]),
        (
            Scheme::StandardWebhooks,
            &["webhook-id", "webhook-timestamp", "webhook-signature"],
        ),
    ] {
        for name in names {
            let good = signed(scheme);
            let value = good.header(name).to_owned();
            for other in [&*value, "1", ""] {
                let mut before = good.clone();
                before.prepend(name, other);
                let mut behind = good.clone();
                behind.append(name, other);
                for message in [before, behind] {
                    assert_eq!(code(&message), "malformed", "{scheme} {name} {other:?}");
                }
            }
        }
    }
}

/// Source: RustFS GHSA-c667-rgrv-99vj (a MAC that bound no method: one for GET served PUT);
/// pitfalls row 11.
#[test]
fn a_signature_for_one_route_serves_no_other() {
    for scheme in SCHEMES {
        let good = signed(scheme);
        let own = good.target.clone();
        for (method, target) in [
            ("PUT", own.clone()),
            ("GET", own.clone()),
            ("POST", format!("{own}/")),
            ("POST", format!("{own}?a=1")),
            ("POST", format!("{own}?")),
            ("POST", format!("/{own}")),
            ("POST", format!("/x/..{own}")),
            ("POST", "/".to_owned()),
            ("POST", own.to_uppercase()),
            ("POST", own.replace('o', "%6f")),
        ] {
            let mut message = good.clone();
            (message.method, message.target) = (method.to_owned(), target);
            let parts = message.parts().unwrap();
            let refused = verifier().parse(&parts, NOW).unwrap_err();
            assert_eq!(
                refused.kind().code(),
                "insufficient_coverage",
                "{scheme} {message:?}"
            );
        }
    }
    // And none of the other scheme's routes.
    let mut message = signed(Scheme::Drf);
    "/hook".clone_into(&mut message.target);
    assert_eq!(code(&message), "insufficient_coverage");
}

/// Source: CVE-2026-26275 (httpsig-hyper compared the digest with a pattern that always matched).
#[test]
fn a_body_that_differs_in_one_bit_is_another_one() {
    for scheme in SCHEMES {
        let good = signed(scheme);
        for bit in 0..good.body.len() * 8 {
            let mut message = good.clone();
            message.body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(&message), "invalid_signature", "{scheme} {bit}");
        }
        for body in [&b""[..], &BODY[1..], &BODY[..24], &[BODY, b"\n"].concat()] {
            let mut message = good.clone();
            message.body = body.to_vec();
            assert_eq!(code(&message), "invalid_signature", "{scheme}");
        }
    }
}

/// Source: CVE-2023-35941 (Envoy's MAC over fields without separators: digits moved from one to the
/// next); pitfalls row 12.
#[test]
fn no_byte_moves_from_one_field_to_the_next() {
    let drf = signed(Scheme::Drf);
    for (timestamp, body) in [
        ("1767323045.", &BODY[1..]),
        ("176732304", &[b"5.", BODY].concat()),
        ("1767323045.{", &BODY[1..]),
    ] {
        let mut message = drf.clone();
        message.set("x-hmac-timestamp", timestamp);
        message.body = body.to_vec();
        assert!(
            matches!(code(&message), "malformed" | "expired"),
            "{timestamp}"
        );
    }
    let webhook = signed(Scheme::StandardWebhooks);
    for (id, timestamp, body) in [
        ("msg_1.1767323045", NOW_TEXT, &b"{}"[..]),
        ("msg_1.", NOW_TEXT, BODY),
        ("msg_", NOW_TEXT, BODY),
        ("msg_1", "1767323045.{", &BODY[1..]),
        ("msg_1.1767323045", "1", b"{}"),
    ] {
        let mut message = webhook.clone();
        message.set("webhook-id", id);
        message.set("webhook-timestamp", timestamp);
        message.body = body.to_vec();
        assert_ne!(code(&message), "accept", "{id} {timestamp}");
    }
}

/// Source: GHSA-869p-cjfg-cm3x and its class (the message chooses the algorithm): the public key,
/// which everyone knows, as a shared secret.
#[test]
fn a_signature_is_never_tried_under_a_key_of_another_algorithm() {
    let good = signed(Scheme::StandardWebhooks);
    let content = [&b"msg_1.1767323045."[..], BODY].concat();
    let ed25519 = ed25519_dalek::SigningKey::from_bytes(&seed());
    let public_key = ed25519.verifying_key().to_bytes();
    let v1 = |key: &[u8]| format!("v1,{}", Base64::encode_string(&hmac_sha256(key, &content)));
    let signature = ed25519.sign(&content).to_bytes();
    let v1a = format!("v1a,{}", Base64::encode_string(&signature));
    for (name, list, expected) in [
        ("the secret", v1(&webhooks_secret()), "accept"),
        ("the private key", v1a.clone(), "accept"),
        (
            "the public key as a secret",
            v1(&public_key),
            "invalid_signature",
        ),
        ("the seed as a secret", v1(&seed()), "invalid_signature"),
        (
            "half of it as a MAC",
            format!("v1,{}", Base64::encode_string(&signature[..32])),
            "invalid_signature",
        ),
        ("it as a MAC", v1a.replace("v1a", "v1"), "malformed"),
        (
            "a MAC twice as a signature",
            {
                let mac = hmac_sha256(&webhooks_secret(), &content);
                format!("v1a,{}", Base64::encode_string(&[&*mac, &mac].concat()))
            },
            "invalid_signature",
        ),
    ] {
        let mut message = good.clone();
        message.set("webhook-signature", list);
        assert_eq!(code(&message), expected, "{name}");
    }
    // A second encoding of the same signature: s + L for s (RFC 8032 section 5.1.7).
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = base16ct::lower::decode_vec(order).unwrap();
    let (r, s) = signature.split_at(32);
    let mut carry = 0;
    let sum: Vec<u8> = s
        .iter()
        .zip(&order)
        .map(|(a, b)| {
            let sum = u16::from(*a) + u16::from(*b) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        })
        .collect();
    let mut message = good.clone();
    let list = format!("v1a,{}", Base64::encode_string(&[r, &sum].concat()));
    message.set("webhook-signature", list);
    assert_eq!(code(&message), "invalid_signature");
}

/// Source: mauth-client (Python) and its fallback from version 2 to version 1; pitfalls row 20.
#[test]
fn nothing_falls_back_to_another_scheme_or_key() {
    // Two schemes at once: which one is judged is not the sender's choice.
    for (scheme, name, value) in [
        (Scheme::Drf, "webhook-signature", "v1,AAAA"),
        (
            Scheme::Drf,
            "authorization",
            "HMAC-SHA256 credential=billing",
        ),
        (Scheme::StandardWebhooks, "x-hmac-signature", "0"),
    ] {
        let message = signed(scheme).with(name, value);
        assert_eq!(code(&message), "malformed", "{scheme} {name}");
    }
    // A strong signature that is wrong beside nothing else, and the timestamp of the other scheme.
    let mut message = signed(Scheme::StandardWebhooks).with("x-hmac-timestamp", NOW_TEXT);
    assert_eq!(code(&message), "accept", "it is no signature");
    message.remove("webhook-signature");
    assert_eq!(code(&message), "missing_signature");
    // A key that the caller has in another scheme.
    let mut message = unsigned(Scheme::Drf);
    let content = [NOW_TEXT.as_bytes(), b".", BODY].concat();
    for key in [&webhooks_secret()[..], &seed()] {
        message.set("x-hmac-timestamp", NOW_TEXT);
        let mac = base16ct::lower::encode_string(&hmac_sha256(key, &content));
        message.set("x-hmac-signature", mac);
        assert_eq!(code(&message), "invalid_signature");
    }
}

/// Source: rule 22 of the wire formats (a DRF `1767323045.` and a chosen body are the text of a
/// request in another scheme, if a key is shared).
#[test]
fn one_secret_serves_one_scheme() {
    let secret = Secret::from_bytes(&webhooks_secret());
    let keys = [
        VerifyingKey::hmac_sha256(&secret),
        VerifyingKey::drf(&secret),
        VerifyingKey::standard_webhooks(&secret),
    ];
    for (at, key) in keys.iter().enumerate() {
        for other in &keys[at + 1..] {
            for second in ["a", "b"] {
                let error = Keyring::builder()
                    .caller("a", CallerKey::new("1", key.clone()).unwrap())
                    .caller(second, CallerKey::new("2", other.clone()).unwrap())
                    .build()
                    .unwrap_err();
                assert_eq!(
                    error.kind(),
                    ConfigErrorKind::SharedKey,
                    "{key:?} {other:?}"
                );
            }
        }
    }
}

/// Source: RustFS GHSA-r5qv-rc46-hv8q, GHSA-h956-rh7x-ppgj (secrets that stand in public text);
/// pitfalls row 19.
#[test]
fn a_published_key_is_refused_where_it_enters() {
    let webhook = |text| SigningKey::standard_webhooks(&Secret::from_webhook_secret(text).unwrap());
    let svix = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    for key in [
        SigningKey::drf(&Secret::from_text("super-secret-key-from-env").unwrap()),
        webhook("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        SigningKey::standard_webhooks_ed25519(svix).unwrap(),
    ] {
        let key = CallerKey::new("1", key.verifying_key()).unwrap();
        let error = Keyring::builder().caller("a", key).build().unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::WeakKey);
    }
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let key = VerifyingKey::standard_webhooks_ed25519(public).unwrap();
    let key = CallerKey::new("1", key).unwrap();
    let error = Keyring::builder().caller("a", key).build().unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::WeakKey);
}

/// The replay identity of the DRF scheme is its signature; that of a webhook is its id and
/// timestamp.
#[test]
fn a_copy_has_the_identity_of_the_first_and_a_retry_has_not() {
    let verified = |message: &Message| message.judge(&verifier(), &keyring(), NOW).verified("");
    for scheme in SCHEMES {
        let first = verified(&signed(scheme));
        let copy = verified(&signed(scheme).with("x-other", "1"));
        let later = verified(&signed_at(scheme, "1767323046"));
        assert!(first.replay_key("a") == copy.replay_key("a"), "{scheme}");
        assert!(first.replay_key("a") != first.replay_key("b"), "{scheme}");
        assert!(first.replay_key("a") != later.replay_key("a"), "{scheme}");
        assert_eq!(first.idempotency_key(), later.idempotency_key(), "{scheme}");
        let id = (scheme == Scheme::StandardWebhooks).then_some("msg_1");
        assert_eq!(first.idempotency_key(), id, "{scheme}");
    }
    // One of two signatures of a message is dropped on the way: it is the same message.
    let both = Signer::standard_webhooks([webhooks_key(), ed25519_key()], [HOST]).unwrap();
    let both = unsigned(Scheme::StandardWebhooks).signed(&both, NOW);
    let one = signed(Scheme::StandardWebhooks);
    assert!(verified(&both).replay_key("a") == verified(&one).replay_key("a"));
}

#[test]
fn the_caller_is_the_one_that_the_settings_name_and_no_claim() {
    for (scheme, caller) in [(Scheme::Drf, "django"), (Scheme::StandardWebhooks, "svix")] {
        let message = signed(scheme);
        let parts = message.parts().unwrap();
        assert_eq!(
            verifier().asserted(&parts).and_then(Asserted::into_key_id),
            None,
            "{scheme}"
        );
        assert_eq!(verifier().parse(&parts, NOW).unwrap().key_id(), caller);
        let nobody = Keyring::builder()
            .caller(
                "other",
                CallerKey::new("1", drf_key().verifying_key()).unwrap(),
            )
            .build()
            .unwrap();
        let verdict = message.judge(&verifier(), &nobody, NOW);
        assert_eq!(verdict.code(), "invalid_signature", "{scheme}");
    }
    assert!(keyring().try_lookup("svix").is_some());
}

#[test]
fn a_window_of_the_settings_replaces_that_of_the_verifier() {
    let at = |seconds: i64| Timestamp::from_unix_seconds(1_767_323_045 + seconds);
    let hour = Duration::from_secs(3600);
    let django = DrfVerifySettings::for_caller("django").unwrap();
    let svix = StandardWebhooksVerifySettings::for_caller("svix").unwrap();
    let django = django.with_route(Method::POST, "/api/echo").unwrap();
    let svix = svix.with_route(Method::POST, "/hook").unwrap();
    let plain = Verifier::builder()
        .accept(django.clone())
        .accept(svix.clone())
        .window(Duration::from_secs(10))
        .build()
        .unwrap();
    let wide = Verifier::builder()
        .accept(django.with_window(hour).unwrap())
        .accept(svix.with_window(hour).unwrap())
        .build()
        .unwrap();
    for (verifier, scheme, seconds) in [
        (&plain, Scheme::Drf, 60),
        (&plain, Scheme::StandardWebhooks, 10),
        (&wide, Scheme::Drf, 3600),
        (&wide, Scheme::StandardWebhooks, 3600),
    ] {
        for (seconds, expected) in [(seconds, "accept"), (seconds + 1, "expired")] {
            let verdict = signed(scheme).judge(verifier, &keyring(), at(seconds));
            assert_eq!(verdict.code(), expected, "{scheme} {seconds}");
        }
    }
}

/// Source: pitfalls row 15 (a slow body). The date is judged again when the body is there, or a
/// body that takes long would be accepted after the replay store may forget it.
#[test]
fn a_body_that_ends_after_the_window_is_expired() {
    for (scheme, window) in [(Scheme::Drf, 60), (Scheme::StandardWebhooks, 300)] {
        let message = signed(scheme);
        let parts = message.parts().unwrap();
        for (seconds, expected) in [(window, None), (window + 1, Some("expired"))] {
            let (keys, verifier) = (keyring(), verifier());
            let unverified = verifier.parse(&parts, NOW).unwrap();
            let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
            let later = NOW.saturating_add(Duration::from_secs(seconds));
            let verified = unverified.authenticate(&found, NOW).unwrap();
            let verified = verified.finish_with(BODY, later);
            let code = verified.err().map(|rejection| rejection.kind().code());
            assert_eq!(code, expected, "{scheme} {seconds}");
        }
    }
}
