//! Where a verifier finds the keys of a caller.

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

/// The keys of every caller: who may call, and with what.
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
/// A caller may have up to four keys at a time, which is how a key is rotated: list the new one beside the old one, move
/// the caller over, take the old one out. Handles are cheap to clone and share the keys: [`replace`](Self::replace) on
/// one swaps them for all, at once and without a lock for readers.
#[derive(Clone)]
pub struct Keyring {
    snapshot: Arc<ArcSwap<Snapshot>>,
}

impl Keyring {
    /// The greatest number of keys that one caller may have at a time.
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

    /// The number of callers.
    pub fn len(&self) -> usize {
        self.snapshot.load().len()
    }

    /// Whether there are no callers. A keyring is never built empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys of at most so many names, for a diagnosis.
    #[cfg(feature = "diagnose")]
    pub(crate) fn some(&self, names: usize) -> Vec<CallerKeys> {
        self.snapshot.load().some(names).cloned().collect()
    }

    /// Takes over the keys of another keyring, for every handle of this one. A request that is being verified goes on
    /// with the keys it began with; every later one sees the new keys only.
    pub fn replace(&self, with: &Self) {
        self.snapshot.store(with.snapshot.load_full());
    }

    /// Returns the callers and keys of this moment.
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
