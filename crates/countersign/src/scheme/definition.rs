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

impl Definition {
    pub(crate) const HMAC_SHA256: Self = Self {
        name: "HMAC-SHA256",
        algorithms: &[Algorithm::HmacSha256],
        // RFC 2104 section 3: at least the length of the hash.
        secret_len: 32..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "x-nonce",
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::CoveredIfPresent,
    };

    pub(crate) const ED25519: Self = Self {
        name: "ED25519",
        algorithms: &[Algorithm::Ed25519],
        secret_len: 32..=32,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "x-nonce",
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::CoveredIfPresent,
    };

    pub(crate) const DRF: Self = Self {
        name: "X-HMAC-SHA256",
        algorithms: &[Algorithm::HmacSha256],
        // A secret here is a text, which holds less than its length.
        secret_len: 24..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "the signature",
        // The signature stands for it.
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::Exempt,
    };

    pub(crate) const STANDARD_WEBHOOKS: Self = Self {
        name: "Standard-Webhooks",
        algorithms: &[Algorithm::HmacSha256, Algorithm::Ed25519],
        // Its section "Signature scheme": between 24 and 64 bytes.
        secret_len: 24..=64,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "webhook-id with webhook-timestamp",
        // Id and timestamp stand for it.
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::Exempt,
    };

    pub(crate) const MESSAGE_SIGNATURES: Self = Self {
        name: "RFC 9421",
        algorithms: &[Algorithm::HmacSha256, Algorithm::Ed25519],
        // RFC 2104 section 3: at least the length of the hash.
        secret_len: 32..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "the parameter nonce",
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::CoveredIfPresent,
    };

    pub(crate) const SIGV4: Self = Self {
        name: "AWS4-HMAC-SHA256",
        algorithms: &[Algorithm::HmacSha256],
        secret_len: 32..=usize::MAX,
        key_prefix: Some("AWS4"),
        has_session_tokens: true,
        replay_identity: "x-nonce",
        // Clients know no nonce, and some never sign the content type (aws4fetch, browsers).
        nonce: NonceRule::Optional,
        content_type: ContentTypeRule::Exempt,
    };
}
