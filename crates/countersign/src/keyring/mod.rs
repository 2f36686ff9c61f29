//! Finds the keys of a caller.

mod builder;
mod caller_keys;
mod store;

use std::{fmt, sync::Arc};

use arc_swap::{ArcSwap, Guard};

use self::caller_keys::Snapshot;
pub(crate) use self::caller_keys::Work;
pub use self::{
    builder::KeyringBuilder,
    caller_keys::CallerKeys,
    store::{ArcKeyStore, KeyStore},
};
use crate::error::Unavailable;

/// The keys of every caller.
///
/// ```
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
///
/// let secret = Secret::generate()?;
/// let keys = Keyring::builder()
///     .caller("billing", CallerKey::new("2026-01", VerifyingKey::hmac_sha256(&secret))?)
///     .build()?;
/// assert_eq!(keys.len(), 1);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// A caller may have up to four keys at a time. To rotate a key, add the new one, move the caller
/// to it, then remove the old one.
///
/// Handles are cheap to clone and share the keys. [`replace`](Self::replace) on one handle replaces
/// the keys for all of them, atomically and without a lock for readers.
#[derive(Clone)]
pub struct Keyring {
    snapshot: Arc<ArcSwap<Snapshot>>,
}

impl Keyring {
    /// The greatest number of keys of one caller.
    pub const MAX_KEYS_PER_CALLER: usize = caller_keys::MAX_KEYS_PER_CALLER;

    /// Starts an empty keyring.
    pub fn builder() -> KeyringBuilder {
        KeyringBuilder::new()
    }

    fn from_snapshot(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
        }
    }

    /// Returns the number of callers.
    pub fn len(&self) -> usize {
        self.snapshot.load().len()
    }

    /// Returns whether there are no callers. A built keyring is never empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the keys of at most `names` names, for diagnosis.
    #[cfg(feature = "diagnose")]
    pub(crate) fn some(&self, names: usize) -> Vec<CallerKeys> {
        self.snapshot.load().some(names).cloned().collect()
    }

    /// Replaces the keys of every handle with those of another keyring. A verification that has
    /// already started finishes with the old keys.
    pub fn replace(&self, with: &Self) {
        self.snapshot.store(with.snapshot.load_full());
    }

    /// Returns the current callers and keys.
    pub(crate) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }
}

impl KeyStore for Keyring {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        Ok(self.snapshot.load().lookup(key_id))
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        Some(Ok(self.snapshot.load().lookup(key_id)))
    }

    fn callers(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot.load().fmt(f)
    }
}
