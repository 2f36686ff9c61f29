//! The body: its digest, and the check of one that arrives in pieces.

mod check;
mod digest;

pub(crate) use self::check::PayloadCheck;
pub use self::digest::PayloadDigest;
