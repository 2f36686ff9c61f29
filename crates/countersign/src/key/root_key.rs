use std::fmt;

use zeroize::Zeroizing;

use super::{CallerKey, Fingerprint, KeyState, Secret, SigningKey, strength::Weakness};
use crate::{
    crypto::hkdf_sha256::PseudorandomKey,
    error::ConfigError,
    key_id::KeyId,
    key_version::KeyVersion,
    scheme::{Algorithm, Scheme},
    timestamp::Timestamp,
};

/// The label of what is derived, so that nothing else that is derived from the same root can be equal to it.
const LABEL: &str = "countersign derived key";

/// The length of a derived key, in bytes.
const DERIVED_LEN: usize = 32;

/// A secret of one callee, from which the key of each of its callers is derived.
///
/// ```
/// use countersign::{RootKey, Secret, Signer, SigningKey};
///
/// let root = RootKey::new("2026-01", &Secret::generate()?)?;
/// // Whoever holds the root derives a caller's key, once, and gives it to the caller and to nobody else.
/// let key = SigningKey::hmac_sha256(&root.derive_for("billing", "user-service")?);
/// let signer = Signer::new("billing", key, ["user-service:8081"])?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The key is HKDF-SHA256 (RFC 5869) of the root, without a salt, 32 bytes long. Its `info` is these five, each with its
/// length in bytes in front, as 8 bytes with the greatest first: `countersign derived key`, `HMAC-SHA256`, the caller, the
/// callee, the version of the root.
///
/// **Whoever holds the root can be every caller.** The secret is wiped when the value is dropped and shown by nothing.
#[derive(Clone)]
pub struct RootKey {
    version: KeyVersion,
    state: KeyState,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    derivation: PseudorandomKey,
    fingerprint: Fingerprint,
}

impl RootKey {
    /// A root that is active from now on without end.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `version` is no [`KeyVersion`];
    /// [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if the secret is shorter than 32 bytes, repetitive or
    /// published.
    pub fn new(version: &str, secret: &Secret) -> Result<Self, ConfigError> {
        let version = KeyVersion::new(version)?;
        let bytes = secret.expose();
        if let Some(weakness) =
            Weakness::of_secret(Scheme::HmacSha256, Algorithm::HmacSha256, bytes)
        {
            return Err(weakness
                .into_error()
                .within(format_args!("root key {version}")));
        }
        Ok(Self {
            version,
            state: KeyState::Active,
            not_before: None,
            not_after: None,
            derivation: PseudorandomKey::extract(bytes),
            fingerprint: Fingerprint::of_hmac_sha256(bytes),
        })
    }

    /// Sets where the root stands in its rotation. What is derived from a revoked one verifies nothing.
    #[must_use]
    pub fn with_state(mut self, state: KeyState) -> Self {
        self.state = state;
        self
    }

    /// What is derived from it verifies nothing before this moment of the verifier's clock.
    #[must_use]
    pub fn with_not_before(mut self, not_before: Timestamp) -> Self {
        self.not_before = Some(not_before);
        self
    }

    /// What is derived from it verifies nothing at or after this moment of the verifier's clock.
    #[must_use]
    pub fn with_not_after(mut self, not_after: Timestamp) -> Self {
        self.not_after = Some(not_after);
        self
    }

    /// The label of the root, and of every key that is derived from it.
    pub fn version(&self) -> &KeyVersion {
        &self.version
    }

    /// The key that this caller signs with when it calls this target, by the name that the callee knows itself by.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if one of the two is no [`KeyId`].
    pub fn derive_for(&self, caller: &str, target: &str) -> Result<Secret, ConfigError> {
        self.derive(&KeyId::new(caller)?, &KeyId::new(target)?)
    }

    fn derive(&self, caller: &KeyId, target: &KeyId) -> Result<Secret, ConfigError> {
        let fields = [
            LABEL,
            Scheme::HmacSha256.name(),
            caller.as_str(),
            target.as_str(),
            self.version.as_str(),
        ];
        // Invariant: a length in memory fits 64 bits.
        let lengths =
            fields.map(|field| u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        let parts: Vec<&[u8]> = lengths
            .iter()
            .zip(fields)
            .flat_map(|(length, field)| [&length[..], field.as_bytes()])
            .collect();
        let mut key = Zeroizing::new([0; DERIVED_LEN]);
        self.derivation.expand(&parts, &mut *key).map_err(|_| {
            ConfigError::new(
                crate::error::ConfigErrorKind::Key,
                "no key of this length can be derived",
            )
        })?;
        Ok(Secret::from_bytes(&*key))
    }

    /// The caller's key as this callee holds it: only for requests whose audience is checked.
    pub(crate) fn caller_key(
        &self,
        caller: &KeyId,
        target: &KeyId,
    ) -> Result<CallerKey, ConfigError> {
        let key = SigningKey::hmac_sha256(&self.derive(caller, target)?);
        let mut key = CallerKey::new(self.version.as_str(), key.verifying_key())?
            .with_state(self.state)
            .requiring_audience();
        if let Some(not_before) = self.not_before {
            key = key.with_not_before(not_before);
        }
        if let Some(not_after) = self.not_after {
            key = key.with_not_after(not_after);
        }
        Ok(key)
    }

    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKey")
            .field("version", &self.version)
            .field("state", &self.state)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_root_is_shown_and_weak_ones_are_refused() {
        let secret = Secret::generate().unwrap();
        let root = RootKey::new("1", &secret).unwrap();
        assert_eq!(
            format!("{root:?}"),
            "RootKey { version: KeyVersion(\"1\"), state: Active, not_before: None, not_after: None, .. }"
        );
        for bytes in [&[7; 32][..], b"short but of many values"] {
            let error = RootKey::new("1", &Secret::from_bytes(bytes)).unwrap_err();
            assert_eq!(error.kind(), crate::error::ConfigErrorKind::WeakKey);
        }
    }
}
