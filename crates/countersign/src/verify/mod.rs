//! The verifier: a chain of types, each made only from the one before.
//!
//! ```text
//! head ──parse──▶ UnverifiedHead ──authenticate(keys)─┬▶ AuthenticatedHead ──body──▶ Verified
//!                                                     └▶ PendingBody ───────────body──▶ Verified
//! ```

mod asserted;
mod authenticated_head;
mod authentication;
mod body_check;
#[cfg(feature = "sigv4-chunked")]
mod chunk_check;
mod content_check;
mod detached_head;
mod evidence;
mod head_verified;
mod missing_signature;
mod pending_body;
#[cfg(feature = "diagnose")]
mod signed_text;
mod unverified_head;
mod verified;
mod verifier;

#[cfg(feature = "diagnose")]
pub(crate) use self::signed_text::{OtherText, SignedText};
pub use self::{
    asserted::Asserted,
    authenticated_head::AuthenticatedHead,
    authentication::Authentication,
    body_check::BodyCheck,
    detached_head::DetachedHead,
    evidence::Evidence,
    head_verified::HeadVerified,
    pending_body::PendingBody,
    unverified_head::UnverifiedHead,
    verified::Verified,
    verifier::{Verifier, VerifierBuilder},
};
