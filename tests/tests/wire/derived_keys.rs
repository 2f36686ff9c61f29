//! Section 9: the values of a derived key.

use countersign::{RootKey, Secret, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::Sha256;
use tests::{
    keys::{self, NOW, hmac_key},
    signed,
};

use crate::page;

const FIELDS: [&str; 5] = [
    "countersign derived key",
    "HMAC-SHA256",
    "billing",
    "user-service",
    "2026-01",
];

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().into()
}

/// What a key makes of a request. A secret does not show its bytes.
fn signature(key: SigningKey) -> String {
    let signer = keys::signer("billing", key, "user-service").insecure_three_headers();
    let request = Request::get("http://user-service/").body("").unwrap();
    let request = signed::at(NOW, &signer, request);
    let authorization = request.headers()["authorization"].to_str().unwrap();
    authorization.to_owned()
}

#[test]
fn every_value_of_the_derivation_is_the_librarys() {
    let section = page::section(9);
    let of = |name: &str| page::value(&section, name);
    let bytes = |name: &str| base16ct::lower::decode_vec(of(name)).unwrap();

    let mut info = Vec::new();
    for (number, field) in (1..).zip(FIELDS) {
        let length = u64::try_from(field.len()).unwrap().to_be_bytes();
        let expected = [&length[..], field.as_bytes()].concat();
        assert_eq!(bytes(&format!("field {number}")), expected, "{field}");
        info.extend(expected);
    }
    let pseudorandom_key = hmac_sha256(&[0; 32], &bytes("root"));
    assert_eq!(bytes("pseudorandom key"), pseudorandom_key);
    // RFC 5869 section 2.3: the first block of the output.
    info.push(1);
    assert_eq!(bytes("key"), hmac_sha256(&pseudorandom_key, &info));

    let [label, scheme, caller, callee, version] = FIELDS;
    let said = format!("`{label}`,\n`{scheme}`, the caller, the callee, the version of the root.");
    assert!(section.contains(&said), "{said}");
    let named = format!("for caller `{caller}`, callee `{callee}`, version `{version}`");
    assert!(section.contains(&named), "{named}");
    let root = RootKey::new(version, &Secret::from_hex(&of("root")).unwrap()).unwrap();
    let derived = root.derive_for(caller, callee).unwrap();
    assert_eq!(
        signature(SigningKey::hmac_sha256(&derived)),
        signature(hmac_key(&of("key")))
    );
}
