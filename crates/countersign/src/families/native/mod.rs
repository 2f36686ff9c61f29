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

mod authorization;
mod canonical_request;
mod content_sha256;
mod credentials;
mod fields;
mod parse;
mod sign;
mod signed_headers;
mod verifier;

use http::HeaderName;

pub(crate) use self::{credentials::Credentials, sign::FamilySigner, verifier::FamilyVerifier};

pub(crate) static X_DATE: HeaderName = HeaderName::from_static("x-date");
pub(crate) static X_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");

/// The headers that every signature covers, in this order, at the head of the list.
pub(crate) const ALWAYS_COVERED: [&str; 3] = ["host", "x-date", "x-content-sha256"];
