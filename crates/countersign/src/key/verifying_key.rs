use std::{fmt, sync::Arc};

#[cfg(feature = "jwk")]
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Fingerprint, Secret, SessionToken, SigningKey, SigningKeyCache, fingerprint::Fingerprints,
    public_key_numbers::PublicKeyNumbers, record::Record, response_key::ResponseKeyCell,
    signing_key::SigningOperation, strength::Weakness, thumbprint::thumbprint,
};
#[cfg(feature = "rsa")]
use crate::crypto::rsa_signature;
use crate::{
    crypto::{
        ecdsa_p256, ecdsa_p384,
        ed25519::{self, InvalidPublicKey},
        hmac_sha256,
    },
    error::{ConfigError, ConfigErrorKind},
    scheme::{Algorithm, Scheme},
};

/// A key that verifies, bound to one scheme and one algorithm: a shared secret or a public key.
///
/// A shared secret can also sign: its holder can act as the caller. Never give one to a second
/// callee. A public key only verifies and may be given to anyone.
#[derive(Clone)]
pub struct VerifyingKey {
    record: Record,
    inner: Inner,
    session_token: Option<SessionToken>,
    response_key: ResponseKeyCell,
    /// The shared secret, of which a diagnosis tries other encodings. Derived keys have none.
    #[cfg(feature = "diagnose")]
    secret: Option<Arc<Secret>>,
}

#[derive(Clone)]
enum Inner {
    HmacSha256(Box<hmac_sha256::Key>, Option<Arc<SigningKeyCache>>),
    Ed25519(Box<ed25519::PublicKey>),
    EcdsaP256Sha256(Box<ecdsa_p256::PublicKey>),
    EcdsaP384Sha384(Box<ecdsa_p384::PublicKey>),
    #[cfg(feature = "rsa")]
    RsaPssSha512(Arc<rsa_signature::PublicKey>),
    #[cfg(feature = "rsa")]
    RsaV15Sha256(Arc<rsa_signature::PublicKey>),
}

impl VerifyingKey {
    /// Makes an `HMAC-SHA256` key from a shared secret.
    pub fn hmac_sha256(secret: &Secret) -> Self {
        SigningKey::hmac_sha256(secret)
            .verifying_key()
            .keeping(secret)
    }

    /// Makes an `AWS4-HMAC-SHA256` key from a secret access key.
    pub fn sigv4(secret: &Secret) -> Self {
        SigningKey::sigv4(secret).verifying_key().keeping(secret)
    }

    /// Binds an `AWS4-HMAC-SHA256` key to the session token that was issued with it. Requests must
    /// then carry this token and sign it. Without this binding, requests with a token are refused.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the scheme has no session tokens, or the token is empty or not
    /// visible ASCII.
    pub fn with_session_token(mut self, token: &Secret) -> Result<Self, ConfigError> {
        if !self.record.scheme.definition().has_session_tokens {
            return Err(ConfigError::new(
                ConfigErrorKind::Key,
                format!("session token: {} has none", self.record.scheme),
            ));
        }
        let token = SessionToken::new(token).map_err(|error| error.within("session token"))?;
        self.session_token = Some(token);
        Ok(self)
    }

