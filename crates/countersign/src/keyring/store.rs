use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::CallerKeys;
use crate::error::Unavailable;

/// Finds the keys of a caller. A [`Keyring`](crate::Keyring) is the simplest one.
///
/// An implementation **must not** return one key for two callers: the name of a caller is not part of what is signed, so
/// callers with one key are each other. It **must** answer an unknown caller with [`CallerKeys::unknown`] and a failure
/// with [`Unavailable`], never the one with the other. Anyone can make it look up any name: a store behind a network
/// **must** bound how often a name that is not there is asked for.
pub trait KeyStore: Send + Sync + 'static {
    /// The keys of the caller that a request says it is from. The name is the peer's choice: it has the grammar of a
    /// [`KeyId`](crate::KeyId) and nothing else is known of it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store cannot tell.
    fn lookup(&self, key_id: &str) -> impl Future<Output = Result<CallerKeys, Unavailable>> + Send;

    /// The same, if it needs no waiting. `None`, the provided answer, means that [`lookup`](Self::lookup) is to be
    /// called.
    fn try_lookup(&self, key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        let _ = key_id;
        None
    }

    /// How many callers there are, as far as the store knows: a replay store in memory makes room for so many.
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
