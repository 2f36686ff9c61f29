use std::ops::RangeInclusive;

use super::{Algorithm, ContentTypeRule, NonceRule};

/// What is fixed for a scheme, whatever a verifier or a signer of it is set to.
#[derive(Debug)]
pub(crate) struct Definition {
    /// The name on the wire, which is compared with its case; of a scheme that has none there, what it is called.
    pub(crate) name: &'static str,
    /// The algorithms that its keys may have.
    pub(crate) algorithms: &'static [Algorithm],
    /// How long an HMAC secret may be, in bytes.
    pub(crate) secret_len: RangeInclusive<usize>,
    /// What stands before the secret where the scheme derives its keys from both; `None` where the secret is the key.
    pub(crate) key_prefix: Option<&'static str>,
    /// Whether its keys may be bound to a session token.
    pub(crate) has_session_tokens: bool,
    /// What tells a request that comes again from another one.
    pub(crate) replay_identity: &'static str,
    /// Whether its requests must carry a covered nonce, unless the key says otherwise.
    pub(crate) nonce: NonceRule,
    /// Whether its requests must cover a content type that is present, unless the key says otherwise.
    pub(crate) content_type: ContentTypeRule,
}
