//! The body: its digest, and the check of one that arrives in pieces.

mod check;
mod declared;
mod digest;
mod signed_payload;

pub(crate) use self::{check::PayloadCheck, declared::DeclaredPayload};
pub use self::{digest::PayloadDigest, signed_payload::Payload};
