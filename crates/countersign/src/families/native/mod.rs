//! `HMAC-SHA256` and `ED25519`: Countersign's native schemes, over one canonical request.
//!
//! ```text
//! x-date: Fri, 02 Jan 2026 03:04:05 GMT
//! x-content-sha256: 64 lower-case hexadecimal digits of SHA-256(body)
//! x-nonce: 16 to 128 visible ASCII characters
//! authorization: HMAC-SHA256 credential=billing,
//!     signed-headers=host;x-date;x-content-sha256;x-nonce, signature=…       (on one line)
//! ```
//!
//! The signature covers the [canonical request](canonical_request). If it covers only the first
//! three headers, it is byte for byte the format of the article that this project started from.

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

/// The headers that every signature covers, in this order, first in the list.
pub(crate) const ALWAYS_COVERED: [&str; 3] = ["host", "x-date", "x-content-sha256"];