    /// Makes an `ED25519` key from a public key: 32 bytes, a point in the encoding of RFC 8032
    /// section 5.1.2.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Key`] if the bytes are not a point in canonical encoding.
    /// - [`ConfigErrorKind::WeakKey`] if the point is of small order, for which anyone can forge
    ///   signatures.
    pub fn ed25519(public_key: &[u8; 32]) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::Ed25519, public_key)
    }

    /// Makes an RFC 9421 `hmac-sha256` key from a shared secret.
    pub fn message_hmac_sha256(secret: &Secret) -> Self {
        SigningKey::message_hmac_sha256(secret)
            .verifying_key()
            .keeping(secret)
    }

    /// Makes an RFC 9421 `ed25519` key from a public key.
    ///
    /// # Errors
    ///
    /// As [`ed25519`](Self::ed25519).
    pub fn message_ed25519(public_key: &[u8; 32]) -> Result<Self, ConfigError> {
        Self::ed25519_in(Scheme::MessageSignatures, public_key)
    }

    /// Makes an RFC 9421 `ed25519` key from the standard Base64 of a 32-byte public key, padded or
    /// unpadded.
    ///
    /// # Errors
    ///
    /// As [`ed25519`](Self::ed25519). [`ConfigErrorKind::Key`] also if the text is not Base64 of 32
    /// bytes; the error names the form that was found. See [the rule](Secret#the-text-of-a-key).
    pub fn message_ed25519_from_base64(public_key: &str) -> Result<Self, ConfigError> {
        let bytes = Secret::from_base64(public_key)?;
        let bytes = bytes.expose();
        let point = bytes.try_into().map_err(|_| {
            let message = format!(
                "expected an Ed25519 public key of 32 bytes in Base64, found {} bytes",
                bytes.len()
            );
            ConfigError::new(ConfigErrorKind::Key, message)
        })?;
        Self::message_ed25519(point)
    }

    /// Makes a key for a scheme from an Ed25519 public key.
    pub(crate) fn ed25519_in(scheme: Scheme, public_key: &[u8; 32]) -> Result<Self, ConfigError> {
        let key = ed25519::PublicKey::from_bytes(public_key).map_err(|problem| {
            let (kind, message) = match problem {
                InvalidPublicKey::NotAPoint => (
                    ConfigErrorKind::Key,
                    "expected an Ed25519 public key, found no point",
                ),
                InvalidPublicKey::NotCanonical => (
                    ConfigErrorKind::Key,
                    "expected an Ed25519 public key, found a point in another than its canonical \
                    encoding",
                ),
                InvalidPublicKey::SmallOrder => (
                    ConfigErrorKind::WeakKey,
                    "weak key: an Ed25519 public key of small order",
                ),
            };
            ConfigError::new(kind, message)
        })?;
        Ok(Self::public(scheme, Inner::Ed25519(Box::new(key))))
    }

    /// Makes an RFC 9421 `ecdsa-p256-sha256` key from a public key: an uncompressed point of 65
    /// bytes, `04` and both coordinates (SEC 1 section 2.3.3).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the bytes are no such point of the curve P-256.
    pub fn message_ecdsa_p256_sha256(point: &[u8]) -> Result<Self, ConfigError> {
        let key = point
            .try_into()
            .ok()
            .and_then(ecdsa_p256::PublicKey::from_point);
        let key = key.ok_or_else(|| no_point("P-256", 65, point.len()))?;
        let inner = Inner::EcdsaP256Sha256(Box::new(key));
        Ok(Self::public(Scheme::MessageSignatures, inner))
    }

    /// Makes an RFC 9421 `ecdsa-p384-sha384` key from a public key: an uncompressed point of 97
    /// bytes, `04` and both coordinates (SEC 1 section 2.3.3).
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the bytes are no such point of the curve P-384.
    pub fn message_ecdsa_p384_sha384(point: &[u8]) -> Result<Self, ConfigError> {
        let key = point
            .try_into()
            .ok()
            .and_then(ecdsa_p384::PublicKey::from_point);
        let key = key.ok_or_else(|| no_point("P-384", 97, point.len()))?;
        let inner = Inner::EcdsaP384Sha384(Box::new(key));
        Ok(Self::public(Scheme::MessageSignatures, inner))
    }

    /// Makes an RFC 9421 `rsa-pss-sha512` key from a public key: its modulus and its exponent, both
    /// big-endian.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::WeakKey`] if the modulus has fewer than 2048 bits.
    /// - [`ConfigErrorKind::Key`] if it has more than 8192 bits or is even, or the exponent is
    ///   even, below 3 or above 2^33 - 1.
    #[cfg(feature = "rsa")]
    pub fn message_rsa_pss_sha512(modulus: &[u8], exponent: &[u8]) -> Result<Self, ConfigError> {
        let inner = Inner::RsaPssSha512(rsa_key(modulus, exponent)?);
        Ok(Self::public(Scheme::MessageSignatures, inner))
    }

    /// Makes an RFC 9421 `rsa-v1_5-sha256` key from a public key: its modulus and its exponent,
    /// both big-endian.
    ///
    /// # Errors
    ///
    /// As [`message_rsa_pss_sha512`](Self::message_rsa_pss_sha512).
    #[cfg(feature = "rsa")]
    pub fn message_rsa_v1_5_sha256(modulus: &[u8], exponent: &[u8]) -> Result<Self, ConfigError> {
        let inner = Inner::RsaV15Sha256(rsa_key(modulus, exponent)?);
        Ok(Self::public(Scheme::MessageSignatures, inner))
    }

    /// Makes a key of a public key. Judges its strength.
    fn public(scheme: Scheme, inner: Inner) -> Self {
        let mut fingerprints = Fingerprints::new();
        let mut weakness = None;
        if let Some(numbers) = inner.numbers() {
            fingerprints.push(numbers.fingerprint());
            weakness = Weakness::of_public_key(&thumbprint(&numbers));
        }
        let record = Record {
            scheme,
            fingerprints,
            weakness,
        };
        Self::new(record, inner)
    }

    /// Makes an `ED25519` key from a public key of 64 hexadecimal digits of either case.
    ///
    /// # Errors
    ///
    /// As [`ed25519`](Self::ed25519). [`ConfigErrorKind::Key`] also if the text is not 64
    /// hexadecimal digits; the error names the form that was found. See [the
    /// rule](Secret#the-text-of-a-key).
    pub fn ed25519_from_hex(public_key: &str) -> Result<Self, ConfigError> {
        Self::ed25519(&public_key_from_hex(public_key)?)
    }

    pub(super) fn from_mac(
        record: Record,
        mac: Box<hmac_sha256::Key>,
        derived: Option<Arc<SigningKeyCache>>,
    ) -> Self {
        Self::new(record, Inner::HmacSha256(mac, derived))
    }

    pub(super) fn with_response_key(mut self, response_key: ResponseKeyCell) -> Self {
        self.response_key = response_key;
        self
    }

    /// Returns the key that signs the responses to requests signed with this key. The caller
    /// verifies them with [`SigningKey::response_verifying_key`], which says how both are made.
    ///
    /// `None` for a public key, and for a scheme that signs a body and no request.
    pub fn response_signing_key(&self) -> Option<Arc<SigningKey>> {
        let mac = match &self.inner {
            Inner::HmacSha256(mac, _) => SigningOperation::Mac(mac),
            _ => SigningOperation::Other,
        };
        self.response_key.of_key(&self.record, &mac)
    }

    /// Keeps the secret for a diagnosis, if the feature is on. Nothing else reads it.
    #[cfg_attr(
        not(feature = "diagnose"),
        expect(unused_mut, unused_variables, reason = "nothing is kept")
    )]
    pub(crate) fn keeping(mut self, secret: &Secret) -> Self {
        #[cfg(feature = "diagnose")]
        {
            self.secret = Some(Arc::new(Secret::from_bytes(secret.expose())));
        }
        self
    }

    /// Returns the shared secret, unless the key was derived.
    #[cfg(feature = "diagnose")]
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_deref()
    }

    pub(super) fn from_ed25519(record: Record, key: ed25519::PublicKey) -> Self {
        Self::new(record, Inner::Ed25519(Box::new(key)))
    }

    pub(super) fn from_p256(record: Record, key: ecdsa_p256::PublicKey) -> Self {
        Self::new(record, Inner::EcdsaP256Sha256(Box::new(key)))
    }

    pub(super) fn from_p384(record: Record, key: ecdsa_p384::PublicKey) -> Self {
        Self::new(record, Inner::EcdsaP384Sha384(Box::new(key)))
    }

    fn new(record: Record, inner: Inner) -> Self {
        Self {
            record,
            inner,
            session_token: None,
            response_key: ResponseKeyCell::default(),
            #[cfg(feature = "diagnose")]
            secret: None,
        }
    }

    /// Allows this key although it is weak: short, repetitive or published. For test vectors only.
    ///
    /// # Attack
    ///
    /// Anyone who can guess or look up the key can act as the caller.
    #[must_use]
    pub fn insecure_allow_weak_key(mut self) -> Self {
        self.record.weakness = None;
        self
    }

    /// Returns the scheme that this key verifies. Requests in any other are refused.
    pub fn scheme(&self) -> Scheme {
        self.record.scheme
    }

    /// Returns the algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        match self.inner {
            Inner::HmacSha256(..) => Algorithm::HmacSha256,
            Inner::Ed25519(_) => Algorithm::Ed25519,
            Inner::EcdsaP256Sha256(_) => Algorithm::EcdsaP256Sha256,
            Inner::EcdsaP384Sha384(_) => Algorithm::EcdsaP384Sha384,
            #[cfg(feature = "rsa")]
            Inner::RsaPssSha512(_) => Algorithm::RsaPssSha512,
            #[cfg(feature = "rsa")]
            Inner::RsaV15Sha256(_) => Algorithm::RsaV15Sha256,
        }
    }

    /// Returns the 32 bytes of an Ed25519 public key. `None` for every other key.
    pub fn public_key(&self) -> Option<&[u8; 32]> {
        match &self.inner {
            Inner::Ed25519(key) => Some(key.as_bytes()),
            _ => None,
        }
    }

    /// Returns the JWK thumbprint of a public key (RFC 7638 with SHA-256), in unpadded base64url.
    /// `None` for a shared secret, of which a hash must not be shown.
    pub fn thumbprint(&self) -> Option<String> {
        self.inner.numbers().as_ref().map(thumbprint)
    }

    /// Returns whether these are the coordinates in unpadded base64url, as far as they are given.
    #[cfg(feature = "jwk")]
    pub(super) fn has_coordinates(&self, [x, y]: [Option<&str>; 2]) -> bool {
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self.inner.numbers() {
            Some(PublicKeyNumbers::Ed25519(own)) => {
                x.is_none_or(|x| x == encoded(own)) && y.is_none()
            }
            Some(PublicKeyNumbers::Ec {
                x: own, y: other, ..
            }) => x.is_none_or(|x| x == encoded(&own)) && y.is_none_or(|y| y == encoded(&other)),
            _ => true,
        }
    }

    /// Returns whether these bytes are the public key: of Ed25519, or an uncompressed point.
    #[cfg(feature = "pem")]
    pub(super) fn has_public_bytes(&self, bytes: &[u8]) -> bool {
        match self.inner.numbers() {
            Some(PublicKeyNumbers::Ed25519(own)) => bytes == own,
            Some(PublicKeyNumbers::Ec { x, y, .. }) => bytes == [&[4], &*x, &*y].concat(),
            _ => false,
        }
    }

    /// Returns the length of an RSA modulus in bytes. `None` for a key of fixed length.
    pub(crate) fn modulus_len(&self) -> Option<usize> {
        match &self.inner {
            #[cfg(feature = "rsa")]
            Inner::RsaPssSha512(key) | Inner::RsaV15Sha256(key) => Some(key.modulus().len()),
            _ => None,
        }
    }

    /// Returns whether this key made `signature` over `message`. Refuses a signature of another
    /// length before any arithmetic.
    #[inline]
    pub(crate) fn verifies_message(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.inner {
            Inner::HmacSha256(mac, _) => mac.begin().chain(message).verify(signature),
            Inner::Ed25519(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, signature)),
            Inner::EcdsaP256Sha256(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, signature)),
            Inner::EcdsaP384Sha384(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, signature)),
            #[cfg(feature = "rsa")]
            Inner::RsaPssSha512(key) => key.verify_pss_sha512(message, signature),
            #[cfg(feature = "rsa")]
            Inner::RsaV15Sha256(key) => key.verify_v1_5_sha256(message, signature),
        }
    }

    /// Binds a public key to another scheme. `None` for a shared secret, or if the scheme has no
    /// keys of its algorithm.
    #[cfg(any(feature = "config", feature = "pem", feature = "rsa"))]
    pub(crate) fn public_in(mut self, scheme: Scheme) -> Option<Self> {
        let algorithm = self.algorithm();
        let is_public = algorithm != Algorithm::HmacSha256;
        let fits = scheme.definition().algorithms.contains(&algorithm);
        (is_public && fits).then(|| {
            self.record.scheme = scheme;
            self
        })
    }

    pub(super) fn into_record(self) -> Record {
        self.record
    }

    /// Refuses a weak key, unless `insecure_allow_weak_key` was called.
    pub(crate) fn ensure_strong(&self) -> Result<(), ConfigError> {
        self.record.ensure_strong()
    }

    /// Returns the session token that the key is bound to.
    pub(crate) fn session_token(&self) -> Option<&SessionToken> {
        self.session_token.as_ref()
    }

    pub(crate) fn fingerprints(&self) -> &[Fingerprint] {
        &self.record.fingerprints
    }

    /// Returns whether the two are one key, or are made of one secret.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let mut own = self.record.fingerprints.iter();
        own.any(|fingerprint| other.record.fingerprints.contains(fingerprint))
    }

    /// Returns whether both are bound to the same session token, or both to none.
    pub(crate) fn is_bound_like(&self, other: &Self) -> bool {
        match (&self.session_token, &other.session_token) {
            (Some(token), Some(other)) => token.is(other.as_str()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Returns the cache of derived keys, if the scheme derives keys.
    pub(crate) fn derived(&self) -> Option<&SigningKeyCache> {
        match &self.inner {
            Inner::HmacSha256(_, derived) => derived.as_deref(),
            _ => None,
        }
    }

    /// Copies the key with an empty cache of derived keys, so that a diagnosis does not change the
    /// cache in use.
    #[cfg(feature = "diagnose")]
    pub(crate) fn with_own_cache(&self) -> Self {
        let mut key = self.clone();
        if let Inner::HmacSha256(_, Some(derived)) = &mut key.inner {
            *derived = Arc::new(SigningKeyCache::new());
        }
        key
    }

    /// Returns the keyed state of an HMAC key, or the verification function of an Ed25519 key.
    #[inline]
    pub(crate) fn operation(&self) -> VerifyingOperation<'_> {
        match &self.inner {
            Inner::HmacSha256(mac, _) => VerifyingOperation::Mac(mac),
            Inner::Ed25519(key) => VerifyingOperation::Ed25519(key),
            _ => VerifyingOperation::Other,
        }
    }
}

impl Inner {
    /// Returns the numbers of a public key.
    fn numbers(&self) -> Option<PublicKeyNumbers<'_>> {
        Some(match self {
            Self::HmacSha256(..) => return None,
            Self::Ed25519(key) => PublicKeyNumbers::Ed25519(key.as_bytes()),
            Self::EcdsaP256Sha256(key) => {
                PublicKeyNumbers::of_point("P-256", ecdsa_p256::FIELD_LEN, &key.to_point())
            }
            Self::EcdsaP384Sha384(key) => {
                PublicKeyNumbers::of_point("P-384", ecdsa_p384::FIELD_LEN, &key.to_point())
            }
            #[cfg(feature = "rsa")]
            Self::RsaPssSha512(key) | Self::RsaV15Sha256(key) => PublicKeyNumbers::Rsa {
                modulus: key.modulus(),
                exponent: key.exponent(),
            },
        })
    }
}

