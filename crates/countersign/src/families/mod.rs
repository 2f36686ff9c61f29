//! The families of schemes: how a request carries its caller and signature.
//!
//! Each folder holds one family, each file one step of its specification. A new family needs a
//! folder and a variant of the three enums here: `FamilyVerifier`, `Credentials`, `FamilySigner`.

mod accepted_scheme;
mod caller_routes;
mod carrier;
pub(crate) mod cavage;
mod coverage;
pub(crate) mod drf;
mod family_credentials;
mod family_signer;
mod family_verifier;
mod freshness;
pub(crate) mod message_signatures;
pub(crate) mod native;
mod nonce;
mod parsed_head;
mod replay_identity;
mod requirements;
mod signed_body;
mod signing_input;
mod signing_text;
pub(crate) mod sigv4;
pub(crate) mod webhooks;

pub use self::{
    accepted_scheme::AcceptedScheme, coverage::Coverage, nonce::Nonce, signing_text::SigningText,
};
pub(crate) use self::{
    caller_routes::{CallerRoutes, CallerSettings, Callers},
    carrier::Carrier,
    family_credentials::{Credentials, CredentialsOfFamily},
    family_signer::{FamilySigner, SignerOfFamily},
    family_verifier::{FamilyVerifier, VerifierOfFamily, stale_parameter},
    freshness::{FreshDate, Freshness},
    nonce::X_NONCE,
    parsed_head::{Decides, ParsedHead, SignedOver},
    replay_identity::ReplayIdentity,
    requirements::{Requirements, ensure_window},
    signed_body::{BodySignature, SignedBody},
    signing_input::{Refresh, SignatureHeaders, SigningInput},
};
