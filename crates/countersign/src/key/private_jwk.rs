use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Secret, SigningKey, VerifyingKey, jwk::refused};
use crate::{error::ConfigError, scheme::Algorithm};

/// The members of a private or secret key (RFC 7518 section 6, RFC 8037 section 2). Unknown members
/// are ignored; a member twice is refused.
#[derive(Deserialize)]
struct PrivateJwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Zeroizing<String>>,
    k: Option<Zeroizing<String>>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
}

impl SigningKey {
    /// Makes an RFC 9421 key from the JSON of a private key (RFC 7517): `OKP` with `Ed25519`, `EC`
    /// with `P-256` or `P-384`, or `oct` for `hmac-sha256`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the text is no such key, its public
    /// half is not that of its private half, or `alg`, `use` or `key_ops` are for something
    /// else than signing with this algorithm. No error holds a key.
    pub fn message_from_jwk(jwk: &Secret) -> Result<Self, ConfigError> {
        PrivateJwk::parse(jwk, "sign")?.signing_key()
    }
}

impl VerifyingKey {
    /// Makes an RFC 9421 `hmac-sha256` key from the JSON of a shared secret: `oct` (RFC 7518
    /// section 6.4). Its holder can also sign. [`Jwk`](crate::Jwk) reads public keys.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`](crate::ConfigErrorKind::Key) if the text is no `oct`, or its `alg`,
    /// `use` or `key_ops` are for something else than verifying `hmac-sha256`.
    pub fn message_from_secret_jwk(jwk: &Secret) -> Result<Self, ConfigError> {
        let jwk = PrivateJwk::parse(jwk, "verify")?;
        if jwk.kty != "oct" {
            return Err(refused("kty: expected oct"));
        }
        let secret = PrivateJwk::secret(jwk.k.as_ref(), "k")?;
        jwk.ensure_alg(Algorithm::HmacSha256)?;
        Ok(Self::message_hmac_sha256(&secret))
    }
}

impl PrivateJwk {
    fn parse(jwk: &Secret, operation: &str) -> Result<Self, ConfigError> {
        // The error of the reader may hold a piece of the text.
        let jwk: Self = serde_json::from_slice(jwk.expose())
            .map_err(|_| refused("expected an object of JSON with the members of a key"))?;
        let operations = jwk.key_ops.as_deref();
        if jwk
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig")
            || operations.is_some_and(|names| !names.iter().any(|name| name == operation))
        {
            return Err(refused("use and key_ops: expected those of signatures"));
        }
        Ok(jwk)
    }

    fn signing_key(&self) -> Result<SigningKey, ConfigError> {
        let crv = self.crv.as_deref().unwrap_or_default();
        let (key, algorithm) = match (self.kty.as_str(), crv) {
            ("oct", _) => {
                let secret = Self::secret(self.k.as_ref(), "k")?;
                (
                    SigningKey::message_hmac_sha256(&secret),
                    Algorithm::HmacSha256,
                )
            }
            ("OKP", "Ed25519") => (
                SigningKey::message_ed25519(&Self::secret(self.d.as_ref(), "d")?)?,
                Algorithm::Ed25519,
            ),
            ("EC", "P-256") => (
                SigningKey::message_ecdsa_p256_sha256(&Self::secret(self.d.as_ref(), "d")?)?,
                Algorithm::EcdsaP256Sha256,
            ),
            ("EC", "P-384") => (
                SigningKey::message_ecdsa_p384_sha384(&Self::secret(self.d.as_ref(), "d")?)?,
                Algorithm::EcdsaP384Sha384,
            ),
            _ => {
                return Err(refused(
                    "kty and crv: expected oct, OKP with Ed25519, or EC with P-256 or P-384",
                ));
            }
        };
        self.ensure_alg(algorithm)?;
        let coordinates = [self.x.as_deref(), self.y.as_deref()];
        if !key.verifying_key().has_coordinates(coordinates) {
            return Err(refused(
                "x and y: expected the public half of d, found another",
            ));
        }
        Ok(key)
    }

    fn ensure_alg(&self, algorithm: Algorithm) -> Result<(), ConfigError> {
        let mut alg = self.alg.iter();
        if alg.all(|alg| algorithm.is_named(alg)) {
            Ok(())
        } else {
            Err(refused("alg: expected the algorithm of the key"))
        }
    }

    fn secret(text: Option<&Zeroizing<String>>, name: &str) -> Result<Secret, ConfigError> {
        let text = text.map(|text| text.as_str()).unwrap_or_default();
        // Constant time: the text is the key.
        let bytes = Base64UrlUnpadded::decode_vec(text)
            .map(Zeroizing::new)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| {
                refused("expected unpadded base64url without loose bits").within(name)
            })?;
        Ok(Secret::from_bytes(&bytes))
    }
}