fn no_point(curve: &str, len: usize, found: usize) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Key,
        format!(
            "expected a public key on the curve {curve} as {len} bytes of an uncompressed point, \
             found {found} bytes that are none"
        ),
    )
}

#[cfg(feature = "rsa")]
fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Result<Arc<rsa_signature::PublicKey>, ConfigError> {
    use rsa_signature::InvalidPublicKey;

    let key = rsa_signature::PublicKey::from_numbers(modulus, exponent).map_err(|problem| {
        let (kind, message) = match problem {
            InvalidPublicKey::Modulus(bits) => (
                if bits < *rsa_signature::MODULUS_BITS.start() {
                    ConfigErrorKind::WeakKey
                } else {
                    ConfigErrorKind::Key
                },
                format!("RSA modulus: expected 2048 to 8192 bits, found {bits}"),
            ),
            InvalidPublicKey::EvenModulus => (
                ConfigErrorKind::Key,
                "RSA modulus: expected an odd number, found an even one".to_owned(),
            ),
            InvalidPublicKey::Exponent => (
                ConfigErrorKind::Key,
                "RSA exponent: expected an odd number from 3 to 2^33 - 1, found another".to_owned(),
            ),
        };
        ConfigError::new(kind, message)
    })?;
    Ok(Arc::new(key))
}

/// Decodes 64 hexadecimal digits of either case to 32 bytes.
pub(crate) fn public_key_from_hex(text: &str) -> Result<[u8; 32], ConfigError> {
    let bytes = Secret::from_hex(text)?;
    let bytes = bytes.expose();
    bytes.try_into().map_err(|_| {
        let message = format!(
            "expected an Ed25519 public key as 64 hexadecimal digits, found {} digits",
            text.len()
        );
        ConfigError::new(ConfigErrorKind::Key, message)
    })
}

/// A verifying operation, as its scheme needs it.
pub(crate) enum VerifyingOperation<'k> {
    Mac(&'k hmac_sha256::Key),
    Ed25519(&'k ed25519::PublicKey),
    /// A key that only `verifies_message` uses.
    Other,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, [redacted])", self.record.scheme)
    }
}

#[cfg(test)]
mod tests;
