use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::VerifyingKey;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    scheme::Algorithm,
    wire::distinct_json,
};

/// The longest `kid` in bytes.
const MAX_KID: usize = 256;

/// A public key in JSON (RFC 7517), as another party publishes it. It verifies RFC 9421.
///
/// ```
/// use countersign::{Algorithm, Jwk};
///
/// let key = Jwk::parse(
///     r#"{"kty":"EC","crv":"P-256","kid":"2026-01","use":"sig",
///         "x":"MK9YsIfwGDQlIDwHKzpw6HHjuZvh9DxvxUGIQoEMQAE",
///         "y":"pfDrmUDZLzl63E2YSJPhHO2hLMA2HvQGkZa7WhQBHF4"}"#,
/// )?;
/// assert_eq!(key.kid(), Some("2026-01"));
/// assert_eq!(key.thumbprint(), "rCPX7rwE5GhWrLWi7KpuV9_dLTXvJwkwJT0gC868yQM");
/// let key = key.verifying_key(None)?;
/// assert_eq!(key.algorithm(), Algorithm::EcdsaP256Sha256);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// # Which keys are read
///
/// - `kty` `OKP` with `crv` `Ed25519`, `EC` with `P-256` or `P-384`, and `RSA` with the feature
///   `rsa`. Numbers are unpadded base64url without loose bits; coordinates have their full length.
/// - `use` is absent or `sig`, and `key_ops` is absent or a list without repeats that has `verify`.
/// - `alg` is absent, or a name of JOSE or of RFC 9421 that fits the key.
/// - No private member (`d`, `p`, …) and no `oct`: a secret that was published is none.
/// - `kid` is absent, or a string of 1 to 256 bytes. It is a name and proves nothing.
///
/// Unknown members are ignored and `x5u` is never fetched. A member twice is refused.
#[derive(Clone, Debug)]
pub struct Jwk {
    members: Map<String, Value>,
    kid: Option<Box<str>>,
    thumbprint: Box<str>,
    keys: Vec<VerifyingKey>,
    algorithms: Vec<Algorithm>,
}

impl Jwk {
    /// Reads one key.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Key`] if the text is no object of JSON or no key of this kind.
    /// - [`ConfigErrorKind::WeakKey`] for an RSA modulus below 2048 bits or a point of small order.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        match distinct_json::parse(text) {
            Some(Value::Object(members)) => Self::of(members),
            _ => Err(refused("expected an object of JSON, each member once")),
        }
    }

    pub(super) fn of(members: Map<String, Value>) -> Result<Self, ConfigError> {
        let kid = match members.get("kid") {
            None => None,
            Some(Value::String(kid)) if (1..=MAX_KID).contains(&kid.len()) => {
                Some(kid.as_str().into())
            }
            Some(_) => return Err(refused("kid: expected a string of 1 to 256 bytes")),
        };
        ensure_public(&members)?;
        ensure_for_verifying(&members)?;
        let keys = keys(&members)?;
        let algorithms: Vec<_> = keys.iter().map(VerifyingKey::algorithm).collect();
        // Invariant: public keys have one.
        let thumbprint = keys.first().and_then(VerifyingKey::thumbprint);
        Ok(Self {
            kid,
            thumbprint: thumbprint.unwrap_or_default().into(),
            keys,
            algorithms,
            members,
        })
    }

    /// Returns the name that the publisher gave the key.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Returns the thumbprint of the key (RFC 7638 with SHA-256), in unpadded base64url. It is
    /// computed from the key, whatever `kid` says.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Returns the algorithms that the key may have: one, or both of RSA if it has no `alg`.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Returns a further member that is a string, such as `adcp_use`.
    pub fn member(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    /// Returns a further member that is an integer, such as `nbf` or `exp` in seconds since 1970.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.members.get(name)?.as_i64()
    }

    /// Makes the key for RFC 9421. `algorithm` selects one of those that an RSA key may have.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the key is not for this algorithm, or may have two and none is
    /// given.
    pub fn verifying_key(&self, algorithm: Option<Algorithm>) -> Result<VerifyingKey, ConfigError> {
        let fits = |key: &&VerifyingKey| algorithm.is_none_or(|only| key.algorithm() == only);
        let mut keys = self.keys.iter().filter(fits);
        match (keys.next(), keys.next()) {
            (Some(key), None) => Ok(key.clone()),
            (Some(_), Some(_)) => Err(refused(
                "alg: expected it in the key, or an algorithm beside it: RSA has two",
            )),
            (None, _) => Err(refused("alg: expected a key of the other algorithm")),
        }
    }
}

