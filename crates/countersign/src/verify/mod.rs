//! The verifier: a chain of types, each step consuming the one before.
//!
//! ```text
//! request head ──parse──▶ Claim ──authenticate(keys)──▶ AuthenticatedHead ──body──▶ Verified
//! ```

mod authenticated_head;
mod claim;
mod evidence;
mod parsed_head;
mod policy;
mod verified;
mod verifier;

pub use self::{
    authenticated_head::AuthenticatedHead,
    claim::Claim,
    evidence::Evidence,
    policy::HeadLimits,
    verified::{BodyState, Verified},
    verifier::{Verifier, VerifierBuilder},
};
pub(crate) use self::{parsed_head::ParsedHead, policy::VerifyPolicy};
