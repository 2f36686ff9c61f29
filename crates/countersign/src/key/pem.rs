//! Keys in PEM (RFC 7468): public ones as SubjectPublicKeyInfo (RFC 5280 section 4.1), private ones
//! as PKCS#8 (RFC 5958).

use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef, SecretDocument, SubjectPublicKeyInfoRef,
    der::{Decode as _, Document, asn1::OctetStringRef},
};
use sec1::EcPrivateKey;

use super::{Secret, SigningKey, VerifyingKey};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    scheme::Algorithm,
};

/// RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 5480 section 2.1.1.
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// RFC 4055 sections 1.2 and 3.1.
#[cfg(feature = "rsa")]
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
#[cfg(feature = "rsa")]
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

impl VerifyingKey {
    /// Makes an RFC 9421 key from a public key in PEM, `-----BEGIN PUBLIC KEY-----`: Ed25519,
    /// P-256, P-384, and RSA with the feature `rsa`.
    ///
    /// `algorithm` is needed for a key of `rsaEncryption` alone, which fits two. If it is given for
    /// another key, it must be that of the key.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Key`] if the text is no such key or not for this algorithm.
    /// - [`ConfigErrorKind::WeakKey`] for an RSA modulus below 2048 bits or a point of small order.
    pub fn message_from_pem(pem: &str, algorithm: Option<Algorithm>) -> Result<Self, ConfigError> {
        let (label, document) = Document::from_pem(pem).map_err(|_| no_pem("PUBLIC KEY"))?;
        if label != "PUBLIC KEY" {
            return Err(no_pem("PUBLIC KEY"));
        }
        let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes())
            .map_err(|_| refused("expected a SubjectPublicKeyInfo"))?;
        let bits = info.subject_public_key.as_bytes();
        let bits = bits.ok_or_else(|| refused("expected whole bytes"))?;
        let parameters = info.algorithm.parameters;
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let key = match (info.algorithm.oid, curve) {
            (ED25519, _) if parameters.is_none() => {
                let point = bits.try_into();
                Self::message_ed25519(point.map_err(|_| refused("expected 32 bytes"))?)?
            }
            (EC_PUBLIC_KEY, Some(P256)) => Self::message_ecdsa_p256_sha256(bits)?,
            (EC_PUBLIC_KEY, Some(P384)) => Self::message_ecdsa_p384_sha384(bits)?,
            #[cfg(feature = "rsa")]
            (RSA_ENCRYPTION, _) => rsa(bits, algorithm)?,
            // With parameters, the key would be for one hash and one salt.
            #[cfg(feature = "rsa")]
            (RSASSA_PSS, _) if parameters.is_none() => rsa(bits, Some(Algorithm::RsaPssSha512))?,
            _ => return Err(refused(KINDS)),
        };
        ensure(key.algorithm(), algorithm)?;
        Ok(key)
    }
}

impl SigningKey {
    /// Makes an RFC 9421 key from a private key in PEM, `-----BEGIN PRIVATE KEY-----` (PKCS#8,
    /// not encrypted): Ed25519, P-256 or P-384.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is no such key, or its public half is not that of its
    /// private half. No error holds a key.
    pub fn message_from_pem(pem: &Secret) -> Result<Self, ConfigError> {
        let text = str::from_utf8(pem.expose()).map_err(|_| no_pem("PRIVATE KEY"))?;
        let (label, document) =
            SecretDocument::from_pem(text).map_err(|_| no_pem("PRIVATE KEY"))?;
        if label != "PRIVATE KEY" {
            return Err(no_pem("PRIVATE KEY"));
        }
        let info = PrivateKeyInfoRef::from_der(document.as_bytes())
            .map_err(|_| refused("expected PKCS#8"))?;
        let parameters = info.algorithm.parameters;
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let bytes = info.private_key.as_bytes();
        let scalar = || -> Result<(Secret, Option<&[u8]>), ConfigError> {
            let key = EcPrivateKey::from_der(bytes)
                .map_err(|_| refused("expected the private key of a curve"))?;
            Ok((Secret::from_bytes(key.private_key), key.public_key))
        };
        let (key, public) = match (info.algorithm.oid, curve) {
            (ED25519, _) if parameters.is_none() => {
                let seed = <&OctetStringRef>::from_der(bytes)
                    .map_err(|_| refused("expected the private key of Ed25519"))?;
                let public = info.public_key.and_then(|bits| bits.as_bytes());
                let seed = Secret::from_bytes(seed.as_bytes());
                (Self::message_ed25519(&seed)?, public)
            }
            (EC_PUBLIC_KEY, Some(P256)) => {
                let (scalar, public) = scalar()?;
                (Self::message_ecdsa_p256_sha256(&scalar)?, public)
            }
            (EC_PUBLIC_KEY, Some(P384)) => {
                let (scalar, public) = scalar()?;
                (Self::message_ecdsa_p384_sha384(&scalar)?, public)
            }
            _ => return Err(refused("expected a key of Ed25519, P-256 or P-384")),
        };
        if public.is_some_and(|public| !key.verifying_key().has_public_bytes(public)) {
            return Err(refused(
                "expected the public half of the private key, found another",
            ));
        }
        Ok(key)
    }
}

const KINDS: &str =
    "expected a key of Ed25519, P-256, P-384, or RSA with the feature rsa, found another";

#[cfg(feature = "rsa")]
fn rsa(bits: &[u8], algorithm: Option<Algorithm>) -> Result<VerifyingKey, ConfigError> {
    let numbers = crate::crypto::rsa_signature::numbers_of_der(bits);
    let (modulus, exponent) = numbers.ok_or_else(|| refused("expected an RSAPublicKey"))?;
    match algorithm {
        Some(Algorithm::RsaPssSha512) => VerifyingKey::message_rsa_pss_sha512(&modulus, &exponent),
        Some(Algorithm::RsaV15Sha256) => VerifyingKey::message_rsa_v1_5_sha256(&modulus, &exponent),
        _ => Err(refused(
            "expected rsa-pss-sha512 or rsa-v1_5-sha256 beside a key of RSA, found neither",
        )),
    }
}

fn ensure(found: Algorithm, expected: Option<Algorithm>) -> Result<(), ConfigError> {
    if expected.is_none_or(|expected| expected == found) {
        Ok(())
    } else {
        Err(refused(
            "expected a key of the algorithm, found one of another",
        ))
    }
}

fn no_pem(label: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Key,
        format!("expected PEM from -----BEGIN {label}----- to its end, found something else"),
    )
}

fn refused(problem: &'static str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Key, format!("PEM: {problem}"))
}
