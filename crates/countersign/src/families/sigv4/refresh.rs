use std::sync::Arc;

use super::provider::SigV4Credentials;
use crate::error::Unavailable;

/// The outcome of [`Signer::refresh`](crate::Signer::refresh), for a log. Each change and each
/// failure is reported once, to one of the waiting requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CredentialsRefresh {
    /// Nothing was due, or the provider returned the cached credentials.
    Unchanged,
    /// The provider returned other credentials, which sign from now on. `Debug` shows four
    /// characters of their id, and their expiry.
    Changed(Arc<SigV4Credentials>),
    /// The provider failed. The cached credentials are still valid and keep signing.
    Failed(Arc<Unavailable>),
}
