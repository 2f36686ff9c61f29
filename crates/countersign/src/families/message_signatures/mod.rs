//! HTTP Message Signatures (RFC 9421) with `Content-Digest` (RFC 9530).
//!
//! ```text
//! Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
//! Signature-Input: sig1=("@method" "@authority" "@path" "@query" "content-digest")
//!     ;created=1767323045;nonce="…";keyid="billing"          (on one line)
//! Signature: sig1=:…:
//! ```
//!
//! Signs the [signature base](signature_base): one line for each component and its value, then the
//! component list itself. The RFC leaves the required components to the application;
//! [`MessageSignaturesVerifySettings`] sets them.
//! The head is authenticated before the body is read. The body is then compared with the covered
//! digest. The `nonce` parameter is the replay identity.
//!
//! A dialect of the RFC, such as that of curl or of Web Bot Auth, is a value of the settings: see
//! [`rules`] for what they are made of, and [`dialects`] for the values.
//!
//! Choices that the RFC leaves open, and stricter rules:
//!
//! - `created` and `keyid` are required. Unknown parameters are refused, and strings with escapes,
//!   except in a `keyid` of a dialect that has such.
//! - `Signature-Input`, `Signature` and `Content-Digest` may have several lines, whose members form
//!   one dictionary. A repeated member is refused; by the RFC the last one would count.
//! - A byte sequence may lack its padding (RFC 9651 section 4.2.7). Only its bytes are compared.
//! - `created` may be before or after the clock by the same distance: all schemes share one window.
//! - A label in only one of the two fields is refused (section 4.2).
//! - Any other covered field may have several lines and is signed joined by `, ` (section 2.1).
//!   Fields of one value, such as `content-type`, may not. `Host` must be present once.
//! - `"@request-target"` is path and query, even for an absolute form: it cannot be told apart from
//!   HTTP/2 here.
//! - `tr` belongs to trailers and is refused. `req` belongs to [responses](answers).
//! - A `"@query-param"` that is not UTF-8, or has a `%` without two digits, is refused: decoding
//!   could make two such texts equal.

mod accept_signature;
mod answers;
mod base64url_bytes;
mod component_id;
mod content_digest;
mod covered_components;
mod covered_values;
mod credentials;
mod derived_component;
#[cfg(test)]
mod dialect_rules;
#[cfg(test)]
mod dialect_suites;
mod dialects;
mod fields;
mod labeled_signature;
mod message;
mod normal_uri;
mod parse;
mod query_param;
#[cfg(feature = "diagnose")]
mod relaxed;
mod rules;
mod serialized;
mod sign;
mod signature_agent;
mod signature_base;
mod signature_input;
mod signature_params;
mod structured_field;
mod verify_settings;

use http::HeaderName;

pub(crate) use self::{
    answers::Unique, credentials::Credentials, sign::MessageSignaturesSignSettings as FamilySigner,
    verify_settings::MessageSignaturesVerifySettings as FamilyVerifier,
};
pub use self::{
    answers::{
        AnswerError, AnswerErrorKind, AuthenticatedAnswer, ResponseBinding, ResponseSignature,
        ResponseSigner, ResponseVerifier,
    },
    component_id::ComponentId,
    message::UriScheme,
    sign::MessageSignaturesSignSettings,
    structured_field::StructuredType,
    verify_settings::MessageSignaturesVerifySettings,
};

static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
static SIGNATURE: HeaderName = HeaderName::from_static("signature");
static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
static SIGNATURE_AGENT: HeaderName = HeaderName::from_static("signature-agent");
static ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");
