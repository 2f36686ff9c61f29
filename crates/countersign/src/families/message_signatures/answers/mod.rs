//! Signed responses, each bound to its request (RFC 9421 section 2.4).
//!
//! ```text
//! Signature-Input: res1=("@status" "content-type" "content-digest"
//!     "@method";req "@authority";req "@path";req "@query";req "signature-input";req;key="sig1")
//!     ;created=1767323045;keyid="user-service";tag="countersign-response"      (on one line)
//! ```
//!
//! A signature covers:
//!
//! - `"@status"`,
//! - `"@method" "@authority" "@path" "@query"` of the request, as the service verified them,
//! - `content-type`, `content-encoding`, `content-range` and `location` of the response if present,
//! - `content-digest` of the response if there is content,
//! - `content-digest` of the request if present,
//! - what tells the request from all others. For RFC 9421 that is `"signature-input";req` of the
//!   caller's own label, which holds the nonce. For the native schemes it is `"x-nonce";req`, with
//!   `"x-content-sha256";req` if present. For SigV4 without a nonce it is `"authorization";req`.
//!
//! The request's signature itself is not covered: a key can be made to match a known signature (RFC
//! 9421 section 7.3.7).
//!
//! The nonce makes an answer fresh: it fits one request in flight, so nothing is remembered. The
//! window around `created` is a second check.

mod answer_error;
mod authenticated;
mod binding;
mod signer;
mod verifier;

use std::sync::LazyLock;

use http::{
    HeaderName, Method, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, LOCATION},
};

pub(crate) use self::binding::Unique;
pub use self::{
    answer_error::{AnswerError, AnswerErrorKind},
    authenticated::AuthenticatedAnswer,
    binding::ResponseBinding,
    signer::{ResponseSignature, ResponseSigner},
    verifier::ResponseVerifier,
};
use super::{structured_field::StructuredType, verify_settings::known_fields};

/// The tag by which a client finds the signature.
const TAG: &str = "countersign-response";

/// The fields that are covered if the response has them.
static COVERED_IF_PRESENT: [HeaderName; 4] =
    [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_RANGE, LOCATION];

/// The types of the structured fields that a signature may cover in part.
static STRUCTURED_FIELDS: LazyLock<Vec<(HeaderName, StructuredType)>> = LazyLock::new(known_fields);

/// Returns whether a response has no content, whatever its fields say (RFC 9110 section 6.4.1).
fn never_has_content(request: &Method, status: StatusCode) -> bool {
    request == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
