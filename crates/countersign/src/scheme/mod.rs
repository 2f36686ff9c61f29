//! The schemes: how a caller and its signature stand on the wire.
//!
//! One folder holds one family of schemes, one file one step of its specification. A new family is a new folder and a row
//! in the table below: every `enum` and every `match` that must know of it is made from the table.

#[macro_use]
mod family;
mod accepted;
mod definition;
pub(crate) mod native;
pub(crate) mod sigv4;

pub use self::accepted::AcceptedScheme;
pub(crate) use self::{
    definition::Definition,
    family::{
        Carrier, CredentialsOfFamily, ProfileOfFamily, Refresh, SignatureHeaders, SignerOfFamily,
        SigningInput,
    },
};

/// The keyed state of HMAC-SHA256.
pub(crate) type Mac = hmac::Hmac<sha2::Sha256>;

families! {
    native: Native {
        /// `HMAC-SHA256`: a secret shared by caller and callee over the canonical request.
        HmacSha256 = native::HMAC_SHA256,
        /// `ED25519`: the caller's Ed25519 key over the same canonical request.
        Ed25519 = native::ED25519,
    }
    sigv4: SigV4 {
        /// `AWS4-HMAC-SHA256`: AWS Signature Version 4, in the `Authorization` header or in the URL.
        SigV4 = sigv4::SIGV4,
    }
}
