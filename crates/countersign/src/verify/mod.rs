//! The verifier: a chain of types, each step made only by the one before.
//!
//! ```text
//! request head ──parse──▶ Claim ──authenticate(keys)─┬▶ AuthenticatedHead ──body──▶ Verified
//!                                                    └▶ BodyMac ───────────body──▶ Verified
//! ```

mod authenticated_head;
mod authentication;
mod body_mac;
mod claim;
mod detached_head;
mod evidence;
mod freshness;
mod mismatch;
mod missing_signature;
mod parsed_head;
mod policy;
mod replay_identity;
mod signed_text;
mod verified;
mod verifier;

pub use self::{
    authenticated_head::AuthenticatedHead,
    authentication::Authentication,
    body_mac::BodyMac,
    claim::Claim,
    detached_head::DetachedHead,
    evidence::Evidence,
    policy::HeadLimits,
    verified::{BodyState, Coverage, Verified},
    verifier::{Verifier, VerifierBuilder},
};
pub(crate) use self::{
    body_mac::{BodySignature, SignedBody},
    freshness::Freshness,
    mismatch::Mismatch,
    parsed_head::{ParsedHead, Proof},
    policy::{VerifyPolicy, ensure_window},
    replay_identity::ReplayIdentity,
    signed_text::{OtherText, SignedText},
};
