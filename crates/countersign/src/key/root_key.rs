use std::fmt;

use zeroize::Zeroizing;

use super::{CallerKey, Fingerprint, Secret, SigningKey, Validity, strength::Weakness};
use crate::{
    crypto::hkdf_sha256::PseudorandomKey,
    error::ConfigError,
    key_id::KeyId,
    key_version::KeyVersion,
    scheme::{Algorithm, Scheme},
};

/// The label of derived keys. It separates them from everything else derived from the same root.
const LABEL: &str = "countersign derived key";

/// The length of a derived key in bytes.
const DERIVED_LEN: usize = 32;

/// A secret of one callee. Each caller's key is derived from it.
///
/// ```
/// use countersign::{RootKey, Secret, Signer, SigningKey};
///
/// let root = RootKey::new("2026-01", &Secret::generate()?)?;
/// // The holder of the root derives a caller's key once and gives it to that caller only.
/// let key = SigningKey::hmac_sha256(&root.derive_for("billing", "user-service")?);
/// let signer = Signer::new("billing", key, ["user-service:8081"])?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The key is HKDF-SHA256 (RFC 5869) of the root, without a salt, 32 bytes long. Its `info` holds
/// these five texts: `countersign derived key`, `HMAC-SHA256`, the caller, the callee, the root's
/// version. Each text follows its length in bytes, as 8 bytes in big-endian order.
///
/// **The holder of the root can act as every caller.** The secret is wiped on drop and never shown.
#[derive(Clone)]
pub struct RootKey {
    version: KeyVersion,
    validity: Validity,
    derivation: PseudorandomKey,
    fingerprint: Fingerprint,
}

impl RootKey {
    /// Makes a root that is active without a time limit.
    ///
    /// # Errors
    ///
    /// - [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `version` is no [`KeyVersion`].
    /// - [`ConfigErrorKind::WeakKey`](crate::ConfigErrorKind::WeakKey) if the secret is shorter
    ///   than 32 bytes, repetitive or published.
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
            validity: Validity::default(),
            derivation: PseudorandomKey::extract(bytes),
            fingerprint: Fingerprint::of_hmac_sha256(bytes),
        })
    }

    /// Sets the state and the dates of the root. Keys derived from it verify nothing if it is
    /// revoked, or outside its dates by the verifier's clock.
    #[must_use]
    pub fn with_validity(mut self, validity: impl Into<Validity>) -> Self {
        self.validity = validity.into();
        self
    }

    /// Returns the label of the root and of every key derived from it.
    pub fn version(&self) -> &KeyVersion {
        &self.version
    }

    /// Derives the key that `caller` signs with when it calls `target`. `target` is the callee's
    /// name in the callee's configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`](crate::ConfigErrorKind::Name) if `caller` or `target` is no
    /// [`KeyId`].
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

    /// Derives the caller's key for this callee. The key is valid only in a verifier with expected
    /// hosts.
    pub(crate) fn caller_key(
        &self,
        caller: &KeyId,
        target: &KeyId,
    ) -> Result<CallerKey, ConfigError> {
        let key = SigningKey::hmac_sha256(&self.derive(caller, target)?);
        let key = CallerKey::new(self.version.as_str(), key.verifying_key())?;
        Ok(key.with_validity(self.validity).requiring_audience())
    }

    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootKey")
            .field("version", &self.version)
            .field("state", &self.validity.state)
            .field("not_before", &self.validity.not_before)
            .field("not_after", &self.validity.not_after)
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
            "RootKey { version: KeyVersion(\"1\"), state: Active, not_before: None, not_after: \
            None, .. }"
        );
        for bytes in [&[7; 32][..], b"short but of many values"] {
            let error = RootKey::new("1", &Secret::from_bytes(bytes)).unwrap_err();
            assert_eq!(error.kind(), crate::error::ConfigErrorKind::WeakKey);
        }
    }
}
