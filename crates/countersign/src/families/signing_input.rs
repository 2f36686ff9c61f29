use std::{future::Future, pin::Pin};

use http::{HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::{Nonce, sigv4::CredentialsRefresh};
use crate::{error::SignError, head::RequestHead, payload::Payload, timestamp::Timestamp};

/// A refresh that a signer must wait for before signing.
pub(crate) type Refresh<'s> =
    Pin<Box<dyn Future<Output = Result<CredentialsRefresh, SignError>> + Send + 's>>;

/// The headers of a signature, in the order in which they are set.
pub(crate) type SignatureHeaders = SmallVec<[(HeaderName, HeaderValue); 4]>;

/// A request to be signed.
#[derive(Debug)]
pub(crate) struct SigningInput<'s> {
    pub(crate) head: RequestHead<'s>,
    /// The authority that `Host` or `:authority` will hold.
    pub(crate) authority: &'s str,
    pub(crate) payload: Payload<'s>,
    /// A given nonce. If `None`, a scheme with nonces generates one.
    pub(crate) nonce: Option<Nonce>,
    pub(crate) now: Timestamp,
}
