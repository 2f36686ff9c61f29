//! Keys in JSON against the shared data. Where the data is absent these tests pass and say so on
//! stderr.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{Algorithm, Jwk, JwkNotFound, JwkSet};
use serde_json::Value;
use tests::vectors::{shared, text};

/// DIFFERENCE: keys of kinds that RFC 9421 has no algorithm for.
const UNSUPPORTED: [&str; 1] = ["RFC 7520 section 3.1"];

/// DIFFERENCE: keys of which the data lets either be true, and this project ignores.
const IGNORED_BY_CHOICE: [&str; 2] = [
    // The thumbprint is over the text as sent, so that one key would have several.
    "RSA, n with a leading zero byte",
    "RSA, e with leading zero bytes",
];

fn algorithm(name: &Value) -> Option<Algorithm> {
    let mut known = Algorithm::ALL.iter().copied();
    known.find(|known| Some(known.name()) == name.as_str())
}

#[test]
fn thumbprints_are_those_of_the_standards() {
    let Some(data) = shared("jwk/thumbprints.json") else {
        return;
    };
    for case in data["cases"].as_array().unwrap() {
        let (id, jwk) = (text(case, "id"), case["jwk"].to_string());
        if UNSUPPORTED.contains(&id) {
            assert!(Jwk::parse(&jwk).is_err(), "{id}");
            continue;
        }
        let key = Jwk::parse(&jwk).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(key.thumbprint(), text(case, "thumbprint"), "{id}");
    }
}

#[test]
fn a_key_that_another_party_publishes_is_read_or_ignored() {
    let Some(data) = shared("jwk/jwk.json") else {
        return;
    };
    let mut accepted: usize = 0;
    for case in data["cases"].as_array().unwrap() {
        let (id, found) = (text(case, "id"), Jwk::parse(text(case, "jwk_text")));
        match (text(case, "expect"), found) {
            ("accept", Ok(key)) => {
                accepted += 1;
                assert_eq!(key.thumbprint(), text(case, "thumbprint"), "{id}");
                let names: Vec<_> = key.algorithms().iter().map(|one| one.name()).collect();
                assert_eq!(Value::from(names), case["algorithms"], "{id}");
                for one in key.algorithms() {
                    let key = key.verifying_key(Some(*one)).unwrap();
                    assert_eq!(key.algorithm(), *one, "{id}");
                }
                assert_eq!(
                    key.verifying_key(None).is_ok(),
                    key.algorithms().len() == 1,
                    "{id}"
                );
            }
            ("ignore", Err(_)) => {}
            ("accept_or_ignore", found) => assert_eq!(
                found.is_err(),
                IGNORED_BY_CHOICE.contains(&id),
                "{id}: a choice that is not written down"
            ),
            (expected, found) => panic!("{id}: expected {expected}, found {found:?}"),
        }
    }
    assert!(accepted > 10, "{accepted}");
}

#[test]
fn a_set_has_one_key_for_a_name_or_none() {
    let Some(data) = shared("jwk/jwks.json") else {
        return;
    };
    for case in data["cases"].as_array().unwrap() {
        let (id, expected) = (text(case, "id"), text(case, "expect"));
        let Ok(set) = JwkSet::parse(text(case, "set_text")) else {
            assert_eq!(expected, "malformed", "{id}");
            continue;
        };
        let look_up = &case["look_up"];
        let only = algorithm(&look_up["algorithm"]);
        let found = match look_up["thumbprint"].as_str() {
            Some(thumbprint) => set.by_thumbprint(thumbprint, only),
            None => set.by_kid(look_up["kid"].as_str(), only),
        };
        let word = match found {
            Ok(key) => {
                assert_eq!(key.thumbprint(), text(case, "thumbprint"), "{id}");
                "found"
            }
            Err(JwkNotFound::Unknown) => "none",
            Err(JwkNotFound::Ambiguous) => "ambiguous",
            Err(other) => panic!("{other}"),
        };
        assert!(
            expected.split("_or_").any(|one| one == word),
            "{id}: expected {expected}, found {word}"
        );
    }
}

#[test]
fn a_set_has_its_bounds() {
    const KEY: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc"}"#;
    let of = |keys: usize| format!("{{\"keys\":[{}]}}", vec![KEY; keys].join(","));
    assert_eq!(JwkSet::parse(&of(100)).unwrap().keys().count(), 100);
    assert!(JwkSet::parse(&of(101)).is_err());
    let padded = |len: usize| {
        let set = of(1);
        set.clone() + &" ".repeat(len - set.len())
    };
    assert!(JwkSet::parse(&padded(JwkSet::MAX_LEN)).is_ok());
    assert!(JwkSet::parse(&padded(JwkSet::MAX_LEN + 1)).is_err());
    let deep = format!("{{\"keys\":[{}]}}", "[".repeat(100_000));
    assert!(JwkSet::parse(&deep).is_err());
}

#[test]
fn a_key_that_is_left_out_is_listed_with_its_place() {
    let set = JwkSet::parse(
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"ZoX1pFpSt3gayt5lN2IvwrmAV9qt9wVpRs1g8YlmoUc"},
            {"kty":"oct","k":"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols"},5]}"#,
    )
    .unwrap();
    let ignored: Vec<_> = set
        .unusable()
        .map(|(at, why)| (at, why.to_string()))
        .collect();
    assert_eq!(set.keys().count(), 1);
    assert_eq!(ignored.len(), 2);
    assert_eq!((ignored[0].0, ignored[1].0), (1, 2));
    assert!(ignored[0].1.contains("its publisher must replace it"));
    assert!(!ignored[0].1.contains("K7gNU3"), "the secret is not shown");
}
