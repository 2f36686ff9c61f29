use std::ops::RangeInclusive;

use super::{Algorithm, ContentTypeRule, NonceRule};

/// The fixed properties of a scheme, independent of verifier and signer settings.
#[derive(Debug)]
pub(crate) struct Definition {
    /// The name on the wire, which is case-sensitive. For a scheme without one, its common name.
    pub(crate) name: &'static str,
    /// The algorithms that its keys may have.
    pub(crate) algorithms: &'static [Algorithm],
    /// The accepted lengths of an HMAC secret in bytes.
    pub(crate) secret_len: RangeInclusive<usize>,
    /// The prefix of the secret, if the scheme derives its keys from both. `None` if the secret is
    /// the key.
    pub(crate) key_prefix: Option<&'static str>,
    /// Whether its keys may be bound to a session token.
    pub(crate) has_session_tokens: bool,
    /// The parts of a request that detect a replay.
    pub(crate) replay_identity: &'static str,
    /// The default rule for nonces. A key may override it.
    pub(crate) nonce: NonceRule,
    /// The default rule for covering the content type. A key may override it.
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
        // A secret here is a text, which has less entropy than its length.
        secret_len: 24..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "the signature",
        // The signature replaces the nonce.
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
        // Id and timestamp replace the nonce.
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::Exempt,
    };

    pub(crate) const MESSAGE_SIGNATURES: Self = Self {
        name: "RFC 9421",
        algorithms: Algorithm::ALL,
        // RFC 2104 section 3: at least the length of the hash.
        secret_len: 32..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "the parameter nonce",
        nonce: NonceRule::Required,
        content_type: ContentTypeRule::CoveredIfPresent,
    };

    pub(crate) const CAVAGE: Self = Self {
        name: "draft-cavage-12",
        algorithms: &[
            Algorithm::HmacSha256,
            Algorithm::Ed25519,
            Algorithm::RsaV15Sha256,
        ],
        // A secret here is often a text, which has less entropy than its length.
        secret_len: 24..=usize::MAX,
        key_prefix: None,
        has_session_tokens: false,
        replay_identity: "x-nonce, or the signature",
        // Without a nonce, the signature replaces it.
        nonce: NonceRule::Required,
        // Clients of gateways do not sign it.
        content_type: ContentTypeRule::Exempt,
    };

    pub(crate) const SIGV4: Self = Self {
        name: "AWS4-HMAC-SHA256",
        algorithms: &[Algorithm::HmacSha256],
        secret_len: 32..=usize::MAX,
        key_prefix: Some("AWS4"),
        has_session_tokens: true,
        replay_identity: "x-nonce",
        // Clients send no nonce, and some never sign the content type (aws4fetch, browsers).
        nonce: NonceRule::Optional,
        content_type: ContentTypeRule::Exempt,
    };
}
