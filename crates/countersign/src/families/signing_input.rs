use std::{cell::OnceCell, future::Future, pin::Pin};

use http::{HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::{Nonce, SigningText, sigv4::CredentialsRefresh};
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
    /// Where the signed text is kept, if it is asked for.
    pub(crate) text: Option<&'s OnceCell<SigningText>>,
}

impl SigningInput<'_> {
    /// Keeps the signed text, if it is asked for.
    pub(crate) fn keep_text(&self, text: impl FnOnce() -> SigningText) {
        if let Some(kept) = self.text {
            kept.get_or_init(text);
        }
    }
}
