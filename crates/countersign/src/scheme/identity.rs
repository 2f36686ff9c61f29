use std::fmt;

use super::Definition;

/// A way of signing requests. Every key is bound to exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `HMAC-SHA256`: a secret shared by caller and callee over the canonical request.
    HmacSha256,
    /// `ED25519`: the caller's Ed25519 key over the same canonical request.
    Ed25519,
    /// `X-HMAC-SHA256`: a shared secret over timestamp and body, as Django services sign. See
    /// [`DrfVerifySettings`](crate::DrfVerifySettings).
    Drf,
    /// Standard Webhooks: a secret or an Ed25519 key over id, timestamp and body. See
    /// [`StandardWebhooksVerifySettings`](crate::StandardWebhooksVerifySettings).
    StandardWebhooks,
    /// RFC 9421, HTTP Message Signatures, with a shared secret or an Ed25519 key of the caller.
    MessageSignatures,
    /// `AWS4-HMAC-SHA256`: AWS Signature Version 4, in the `Authorization` header or in the URL.
    SigV4,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: &'static [Self] = &[
        Self::HmacSha256,
        Self::Ed25519,
        Self::Drf,
        Self::StandardWebhooks,
        Self::MessageSignatures,
        Self::SigV4,
    ];

    pub(crate) const fn definition(self) -> &'static Definition {
        match self {
            Self::HmacSha256 => &Definition::HMAC_SHA256,
            Self::Ed25519 => &Definition::ED25519,
            Self::Drf => &Definition::DRF,
            Self::StandardWebhooks => &Definition::STANDARD_WEBHOOKS,
            Self::MessageSignatures => &Definition::MESSAGE_SIGNATURES,
            Self::SigV4 => &Definition::SIGV4,
        }
    }

    /// The name on the wire, which is compared with its case; of a scheme that has none there, what it is called.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
