//! Keys that requests select by another name than the caller's.

use countersign::{CallerKey, ConfigErrorKind, Keyring, Scheme};
use tests::keys::{NOW, OTHER_SECRET, SECRET};

use crate::{
    ALL_FIVE, HOST, build, bytes, caller_key, code, hmac, judge_at,
    message::{Forger, Message},
};

fn with_id(version: &str, secret: &str, key_id: &str) -> CallerKey {
    let key = caller_key(version, hmac(&bytes(secret)));
    key.with_key_id(key_id).unwrap()
}

/// A request that goes by this name.
fn named(name: &str, secret: &str) -> Message {
    let request = Message::new("POST", "/", HOST, b"{}").with("content-type", "text/plain");
    Forger::new(Scheme::HmacSha256, name, secret).sign(request, ALL_FIVE, NOW)
}

#[test]
fn a_key_is_found_by_its_own_id_and_the_caller_is_whose_key_it_is() {
    let keys = build([
        ("billing", with_id("1", SECRET, "AKIDEXAMPLE")),
        ("billing", caller_key("2", hmac(&bytes(OTHER_SECRET)))),
    ])
    .unwrap();
    assert_eq!(keys.len(), 1, "two names, one caller");
    let verified = judge_at(&keys, &named("AKIDEXAMPLE", SECRET), NOW).verified("by its id");
    assert_eq!(verified.caller(), &"billing");
    assert_eq!(verified.key_version(), &"1");
    for (name, message, expected) in [
        (
            "the caller's name finds the key without an id",
            named("billing", OTHER_SECRET),
            "accept",
        ),
        (
            "the caller's name does not find the key that has one",
            named("billing", SECRET),
            "invalid_signature",
        ),
        (
            "the id does not find the caller's other key",
            named("AKIDEXAMPLE", OTHER_SECRET),
            "invalid_signature",
        ),
        (
            "an id in another case is another id",
            named("akidexample", SECRET),
            "invalid_signature",
        ),
    ] {
        assert_eq!(code(&keys, &message), expected, "{name}");
    }
}

#[test]
fn keys_of_one_id_are_rotated_like_keys_of_one_caller() {
    let keys = build([
        ("billing", with_id("1", SECRET, "AKIDEXAMPLE")),
        ("billing", with_id("2", OTHER_SECRET, "AKIDEXAMPLE")),
    ])
    .unwrap();
    for (version, secret) in [("1", SECRET), ("2", OTHER_SECRET)] {
        let verified = judge_at(&keys, &named("AKIDEXAMPLE", secret), NOW).verified(version);
        assert_eq!(verified.key_version(), &version);
    }
}

#[test]
fn one_id_cannot_be_of_two_callers() {
    for (name, first, second) in [
        (
            "two ids",
            ("billing", with_id("1", SECRET, "AKID")),
            ("orders", with_id("1", OTHER_SECRET, "AKID")),
        ),
        (
            "an id that is another caller's name",
            ("billing", with_id("1", SECRET, "orders")),
            ("orders", caller_key("1", hmac(&bytes(OTHER_SECRET)))),
        ),
        (
            "an id that is another caller's name, who has only ids",
            ("billing", with_id("1", SECRET, "orders")),
            ("orders", with_id("1", OTHER_SECRET, "AKID")),
        ),
    ] {
        for pair in [[first.clone(), second.clone()], [second, first]] {
            assert_eq!(build(pair).unwrap_err(), ConfigErrorKind::Keyring, "{name}");
        }
    }
}

#[test]
fn an_id_is_a_name_and_no_key() {
    let key = caller_key("1", hmac(&bytes(SECRET)));
    for key_id in ["", "a b", "a,b", "é", &"a".repeat(129)] {
        let refused = key.clone().with_key_id(key_id).unwrap_err();
        assert_eq!(refused.kind(), ConfigErrorKind::Name, "{key_id}");
    }
    let toml = format!(
        "[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"1\"\nkey_id = \"{SECRET}\"\nsecret_hex = \"{OTHER_SECRET}\"\n"
    );
    let refused = Keyring::from_toml(&toml).map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ConfigErrorKind::Name);
    assert!(!refused.to_string().contains(&SECRET[..16]), "{refused}");
}

#[test]
fn toml_names_the_scheme_and_the_id_of_a_key() {
    let toml = |members: &str| {
        let text = format!(
            "[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{SECRET}\"\n{members}\n"
        );
        Keyring::from_toml(&text).map_err(|error| error.kind())
    };
    let keys = toml("key_id = \"AKID\"\nscheme = \"HMAC-SHA256\"").unwrap();
    assert_eq!(code(&keys, &named("AKID", SECRET)), "accept");
    assert_eq!(code(&keys, &named("billing", SECRET)), "invalid_signature");
    for (name, members, kind) in [
        (
            "no scheme",
            "scheme = \"hmac-sha256\"",
            ConfigErrorKind::File,
        ),
        (
            "a scheme of public keys only",
            "scheme = \"ED25519\"",
            ConfigErrorKind::Key,
        ),
    ] {
        assert_eq!(toml(members).map(|_| ()).unwrap_err(), kind, "{name}");
    }
}
