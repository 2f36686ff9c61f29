//! The cryptographic primitives, each behind a type or function of ours.
//!
//! No other room names the crates that implement them. Another provider is added here, and here
//! alone. Every state that holds a secret is wiped when it is dropped.

mod constant_time;
pub(crate) mod ed25519;
pub(crate) mod hkdf_sha256;
pub(crate) mod hmac_sha256;
pub(crate) mod random;
pub(crate) mod sha256;
pub(crate) mod sha512;

pub(crate) use self::constant_time::constant_time_eq;
