//! The texts of an Ed25519 key: hexadecimal digits, PEM (RFC 8410) and JWK (RFC 8037).

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use countersign::{ConfigError, ConfigErrorKind, Secret};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A private key in PKCS #8, version 1, up to its seed (RFC 8410 section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// A public key in `SubjectPublicKeyInfo`, up to its point (RFC 8410 section 4).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

const PRIVATE_KEY: &str = "PRIVATE KEY";
const PUBLIC_KEY: &str = "PUBLIC KEY";

/// A JSON Web Key. Without `d` it is a public one.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Jwk {
    kty: String,
    crv: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<String>,
    x: String,
}

/// Returns the private key in PEM.
pub(crate) fn private_pem(seed: &[u8; 32]) -> Zeroizing<String> {
    let der = Zeroizing::new([&PKCS8[..], seed].concat());
    pem(PRIVATE_KEY, &der)
}

/// Returns the public key in PEM.
pub(crate) fn public_pem(point: &[u8; 32]) -> Zeroizing<String> {
    pem(PUBLIC_KEY, &[&SPKI[..], point].concat())
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    // Both structures fit into one line of 64 columns.
    let base64 = Zeroizing::new(Base64::encode_string(der));
    Zeroizing::new(format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        &**base64
    ))
}

/// Returns the key as a JSON Web Key, private if the seed is given.
pub(crate) fn jwk(seed: Option<&[u8; 32]>, point: &[u8; 32]) -> Zeroizing<String> {
    let jwk = Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        d: seed.map(|seed| Base64UrlUnpadded::encode_string(seed)),
        x: Base64UrlUnpadded::encode_string(point),
    };
    // Invariant: four texts are always JSON.
    Zeroizing::new(serde_json::to_string(&jwk).unwrap_or_default())
}

/// Reads a seed from hexadecimal digits, PEM in PKCS #8, or a private JSON Web Key.
///
/// # Errors
///
/// [`ConfigErrorKind::Key`] if the text is none of the three. The error holds no key.
pub(crate) fn read_seed(text: &str) -> Result<Secret, ConfigError> {
    let refused = |problem: &str| ConfigError::new(ConfigErrorKind::Key, problem);
    if let Some(rest) = text.trim_start().strip_prefix("-----BEGIN ") {
        let base64: Zeroizing<String> = rest
            .strip_prefix("PRIVATE KEY-----")
            .and_then(|rest| rest.split_once("-----END PRIVATE KEY-----"))
            .map(|(body, _)| body.split_ascii_whitespace().collect::<String>().into())
            .ok_or_else(|| refused("expected one PRIVATE KEY in PEM, found another form"))?;
        let der = Zeroizing::new(Base64::decode_vec(&base64).unwrap_or_default());
        let seed = der.strip_prefix(&PKCS8).filter(|seed| seed.len() == 32);
        return seed
            .map(Secret::from_bytes)
            .ok_or_else(|| refused("expected an Ed25519 key in PKCS #8, found another structure"));
    }
    if text.trim_start().starts_with('{') {
        let jwk: Jwk = serde_json::from_str(text)
            .map_err(|_| refused("expected a JSON Web Key with kty, crv, d and x"))?;
        let seed = jwk
            .d
            .as_deref()
            .filter(|_| jwk.kty == "OKP" && jwk.crv == "Ed25519");
        let seed = seed.map(|d| Base64UrlUnpadded::decode_vec(d).unwrap_or_default());
        let seed = Zeroizing::new(seed.unwrap_or_default());
        if seed.len() != 32 {
            return Err(refused(
                "expected a private JSON Web Key of Ed25519, found another key",
            ));
        }
        return Ok(Secret::from_bytes(&seed));
    }
    Secret::from_hex(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::SigningKey;

    const SEED: [u8; 32] = [
        0xb1, 0xf7, 0x92, 0xa9, 0xd1, 0xbf, 0xac, 0x28, 0xed, 0x01, 0xdb, 0x6b, 0x10, 0x7e, 0x85,
        0xfc, 0xc6, 0x0c, 0x6c, 0x2b, 0x0e, 0x19, 0xb9, 0xdd, 0x42, 0xd7, 0x10, 0x6d, 0x97, 0x6b,
        0xca, 0x7c,
    ];

    fn point(seed: &Secret) -> [u8; 32] {
        let key = SigningKey::ed25519(seed).unwrap().verifying_key();
        *key.public_key().unwrap()
    }

    #[test]
    fn a_private_key_is_read_from_each_form() {
        let expected = point(&Secret::from_bytes(&SEED));
        let hex = base16ct::lower::encode_string(&SEED);
        for (name, text) in [
            ("hexadecimal digits", hex.as_str()),
            ("PEM", &private_pem(&SEED)),
            ("JWK", &jwk(Some(&SEED), &expected)),
        ] {
            let seed = read_seed(text).unwrap();
            assert_eq!(point(&seed), expected, "{name}");
        }
    }

    #[test]
    fn what_holds_no_private_key_is_refused_and_not_shown() {
        let of = point(&Secret::from_bytes(&SEED));
        let cut = private_pem(&SEED).replace("MC4C", "");
        for (name, text) in [
            ("a public key in PEM", public_pem(&of).as_str()),
            ("a public JWK", &jwk(None, &of)),
            ("a cut PEM", &cut),
            ("no end", "-----BEGIN PRIVATE KEY-----\nMC4C"),
            (
                "another JWK",
                r#"{"kty":"EC","crv":"Ed25519","d":"AA","x":"AA"}"#,
            ),
            ("no JSON", "{"),
            ("nothing", ""),
        ] {
            let error = read_seed(text).unwrap_err().to_string();
            assert!(text.len() < 9 || !error.contains(text), "{name}: {error}");
        }
    }
}
