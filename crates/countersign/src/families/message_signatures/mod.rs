//! HTTP Message Signatures (RFC 9421) with `Content-Digest` (RFC 9530).
//!
//! ```text
//! Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
//! Signature-Input: sig1=("@method" "@authority" "@path" "@query" "content-digest");created=1767323045;nonce="…";keyid="billing"
//! Signature: sig1=:…:
//! ```
//!
//! What is signed is the [signature base](signature_base): one line for each component and its value, then the list
//! itself. The RFC leaves to the application what must be on the list; [`MessageSignaturesVerifySettings`] says it. The head is
//! authenticated before the body is read, which is then compared with the covered digest; the `nonce` parameter is the
//! replay identity.
//!
//! Where the RFC leaves a choice or this is stricter:
//!
//! - `created` and `keyid` are required, unknown parameters refused, and so are strings with escapes: no value that is
//!   read needs one.
//! - `Signature-Input`, `Signature` and `Content-Digest` may each stand on several lines, whose members are those of one
//!   dictionary; a member that comes twice is refused, in place of the last one counting.
//! - A byte sequence may lack its padding, as RFC 9651 section 4.2.7 allows; what counts is the bytes.
//! - `created` may be as far ahead of the clock as behind it: one window holds for all schemes.
//! - A label in one of the two fields only is refused, as section 4.2 says.
//! - Every other covered field may come several times and is signed joined by `, `, which is section 2.1; not so the
//!   fields of one value, such as `content-type`. `Host` must be there once.
//! - `"@request-target"` is path and query, also of an absolute form, which cannot be told from HTTP/2 here.
//! - `req` and `tr`, which belong to responses and trailers, are refused.
//! - A `"@query-param"` that is no UTF-8, or has a `%` without digits, is refused: such texts can become one when decoded.

mod accept_signature;
mod component_id;
mod content_digest;
mod covered_components;
mod covered_values;
mod credentials;
mod derived_component;
mod fields;
mod labeled_signature;
mod message;
mod parse;
mod query_param;
#[cfg(feature = "diagnose")]
mod relaxed;
mod serialized;
mod sign;
mod signature_base;
mod signature_input;
mod signature_params;
mod structured_field;
mod verify_settings;

use http::HeaderName;

pub use self::{
    component_id::ComponentId, message::UriScheme, sign::MessageSignaturesSignSettings,
    structured_field::StructuredType, verify_settings::MessageSignaturesVerifySettings,
};
pub(crate) use self::{
    credentials::Credentials, sign::MessageSignaturesSignSettings as FamilySigner,
    verify_settings::MessageSignaturesVerifySettings as FamilyVerifier,
};

static SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
static SIGNATURE: HeaderName = HeaderName::from_static("signature");
static CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
static ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");
