//! The schemes: how a caller and its signature stand on the wire.
//!
//! One folder holds one family of schemes, one file one step of its specification. A new family is a new folder and a row
//! in the table below: every `enum` and every `match` that must know of it is made from the table.

#[macro_use]
mod family;
mod accepted;
mod algorithm;
mod content_type_rule;
mod definition;
pub(crate) mod drf;
pub(crate) mod message_signatures;
pub(crate) mod native;
mod nonce_rule;
mod sender;
pub(crate) mod sigv4;
pub(crate) mod webhooks;

pub use self::{
    accepted::AcceptedScheme, algorithm::Algorithm, content_type_rule::ContentTypeRule,
    nonce_rule::NonceRule,
};
pub(crate) use self::{
    definition::Definition,
    family::{
        Carrier, CredentialsOfFamily, ProfileOfFamily, Refresh, SignatureHeaders, SignerOfFamily,
        SigningInput,
    },
};

/// What a verifier is set to for one family, by the name of the family.
pub(crate) type NativeFamily = native::Profile;
pub(crate) type SigV4Family = sigv4::Profile;
pub(crate) type MessageSignaturesFamily = message_signatures::Profile;

families! {
    native: Native with Credentials {
        /// `HMAC-SHA256`: a secret shared by caller and callee over the canonical request.
        HmacSha256 = native::HMAC_SHA256,
        /// `ED25519`: the caller's Ed25519 key over the same canonical request.
        Ed25519 = native::ED25519,
    }
    drf: Drf {
        /// `X-HMAC-SHA256`: a shared secret over timestamp and body, as Django services sign. See
        /// [`DrfVerifySettings`](crate::DrfVerifySettings).
        Drf = drf::DRF,
    }
    webhooks: StandardWebhooks {
        /// Standard Webhooks: a secret or an Ed25519 key over id, timestamp and body. See
        /// [`StandardWebhooksVerifySettings`](crate::StandardWebhooksVerifySettings).
        StandardWebhooks = webhooks::STANDARD_WEBHOOKS,
    }
    message_signatures: MessageSignatures with Credentials {
        /// RFC 9421, HTTP Message Signatures, with a shared secret or an Ed25519 key of the caller.
        MessageSignatures = message_signatures::MESSAGE_SIGNATURES,
    }
    sigv4: SigV4 with Credentials {
        /// `AWS4-HMAC-SHA256`: AWS Signature Version 4, in the `Authorization` header or in the URL.
        SigV4 = sigv4::SIGV4,
    }
}
