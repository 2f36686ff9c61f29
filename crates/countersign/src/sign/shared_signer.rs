use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::Signer;
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind},
    key::{KeyState, Validity},
    key_version::KeyVersion,
    keyring::Keyring,
    timestamp::Timestamp,
};

/// A handle to one target's signer that can be replaced at run time.
///
/// ```
/// use std::time::Duration;
///
/// use countersign::{
///     Secret, SharedSigner, Signer, SignerKey, SigningKey, Timestamp, Validity,
/// };
///
/// let key = || Ok::<_, countersign::ConfigError>(SigningKey::hmac_sha256(&Secret::generate()?));
/// let signer = || Signer::new("billing", key()?, ["user-service"]);
/// let now = Timestamp::from_unix_seconds(1_767_323_045);
/// let later = now.saturating_add(Duration::from_secs(60));
/// let shared = SharedSigner::new([
///     SignerKey::new("2026-01", signer()?)?,
///     SignerKey::new("2026-02", signer()?)?
///         .with_validity(Validity::new().with_not_before(later)),
/// ])?;
/// assert_eq!(shared.version_at(now).unwrap(), "2026-01");
/// assert_eq!(shared.version_at(later).unwrap(), "2026-02");
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// The newest key signs. Of the active keys within their validity, that is the key with the latest
/// `not_before`, or the last listed of equals.
///
/// Handles are cheap to clone and share the keys. [`replace`](Self::replace) on one handle replaces
/// the keys for all of them, atomically and without a lock for signing.
#[derive(Clone)]
pub struct SharedSigner {
    keys: Arc<ArcSwap<Vec<SignerKey>>>,
}

/// One of the keys that a target is called with: a signer and its validity.
#[derive(Clone, Debug)]
pub struct SignerKey {
    version: Option<KeyVersion>,
    signer: Arc<Signer>,
    validity: Validity,
}

impl SignerKey {
    /// Makes an active key without a time limit.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Name`] if `version` is no [`KeyVersion`].
    pub fn new(version: &str, signer: Signer) -> Result<Self, ConfigError> {
        let version = KeyVersion::new(version)?;
        let unnamed = Self::unnamed(signer);
        Ok(Self {
            version: Some(version),
            ..unnamed
        })
    }

    pub(crate) fn unnamed(signer: Signer) -> Self {
        Self {
            version: None,
            signer: Arc::new(signer),
            validity: Validity::default(),
        }
    }

    /// Sets the state and the dates of the key. Only an [active](KeyState::Active) key signs,
    /// within its dates by the signer's clock.
    ///
    /// The callee must accept the key by the start. Its clock may be slow, so set the start
    /// somewhat earlier there.
    #[must_use]
    pub fn with_validity(mut self, validity: impl Into<Validity>) -> Self {
        self.validity = validity.into();
        self
    }

    /// Returns the label of the key. `None` if the key was made from a [`Signer`] alone.
    pub fn version(&self) -> Option<&KeyVersion> {
        self.version.as_ref()
    }

    fn signs_at(&self, now: Timestamp) -> bool {
        self.validity.state == KeyState::Active && self.validity.refusal_at(now).is_none()
    }
}

impl SharedSigner {
    /// The greatest number of keys for one target.
    pub const MAX_KEYS: usize = Keyring::MAX_KEYS_PER_CALLER;

    /// Makes a signer with these keys.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Keyring`] for no keys, more than [`MAX_KEYS`](Self::MAX_KEYS), no active
    /// key, or two keys of one version.
    pub fn new(keys: impl IntoIterator<Item = SignerKey>) -> Result<Self, ConfigError> {
        let keys: Vec<SignerKey> = keys.into_iter().collect();
        let refused = |problem: String| Err(ConfigError::new(ConfigErrorKind::Keyring, problem));
        if !(1..=Self::MAX_KEYS).contains(&keys.len()) {
            return refused(format!(
                "expected 1 to {} keys to sign with, found {}",
                Self::MAX_KEYS,
                keys.len()
            ));
        }
        if !keys
            .iter()
            .any(|key| key.validity.state == KeyState::Active)
        {
            return refused("expected an active key to sign with, found none".to_owned());
        }
        let mut seen: Vec<&KeyVersion> = Vec::new();
        for version in keys.iter().filter_map(SignerKey::version) {
            if seen.contains(&version) {
                return refused(format!("two keys of version {version}"));
            }
            seen.push(version);
        }
        Ok(Self::of(keys))
    }

