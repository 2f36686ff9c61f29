use std::fmt;

use super::Definition;

/// A signature scheme. Every key is bound to exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `HMAC-SHA256`: a secret shared by caller and callee signs the canonical request.
    HmacSha256,
    /// `ED25519`: the caller's Ed25519 key signs the same canonical request.
    Ed25519,
    /// `X-HMAC-SHA256`: a shared secret signs timestamp and body, as in Django services. See
    /// [`DrfVerifySettings`](crate::DrfVerifySettings).
    Drf,
    /// Standard Webhooks: a secret or an Ed25519 key signs id, timestamp and body. See
    /// [`StandardWebhooksVerifySettings`](crate::StandardWebhooksVerifySettings).
    StandardWebhooks,
    /// RFC 9421 HTTP Message Signatures, with a shared secret or the caller's public key.
    MessageSignatures,
    /// draft-cavage-http-signatures-12, as gateways and the Fediverse speak it. See
    /// [`CavageVerifySettings`](crate::CavageVerifySettings).
    Cavage,
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
        Self::Cavage,
        Self::SigV4,
    ];

    pub(crate) const fn definition(self) -> &'static Definition {
        match self {
            Self::HmacSha256 => &Definition::HMAC_SHA256,
            Self::Ed25519 => &Definition::ED25519,
            Self::Drf => &Definition::DRF,
            Self::StandardWebhooks => &Definition::STANDARD_WEBHOOKS,
            Self::MessageSignatures => &Definition::MESSAGE_SIGNATURES,
            Self::Cavage => &Definition::CAVAGE,
            Self::SigV4 => &Definition::SIGV4,
        }
    }

    /// Returns the name on the wire, which is case-sensitive. For a scheme without one, returns its
    /// common name.
    pub const fn name(self) -> &'static str {
        self.definition().name
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
