//! Signs requests: one signer, the keys of one target, the signers of several targets.

mod authorities;
mod cavage;
mod distinct_keys;
mod drf;
mod message_signatures;
mod shared_signer;
mod signature;
mod signed_authority;
mod signer;
mod sigv4;
mod target_signers;
mod target_signers_builder;
mod text;
mod webhooks;

pub use self::{
    shared_signer::{SharedSigner, SignerKey},
    signature::Signature,
    signer::Signer,
    target_signers::TargetSigners,
    target_signers_builder::TargetSignersBuilder,
};
