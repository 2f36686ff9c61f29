//! `HMAC-SHA256` and `ED25519`: this project's own schemes, over one canonical request.
//!
//! ```text
//! x-date: Fri, 02 Jan 2026 03:04:05 GMT
//! x-content-sha256: 64 lower-case hexadecimal digits of SHA-256(body)
//! x-nonce: 16 to 128 visible ASCII characters
//! authorization: HMAC-SHA256 credential=billing, signed-headers=host;x-date;x-content-sha256;x-nonce, signature=…
//! ```
//!
//! The signature is over the [canonical request](canonical_request). With only the first three headers covered it is
//! byte for byte the format of the article that the project comes from.

pub(super) mod authorization;
pub(super) mod canonical_request;
mod content_sha256;
mod credentials;
mod fields;
mod nonce;
mod parse;
mod profile;
mod sign;
mod signed_headers;

use http::HeaderName;

pub use self::nonce::Nonce;
pub(crate) use self::{credentials::Credentials, profile::Profile, sign::FamilySigner};
use super::Definition;
use crate::scheme::{Algorithm, ContentTypeRule, NonceRule};

pub(crate) const HMAC_SHA256: Definition = Definition {
    name: "HMAC-SHA256",
    algorithms: &[Algorithm::HmacSha256],
    // RFC 2104 section 3: at least the length of the hash.
    secret_len: 32..=usize::MAX,
    key_prefix: None,
    has_session_tokens: false,
    replay_identity: "x-nonce",
    nonce: NonceRule::Required,
    content_type: ContentTypeRule::CoveredIfPresent,
};

pub(crate) const ED25519: Definition = Definition {
    name: "ED25519",
    algorithms: &[Algorithm::Ed25519],
    secret_len: 32..=32,
    key_prefix: None,
    has_session_tokens: false,
    replay_identity: "x-nonce",
    nonce: NonceRule::Required,
    content_type: ContentTypeRule::CoveredIfPresent,
};

pub(crate) static X_DATE: HeaderName = HeaderName::from_static("x-date");
pub(crate) static X_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
pub(crate) static X_NONCE: HeaderName = HeaderName::from_static("x-nonce");

/// The headers that every signature covers, in this order, at the head of the list.
pub(crate) const ALWAYS_COVERED: [&str; 3] = ["host", "x-date", "x-content-sha256"];