/// Refuses secrets (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
fn ensure_public(members: &Map<String, Value>) -> Result<(), ConfigError> {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if private.iter().any(|name| members.contains_key(*name)) {
        return Err(refused(
            "expected a public key, found a private or secret one: its publisher must \
             replace it",
        ));
    }
    Ok(())
}

/// Refuses keys for another use (RFC 7517 sections 4.2 and 4.3).
fn ensure_for_verifying(members: &Map<String, Value>) -> Result<(), ConfigError> {
    if members.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(refused("use: expected sig"));
    }
    let Some(operations) = members.get("key_ops") else {
        return Ok(());
    };
    let list = operations.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    let repeats = |at: usize, name: &&str| names.iter().take(at).any(|other| other == name);
    if names.len() != list.len()
        || !names.contains(&"verify")
        || names.iter().enumerate().any(|(at, name)| repeats(at, name))
    {
        return Err(refused(
            "key_ops: expected a list without repeats that has verify",
        ));
    }
    Ok(())
}

/// Makes the keys for each algorithm that the members name.
fn keys(members: &Map<String, Value>) -> Result<Vec<VerifyingKey>, ConfigError> {
    let text = |name: &str| {
        members
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let number = |name: &'static str| -> Result<Vec<u8>, ConfigError> {
        URL_SAFE_NO_PAD
            .decode(text(name))
            .map_err(|_| refused("expected unpadded base64url without loose bits").within(name))
    };
    let point = |len: usize| -> Result<Vec<u8>, ConfigError> {
        let [x, y] = [number("x")?, number("y")?];
        if x.len() != len || y.len() != len {
            return Err(refused("expected coordinates of the full length"));
        }
        Ok([&[4], &*x, &*y].concat())
    };
    let keys = match (text("kty"), text("crv")) {
        ("OKP", "Ed25519") => {
            let x = number("x")?;
            let x = x
                .as_slice()
                .try_into()
                .map_err(|_| refused("x: expected 32 bytes"))?;
            vec![VerifyingKey::message_ed25519(x)?]
        }
        ("EC", "P-256") => vec![VerifyingKey::message_ecdsa_p256_sha256(&point(32)?)?],
        ("EC", "P-384") => vec![VerifyingKey::message_ecdsa_p384_sha384(&point(48)?)?],
        #[cfg(feature = "rsa")]
        ("RSA", _) => {
            let [n, e] = [number("n")?, number("e")?];
            if n.first() == Some(&0) || e.first() == Some(&0) {
                // RFC 7518 section 6.3.1.1. The thumbprint would be another one.
                return Err(refused("n and e: expected no zero bytes in front"));
            }
            vec![
                VerifyingKey::message_rsa_pss_sha512(&n, &e)?,
                VerifyingKey::message_rsa_v1_5_sha256(&n, &e)?,
            ]
        }
        _ => {
            return Err(refused(
                "kty and crv: expected OKP with Ed25519, EC with P-256 or P-384, or RSA with the \
                 feature rsa",
            ));
        }
    };
    let Some(alg) = members.get("alg") else {
        return Ok(keys);
    };
    let named = |key: &VerifyingKey| {
        alg.as_str()
            .is_some_and(|alg| key.algorithm().is_named(alg))
    };
    let keys: Vec<_> = keys.into_iter().filter(named).collect();
    if keys.is_empty() {
        return Err(refused(
            "alg: expected an algorithm of RFC 9421 that fits the key",
        ));
    }
    Ok(keys)
}

pub(super) fn refused(problem: &'static str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Key, format!("JWK: {problem}"))
}
