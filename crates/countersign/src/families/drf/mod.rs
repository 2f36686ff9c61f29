//! `X-HMAC-SHA256`, the DRF profile: a shared secret over timestamp and body, as Django services sign.
//!
//! ```text
//! X-HMAC-Timestamp: 1 to 12 decimal digits, seconds since 1970
//! X-HMAC-Signature: 64 lower-case hexadecimal digits of HMAC-SHA256(secret, timestamp "." body)
//! ```
//!
//! The secret is a text, whose UTF-8 bytes are the key: 64 hexadecimal digits are a key of 64 bytes here. The names of the
//! two headers are conventions and [can be set](DrfHeaders).
//!
//! **Nothing but the timestamp and the body is signed**: no method, path, query, host or header, and no name of the caller.
//! So a verifier is told [who sends what](DrfVerifySettings), and [`Coverage::BodyOnly`](crate::Coverage::BodyOnly) says so of
//! what it lets through.
//!
//! - The head cannot be authenticated before the body is read.
//! - The signature is the replay identity: two requests with one timestamp, one body and so one signature are taken for the
//!   same request. The identity leaves out method and target on purpose: whoever captures a signature could otherwise
//!   send it once to every other route of its caller. [`DrfVerifySettings::insecure_replay_once_per_route`] gives that up.
//!
//! # Requests that are alike
//!
//! Two honest requests within one second, such as two GETs without a body, have one signature. A [`Signer`](crate::Signer)
//! of this crate makes no signature twice. A request whose signature it made before gets another one and a nonce:
//!
//! ```text
//! X-HMAC-Timestamp: 01767323045                 (a zero in front says that there is a nonce)
//! X-HMAC-Signature: HMAC-SHA256(secret, timestamp "." body)
//! X-HMAC-Nonce: HMAC-SHA256(secret, "nonce" LF nonce LF signature) ":" nonce
//! ```
//!
//! - The nonce is then the replay identity. The zero is part of the signed text, so that nobody can take the nonce away and
//!   pass the rest off as a request without one.
//! - Receivers that know no nonce read the same number: `int("01767323045")` in Python, and what stands for it elsewhere.
//! - Processes that share a secret do not know of each other's requests.
//!   [`Signer::with_nonce_always`](crate::Signer::with_nonce_always) is for them.

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
pub(crate) use self::{
    sign::FamilySigner, signed_nonce::SignedNonce, verify_settings::FamilyVerifier,
};
