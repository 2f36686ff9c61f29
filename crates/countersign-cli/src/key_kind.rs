use clap::ValueEnum;
use countersign::{Algorithm, ConfigError, Scheme, Secret, SigningKey};

use crate::{ed25519_text, failure::Failure, secret_source::KeyEncoding};

/// A scheme, with the algorithm of its keys where it has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    /// The native scheme with a shared secret.
    #[value(name = "hmac-sha256")]
    HmacSha256,
    /// The native scheme with the caller's Ed25519 key.
    Ed25519,
    /// HTTP Message Signatures (RFC 9421) with a shared secret.
    #[value(alias = "rfc9421")]
    MessageSignatures,
    /// HTTP Message Signatures (RFC 9421) with the caller's Ed25519 key.
    #[value(name = "message-signatures-ed25519", alias = "rfc9421-ed25519")]
    MessageSignaturesEd25519,
    /// AWS Signature Version 4.
    #[value(name = "sigv4", alias = "aws4-hmac-sha256")]
    SigV4,
    /// Standard Webhooks with a shared secret (`v1`).
    #[value(alias = "standard-webhooks")]
    Webhook,
    /// Standard Webhooks with the sender's Ed25519 key (`v1a`).
    #[value(name = "webhook-ed25519", alias = "standard-webhooks-ed25519")]
    WebhookEd25519,
    /// draft-cavage-http-signatures-12 with a shared secret.
    Cavage,
    /// draft-cavage-http-signatures-12 with the caller's Ed25519 key.
    #[value(name = "cavage-ed25519")]
    CavageEd25519,
    /// Timestamp and body, as in Django REST framework.
    #[value(alias = "x-hmac-sha256")]
    Drf,
}

impl KeyKind {
    /// Returns the kind of a key in a list.
    pub(crate) fn of_listed(scheme: &str, kind: &str) -> Option<Self> {
        let is_ed25519 = kind != "secret";
        let all = Self::value_variants().iter().copied();
        let mut of_scheme = all.filter(|kind| kind.scheme().name() == scheme);
        of_scheme.find(|kind| (kind.algorithm() == Algorithm::Ed25519) == is_ed25519)
    }

    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::HmacSha256 => Scheme::HmacSha256,
            Self::Ed25519 => Scheme::Ed25519,
            Self::MessageSignatures | Self::MessageSignaturesEd25519 => Scheme::MessageSignatures,
            Self::SigV4 => Scheme::SigV4,
            Self::Webhook | Self::WebhookEd25519 => Scheme::StandardWebhooks,
            Self::Cavage | Self::CavageEd25519 => Scheme::Cavage,
            Self::Drf => Scheme::Drf,
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519
            | Self::MessageSignaturesEd25519
            | Self::WebhookEd25519
            | Self::CavageEd25519 => Algorithm::Ed25519,
            Self::HmacSha256
            | Self::MessageSignatures
            | Self::SigV4
            | Self::Webhook
            | Self::Cavage
            | Self::Drf => Algorithm::HmacSha256,
        }
    }

    /// Returns whether the caller of this scheme reads its key from `[[targets]]` of a TOML file.
    pub(crate) const fn has_targets(self) -> bool {
        matches!(self, Self::HmacSha256 | Self::Ed25519)
    }

    /// Returns the encoding of its secrets, unless another is given.
    const fn encoding(self) -> KeyEncoding {
        match self {
            Self::Webhook => KeyEncoding::Base64,
            Self::SigV4 | Self::Cavage | Self::Drf => KeyEncoding::Text,
            _ => KeyEncoding::Hex,
        }
    }

    /// Reads the key that signs.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`](crate::Exit::Usage) if the text is no key of this kind.
    pub(crate) fn signing_key(
        self,
        text: &str,
        encoding: Option<KeyEncoding>,
    ) -> Result<SigningKey, Failure> {
        let key = self.read(text, encoding).map_err(Failure::from)?;
        Ok(key)
    }

    fn read(self, text: &str, encoding: Option<KeyEncoding>) -> Result<SigningKey, ConfigError> {
        if self == Self::WebhookEd25519 {
            return SigningKey::standard_webhooks_ed25519(text);
        }
        if self.algorithm() == Algorithm::Ed25519 {
            let seed = ed25519_text::read_seed(text)?;
            return match self.scheme() {
                Scheme::Ed25519 => SigningKey::ed25519(&seed),
                Scheme::Cavage => SigningKey::cavage_ed25519(&seed),
                _ => SigningKey::message_ed25519(&seed),
            };
        }
        let secret = match (self, encoding.unwrap_or(self.encoding())) {
            (_, KeyEncoding::Hex) => Secret::from_hex(text),
            (Self::Webhook, KeyEncoding::Base64) => Secret::from_webhook_secret(text),
            (_, KeyEncoding::Base64) => Secret::from_base64(text),
            (Self::Webhook, KeyEncoding::Text) => Secret::from_webhook_text(text),
            (_, KeyEncoding::Text) => Secret::from_text(text),
        }?;
        Ok(match self {
            Self::MessageSignatures => SigningKey::message_hmac_sha256(&secret),
            Self::SigV4 => SigningKey::sigv4(&secret),
            Self::Webhook => SigningKey::standard_webhooks(&secret),
            Self::Cavage => SigningKey::cavage_hmac_sha256(&secret),
            Self::Drf => SigningKey::drf(&secret),
            _ => SigningKey::hmac_sha256(&secret),
        })
    }
}
