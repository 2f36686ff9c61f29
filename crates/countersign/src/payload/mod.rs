//! The body: its digest, and the check of a body that arrives in pieces.

mod body_state;
mod check;
mod declared;
mod digest;
mod signed_payload;

pub use self::{body_state::BodyState, digest::PayloadDigest, signed_payload::Payload};
pub(crate) use self::{check::PayloadCheck, declared::DeclaredPayload};
