//! The cryptographic primitives, each in a type or function of this crate.
//!
//! No other module names the crates that implement them, so another provider is added here only.
//! Every state that holds a secret is wiped on drop.

mod constant_time;
mod ecdsa;
pub(crate) mod ed25519;
pub(crate) mod hkdf_sha256;
pub(crate) mod hmac_sha256;
pub(crate) mod random;
#[cfg(feature = "rsa")]
pub(crate) mod rsa_signature;
#[cfg(feature = "sigv4-chunked")]
pub(crate) mod sha1;
pub(crate) mod sha256;
pub(crate) mod sha512;

pub(crate) use self::{
    constant_time::constant_time_eq,
    ecdsa::{ecdsa_p256, ecdsa_p384},
};
