use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::CallerKeys;
use crate::error::Unavailable;

/// Finds the keys of a caller. The simplest implementation is [`Keyring`](crate::Keyring).
///
/// An implementation **must not** return one key for two callers. The caller's name is not signed,
/// so callers with one key can act as each other.
///
/// It **must** return [`CallerKeys::unknown`] for an unknown caller and [`Unavailable`] for a
/// failed lookup, and never confuse the two. Anyone can make it look up any name. A store on a
/// network **must** limit lookups of unknown names.
pub trait KeyStore: Send + Sync + 'static {
    /// Returns the keys of the caller that a request asserts. The peer chooses `key_id`: it matches
    /// the grammar of a [`KeyId`](crate::KeyId), and nothing else is checked.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store cannot answer.
    fn lookup(&self, key_id: &str) -> impl Future<Output = Result<CallerKeys, Unavailable>> + Send;

    /// Looks up without waiting. `None`, the default, means that the verifier must call
    /// [`lookup`](Self::lookup).
    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        let _ = key_id;
        None
    }

    /// Returns the number of callers, if the store knows it. In-memory replay stores size their
    /// quotas with it.
    fn callers(&self) -> Option<usize> {
        None
    }
}

/// A [`KeyStore`] chosen at run time.
#[derive(Clone)]
pub struct ArcKeyStore(Arc<dyn ErasedKeyStore>);

impl ArcKeyStore {
    /// Erases the type of a store.
    pub fn new(store: impl KeyStore) -> Self {
        Self(Arc::new(store))
    }
}

impl KeyStore for ArcKeyStore {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        self.0.lookup(key_id).await
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        self.0.try_lookup(key_id)
    }

    fn callers(&self) -> Option<usize> {
        self.0.callers()
    }
}

impl fmt::Debug for ArcKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArcKeyStore").finish_non_exhaustive()
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

trait ErasedKeyStore: Send + Sync {
    fn lookup<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<CallerKeys, Unavailable>>;
    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>>;
    fn callers(&self) -> Option<usize>;
}

impl<S: KeyStore> ErasedKeyStore for S {
    fn lookup<'a>(&'a self, key_id: &'a str) -> BoxFuture<'a, Result<CallerKeys, Unavailable>> {
        Box::pin(KeyStore::lookup(self, key_id))
    }

    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        KeyStore::try_lookup(self, key_id)
    }

    fn callers(&self) -> Option<usize> {
        KeyStore::callers(self)
    }
}
