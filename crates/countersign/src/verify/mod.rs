//! The verifier: a chain of types, each step made only by the one before.
//!
//! ```text
//! request head ──parse──▶ UnverifiedHead ──authenticate(keys)─┬▶ AuthenticatedHead ──body──▶ Verified
//!                                                             └▶ PendingBody ───────────body──▶ Verified
//! ```

mod authenticated_head;
mod authentication;
mod detached_head;
mod evidence;
mod freshness;
mod mismatch;
mod missing_signature;
mod parsed_head;
mod pending_body;
mod replay_identity;
mod requirements;
mod signed_text;
mod unverified_head;
mod verified;
mod verifier;

pub use self::{
    authenticated_head::AuthenticatedHead,
    authentication::Authentication,
    detached_head::DetachedHead,
    evidence::Evidence,
    pending_body::PendingBody,
    requirements::HeadLimits,
    unverified_head::UnverifiedHead,
    verified::{BodyState, Coverage, Verified},
    verifier::{Verifier, VerifierBuilder},
};
pub(crate) use self::{
    freshness::Freshness,
    mismatch::Mismatch,
    parsed_head::{ParsedHead, SignedOver},
    pending_body::{BodySignature, SignedBody},
    replay_identity::ReplayIdentity,
    requirements::{Requirements, ensure_window},
    signed_text::{OtherText, SignedText},
};
