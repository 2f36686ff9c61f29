use std::{fmt, sync::Arc};

use super::{
    Fingerprint, Secret, SessionToken, SigningKey, SigningKeyCache, fingerprint::Fingerprints,
    record::Record, strength::Weakness,
};
use crate::{
    crypto::{
        ed25519::{self, InvalidPublicKey},
        hmac_sha256,
    },
    error::{ConfigError, ConfigErrorKind},
    scheme::{Algorithm, Scheme},
};

/// A key that verifies, bound to one scheme: a shared secret or an Ed25519 public key.
///
/// A shared secret can also sign: its holder can act as the caller. Never give one to a second
/// callee. An Ed25519 public key only verifies and may be given to anyone.
#[derive(Clone)]
pub struct VerifyingKey {
    record: Record,
    inner: Inner,
    session_token: Option<SessionToken>,
    /// The shared secret, of which a diagnosis tries other encodings. Derived keys have none.
    #[cfg(feature = "diagnose")]
    secret: Option<Arc<Secret>>,
}

#[derive(Clone)]
enum Inner {
    HmacSha256(Box<hmac_sha256::Key>, Option<Arc<SigningKeyCache>>),
    Ed25519(Box<ed25519::PublicKey>),
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
        let record = Record {
            scheme,
            fingerprints: Fingerprints::from_elem(Fingerprint::of_ed25519(public_key), 1),
            weakness: Weakness::of_public_key(public_key),
        };
        Ok(Self::from_point(record, key))
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

    pub(super) fn from_point(record: Record, key: ed25519::PublicKey) -> Self {
        Self::new(record, Inner::Ed25519(Box::new(key)))
    }

    fn new(record: Record, inner: Inner) -> Self {
        Self {
            record,
            inner,
            session_token: None,
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
        }
    }

    /// Returns the 32 bytes of an Ed25519 public key. `None` for a shared secret.
    pub fn public_key(&self) -> Option<&[u8; 32]> {
        match &self.inner {
            Inner::HmacSha256(..) => None,
            Inner::Ed25519(key) => Some(key.as_bytes()),
        }
    }

    /// Returns whether this key made `signature` over `message`.
    pub(crate) fn verifies_message(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.operation() {
            VerifyingOperation::Mac(mac) => mac.begin().chain(message).verify(signature),
            VerifyingOperation::Ed25519(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, signature)),
        }
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
            Inner::Ed25519(_) => None,
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
    pub(crate) fn operation(&self) -> VerifyingOperation<'_> {
        match &self.inner {
            Inner::HmacSha256(mac, _) => VerifyingOperation::Mac(mac),
            Inner::Ed25519(key) => VerifyingOperation::Ed25519(key),
        }
    }
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
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, [redacted])", self.record.scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of small order and their non-canonical encodings: y in {0, 1, -1, p, p+1, …}, either
    /// sign. Source: the tables of weak keys in the documentation of libsodium and ed25519-dalek.
    const SMALL_ORDER: [&str; 8] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];

    const NOT_CANONICAL: [&str; 5] = [
        // p and p + 1 encode 0 and 1.
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // 1 and -1 with the sign bit of x = 0 set.
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    #[test]
    fn refuses_public_keys_of_small_order() {
        for key in SMALL_ORDER {
            let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::WeakKey, "{key}");
        }
    }

    #[test]
    fn refuses_public_keys_in_a_second_encoding() {
        for key in NOT_CANONICAL {
            let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{key}");
        }
    }

    #[test]
    fn refuses_public_keys_that_are_no_64_digits_or_no_point() {
        for key in [
            "",
            "00",
            &"0g".repeat(32),
            &"00".repeat(33),
            "0200000000000000000000000000000000000000000000000000000000000000",
        ] {
            let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{key}");
        }
    }

    #[test]
    fn debug_shows_the_scheme_only() {
        let key = VerifyingKey::hmac_sha256(&Secret::generate().unwrap());
        assert_eq!(format!("{key:?}"), "VerifyingKey(HMAC-SHA256, [redacted])");
        assert!(key.public_key().is_none());
    }
}