    fn of(keys: Vec<SignerKey>) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
        }
    }

    /// Returns the signer for this moment.
    ///
    /// # Errors
    ///
    /// [`SignErrorKind::Credentials`] if no active key is within its validity.
    pub fn at(&self, now: Timestamp) -> Result<Arc<Signer>, SignError> {
        let keys = self.keys.load();
        let key = newest(&keys, now).ok_or_else(|| {
            SignError::new(
                SignErrorKind::Credentials,
                "expected an active key within its dates, found none",
            )
        })?;
        Ok(Arc::clone(&key.signer))
    }

    /// Returns the label of the key that signs at this moment, if any.
    pub fn version_at(&self, now: Timestamp) -> Option<KeyVersion> {
        newest(&self.keys.load(), now)?.version.clone()
    }

    /// Replaces the keys of every handle with those of another signer. A request that is already
    /// being signed keeps its key.
    pub fn replace(&self, with: &Self) {
        self.keys.store(with.keys.load_full());
    }

    /// Refuses to sign with a secret that this process also verifies with, whatever the state of
    /// the key. See [`Keyring::ensure_distinct_from`].
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::SharedKey`] if a caller of the keyring has one of the keys.
    pub fn ensure_distinct_from(&self, keyring: &Keyring) -> Result<(), ConfigError> {
        self.try_for_each(|signer| keyring.ensure_distinct_from(&[signer]))
    }

    /// Runs a check for each key, whatever its state, until one is refused.
    pub(crate) fn try_for_each(
        &self,
        check: impl FnMut(&Signer) -> Result<(), ConfigError>,
    ) -> Result<(), ConfigError> {
        let keys = self.keys.load();
        keys.iter().map(|key| &*key.signer).try_for_each(check)
    }
}

impl From<Signer> for SharedSigner {
    /// Uses one key without a time limit.
    fn from(signer: Signer) -> Self {
        Self::of(vec![SignerKey::unnamed(signer)])
    }
}

impl fmt::Debug for SharedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSigner")
            .field("keys", &**self.keys.load())
            .finish()
    }
}

/// `max_by_key` returns the last of equals.
fn newest(keys: &[SignerKey], now: Timestamp) -> Option<&SignerKey> {
    let usable = keys.iter().filter(|key| key.signs_at(now));
    usable.max_by_key(|key| key.validity.not_before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Secret, SigningKey};

    fn key(version: &str) -> SignerKey {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        SignerKey::new(version, Signer::new("a", key, ["b"]).unwrap()).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn the_newest_active_key_within_its_dates_signs() {
        for (name, keys, expected) in [
            ("one", vec![key("1")], Some("1")),
            ("of equals the last", vec![key("1"), key("2")], Some("2")),
            (
                "one with a date before one without",
                vec![
                    key("1").with_validity(Validity::new().with_not_before(at(10))),
                    key("2"),
                ],
                Some("1"),
            ),
            (
                "the later date, in any position",
                vec![
                    key("1").with_validity(Validity::new().with_not_before(at(90))),
                    key("2").with_validity(Validity::new().with_not_before(at(80))),
                ],
                Some("1"),
            ),
            (
                "from its date on",
                vec![
                    key("1"),
                    key("2").with_validity(Validity::new().with_not_before(at(100))),
                ],
                Some("2"),
            ),
            (
                "not before it",
                vec![
                    key("1"),
                    key("2").with_validity(Validity::new().with_not_before(at(101))),
                ],
                Some("1"),
            ),
            (
                "not at its end",
                vec![
                    key("1"),
                    key("2").with_validity(
                        Validity::new()
                            .with_not_before(at(10))
                            .with_not_after(at(100)),
                    ),
                ],
                Some("1"),
            ),
            (
                "until its end",
                vec![
                    key("1"),
                    key("2").with_validity(
                        Validity::new()
                            .with_not_before(at(10))
                            .with_not_after(at(101)),
                    ),
                ],
                Some("2"),
            ),
            (
                "not one that is only accepted",
                vec![key("1"), key("2").with_validity(KeyState::AcceptOnly)],
                Some("1"),
            ),
            (
                "not a revoked one",
                vec![key("1"), key("2").with_validity(KeyState::Revoked)],
                Some("1"),
            ),
            (
                "none that is over",
                vec![key("1").with_validity(Validity::new().with_not_after(at(100)))],
                None,
            ),
        ] {
            let signer = SharedSigner::new(keys).unwrap();
            let version = signer.version_at(at(100));
            assert_eq!(version.as_ref().map(KeyVersion::as_str), expected, "{name}");
            match (expected, signer.at(at(100))) {
                (Some(_), Ok(_)) => {}
                (None, Err(error)) => assert_eq!(error.kind(), SignErrorKind::Credentials),
                (_, found) => panic!("{name}: {found:?}"),
            }
        }
    }

    #[test]
    fn refuses_keys_that_leave_open_which_signs() {
        for (name, keys) in [
            ("none", vec![]),
            ("five", (0..5).map(|n| key(&n.to_string())).collect()),
            ("two of a version", vec![key("1"), key("1")]),
            (
                "none active",
                vec![key("1").with_validity(KeyState::AcceptOnly)],
            ),
        ] {
            let error = SharedSigner::new(keys).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Keyring, "{name}");
        }
    }

    #[test]
    fn every_handle_signs_with_what_one_was_given() {
        let shared = SharedSigner::new([key("1")]).unwrap();
        let handle = shared.clone();
        shared.replace(&SharedSigner::new([key("2")]).unwrap());
        assert_eq!(handle.version_at(at(0)).unwrap(), "2");
    }
}
