//! The algorithms of RFC 9421 against data that others made.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use crate::key::{Secret, SigningKey, VerifyingKey};

/// Reads a file of the shared conformance data. `None` where the data is absent.
fn shared(path: &str) -> Option<Value> {
    let root = match env::var_os("COUNTERSIGN_VECTORS") {
        Some(named) => PathBuf::from(named),
        None => PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/vectors"
        )),
    };
    let text = fs::read_to_string(root.join(path)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    base16ct::lower::decode_vec(text).unwrap()
}

/// Makes the key that a JWK names, for this algorithm.
fn key(jwk: &Value, algorithm: &str) -> Option<VerifyingKey> {
    let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    let point = || Some([vec![4], number("x")?, number("y")?].concat());
    match (algorithm, jwk["kty"].as_str()?) {
        ("hmac-sha256", "oct") => Some(VerifyingKey::message_hmac_sha256(&Secret::from_bytes(
            &number("k")?,
        ))),
        ("ed25519", "OKP") if jwk["crv"] == "Ed25519" => {
            VerifyingKey::message_ed25519(&number("x")?.try_into().ok()?).ok()
        }
        ("ecdsa-p256-sha256", "EC") => VerifyingKey::message_ecdsa_p256_sha256(&point()?).ok(),
        ("ecdsa-p384-sha384", "EC") => VerifyingKey::message_ecdsa_p384_sha384(&point()?).ok(),
        #[cfg(feature = "rsa")]
        ("rsa-pss-sha512", "RSA") => {
            VerifyingKey::message_rsa_pss_sha512(&number("n")?, &number("e")?).ok()
        }
        #[cfg(feature = "rsa")]
        ("rsa-v1_5-sha256", "RSA") => {
            VerifyingKey::message_rsa_v1_5_sha256(&number("n")?, &number("e")?).ok()
        }
        _ => None,
    }
}

fn is_built(algorithm: &str) -> bool {
    cfg!(feature = "rsa") || !algorithm.starts_with("rsa")
}

#[test]
fn every_case_of_the_six_algorithms_is_as_labelled() {
    let Some(data) = shared("rfc9421-all-algorithms/algorithms.json") else {
        return;
    };
    let mut count = BTreeMap::<String, usize>::new();
    for case in data["cases"].as_array().unwrap() {
        let algorithm = case["algorithm"].as_str().unwrap();
        let base = case
            .get("signature_base")
            .unwrap_or(&data["signature_base"]);
        let signature = STANDARD.decode(case["signature_b64"].as_str().unwrap());
        let found = key(&case["jwk"], algorithm).is_some_and(|key| {
            key.verifies_message(base.as_str().unwrap().as_bytes(), &signature.unwrap())
        });
        match case["expect"].as_str().unwrap() {
            "accept" if !is_built(algorithm) => assert!(!found, "{case}"),
            "accept" => assert!(found, "{case}"),
            "reject" => assert!(!found, "{case}"),
            "accept_or_reject" => {}
            other => panic!("{other}"),
        }
        *count.entry(algorithm.to_owned()).or_default() += 1;
    }
    assert_eq!(count.len(), 6, "{count:?}");
}

#[test]
fn every_case_of_wycheproof_is_as_labelled() {
    let mut count: usize = 0;
    for file in [
        "ecdsa_secp256r1_sha256_p1363_test",
        "ecdsa_secp384r1_sha384_p1363_test",
        "ecdsa_secp384r1_sha512_p1363_test",
        "rsa_pss_4096_sha512_mgf1_32_test",
        "rsa_pss_4096_sha512_mgf1_64_test",
        "rsa_pss_misc_test",
        "rsa_signature_2048_sha256_test",
        "rsa_signature_2048_sha512_test",
    ] {
        let Some(data) = shared(&format!("rfc9421-all-algorithms/wycheproof/{file}.json")) else {
            return;
        };
        let algorithm = data["algorithm"].as_str().unwrap();
        if !is_built(algorithm) {
            continue;
        }
        for group in data["testGroups"].as_array().unwrap() {
            let jwk = ["jwk", "publicKeyJwk"].map(|name| &group[name]);
            let jwk = jwk.into_iter().find(|jwk| jwk.is_object());
            let from_numbers = || {
                let number = |name: &str| {
                    let digits = group["publicKey"][name].as_str().unwrap();
                    URL_SAFE_NO_PAD.encode(hex(digits))
                };
                serde_json::json!({
                    "kty": "RSA", "n": number("modulus"), "e": number("publicExponent"),
                })
            };
            let key = match jwk {
                Some(jwk) => key(jwk, algorithm),
                None => key(&from_numbers(), algorithm),
            };
            for test in group["tests"].as_array().unwrap() {
                let [message, signature] =
                    ["msg", "sig"].map(|name| hex(test[name].as_str().unwrap()));
                let found = key
                    .as_ref()
                    .is_some_and(|key| key.verifies_message(&message, &signature));
                assert_eq!(found, test["expect"] == "accept", "{file}: {test}");
                count += 1;
            }
        }
    }
    let expected = if cfg!(feature = "rsa") { 652 } else { 375 };
    assert_eq!(count, expected);
}

/// Source: RFC 6979 appendices A.2.5 and A.2.6, message "sample".
#[test]
fn ecdsa_signs_with_the_nonce_of_the_standard() {
    for (algorithm, key, expected) in [
        (
            "ecdsa-p256-sha256",
            SigningKey::message_ecdsa_p256_sha256(
                &Secret::from_hex(
                    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                )
                .unwrap(),
            ),
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "ecdsa-p384-sha384",
            SigningKey::message_ecdsa_p384_sha384(
                &Secret::from_hex(
                    "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8\
                     96d5724e4c70a825f872c9ea60d2edf5",
                )
                .unwrap(),
            ),
            "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c\
             81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f\
             130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
        ),
    ] {
        let key = key.unwrap();
        let signature = key.sign_message(b"sample");
        assert_eq!(signature.as_slice(), hex(expected), "{algorithm}");
        let public = key.verifying_key();
        assert_eq!(public.algorithm().name(), algorithm);
        assert!(public.verifies_message(b"sample", &signature));
        assert!(!public.verifies_message(b"sampl", &signature));
    }
}
