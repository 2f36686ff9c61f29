//! `X-HMAC-SHA256`, the DRF scheme: signs timestamp and body with a shared secret, as Django
//! services do.
//!
//! ```text
//! X-HMAC-Timestamp: 1 to 12 decimal digits, seconds since 1970
//! X-HMAC-Signature: 64 lower-case hexadecimal digits of HMAC-SHA256(secret, timestamp "." body)
//! ```
//!
//! The key is the UTF-8 bytes of the secret: 64 hexadecimal digits form a key of 64 bytes. The
//! names of the two headers are conventions and [can be set](DrfHeaders).
//!
//! **Only the timestamp and the body are signed**: no method, path, query, host or header, and no
//! name of the caller. The [settings](DrfVerifySettings) therefore list the caller's requests, and
//! a verified request has [`Coverage::BodyOnly`](crate::Coverage::BodyOnly).
//!
//! - The head cannot be authenticated before the body is read.
//! - The signature is the replay identity: two requests with equal timestamp and body have one
//!   signature and count as one request. The identity leaves out method and target on purpose.
//!   Otherwise a captured signature could be sent once to every other route of the caller.
//!   [`DrfVerifySettings::insecure_replay_once_per_route`] gives this protection up.
//!
//! # Identical requests
//!
//! Two honest requests within one second, such as two GETs without a body, have one signature. A
//! [`Signer`](crate::Signer) of this crate never sends a signature twice. The repeated request gets
//! another signature and a nonce:
//!
//! ```text
//! X-HMAC-Timestamp: 01767323045                 (the leading zero announces a nonce)
//! X-HMAC-Signature: HMAC-SHA256(secret, timestamp "." body)
//! X-HMAC-Nonce: HMAC-SHA256(secret, "nonce" LF nonce LF signature) ":" nonce
//! ```
//!
//! - The nonce is then the replay identity. The zero is part of the signed text, so nobody can
//!   remove the nonce and send the rest as a request without one.
//! - Receivers without nonces read the same number: `int("01767323045")` in Python, and similar
//!   functions elsewhere.
//! - Processes that share a secret do not know each other's requests. They need
//!   [`Signer::with_nonce_always`](crate::Signer::with_nonce_always).

mod headers;
mod keys;
mod parse;
mod recent_signatures;
mod sign;
mod signature;
mod signed_nonce;
mod signed_text;
mod verify_settings;

pub use self::{headers::DrfHeaders, verify_settings::DrfVerifySettings};
pub(crate) use self::{sign::FamilySigner, signed_nonce::SignedNonce};
