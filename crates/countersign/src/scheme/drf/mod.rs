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
//! So a verifier is told [who sends what](DrfProfile), and [`Coverage::BodyOnly`](crate::Coverage::BodyOnly) says so of
//! what it lets through.
//!
//! - The head cannot be authenticated before the body is read.
//! - The signature is the replay identity: two requests with one timestamp, one body and so one signature are taken for the
//!   same request.

mod headers;
mod keys;
mod parse;
mod profile;
mod sign;
mod signature;
mod signed_text;

pub use self::{headers::DrfHeaders, profile::DrfProfile};
pub(crate) use self::{profile::Profile, sign::FamilySigner};
use super::Definition;
use crate::key::{Algorithm, ContentTypeRule, NonceRule};

pub(crate) const DRF: Definition = Definition {
    name: "X-HMAC-SHA256",
    algorithms: &[Algorithm::HmacSha256],
    // A secret here is a text, which holds less than its length.
    secret_len: 24..=usize::MAX,
    key_prefix: None,
    has_session_tokens: false,
    replay_identity: "the signature",
    // The signature stands for it.
    nonce: NonceRule::Required,
    content_type: ContentTypeRule::Exempt,
};
