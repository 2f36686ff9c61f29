//! The headers that tell an upstream who called.

mod header;
mod proof;

pub(crate) use self::header::Identity;
