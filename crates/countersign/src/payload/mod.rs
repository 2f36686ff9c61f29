//! The body: its digest, and the check of one that arrives in pieces.

mod check;
mod declared;
mod digest;
mod payload;

pub(crate) use self::{check::PayloadCheck, declared::DeclaredPayload};
pub use self::{digest::PayloadDigest, payload::Payload};
