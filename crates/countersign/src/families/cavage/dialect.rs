use http::{HeaderName, header::DATE};

use super::signing_string::TargetLine;
use crate::head::Target;

/// A form of the draft, as a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The name in `Authorization`. Its case has no meaning (RFC 9110 section 11.1).
    pub(super) scheme_name: &'static str,
    /// Whether the parameters may be in the header `Signature`.
    pub(super) signature_header: bool,
    /// The parameter that names the key.
    pub(super) key_id: &'static str,
    /// The names that stand for the request target, each with its line. A signer uses the first.
    pub(super) targets: &'static [(&'static str, TargetLine)],
    /// The headers that can hold the signed date. A signer uses the first.
    pub(super) dates: &'static [HeaderName],
    /// The lines around those of the covered names.
    pub(super) frame: Frame,
    pub(super) signature_text: SignatureText,
    pub(super) signed_target: SignedTarget,
    /// Whether the draft's `(created)`, `(expires)` and `hs2019` exist.
    pub(super) has_times: bool,
}

/// The lines around those of the covered names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Bare,
    /// The key's name on a line before them, and a line break at the end.
    KeyIdFirst,
}

/// The text of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureText {
    Base64,
    /// Base64, percent-encoded with upper-case digits (RFC 3986 section 2.1).
    UrlEncoded,
}

/// The part of the target that the signed text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignedTarget {
    /// Path and query as sent.
    Whole,
    /// The decoded path alone: a target with escapes or a query is not signed.
    DecodedPath,
}

impl SignedTarget {
    /// Returns whether the signed text holds this target as sent.
    pub(super) fn holds(self, target: Target<'_>) -> bool {
        match self {
            Self::Whole => true,
            Self::DecodedPath => target.query.is_none() && !target.path.contains('%'),
        }
    }
}

static DATE_ALONE: [HeaderName; 1] = [DATE];
static DATES_OF_KONG: [HeaderName; 2] = [DATE, HeaderName::from_static("x-date")];

/// The draft itself.
pub(super) static DRAFT: Dialect = Dialect {
    scheme_name: "Signature",
    signature_header: true,
    key_id: "keyId",
    targets: &[("(request-target)", TargetLine::Named)],
    dates: &DATE_ALONE,
    frame: Frame::Bare,
    signature_text: SignatureText::Base64,
    signed_target: SignedTarget::Whole,
    has_times: true,
};

/// The plugin hmac-auth of Kong.
pub(super) static KONG: Dialect = Dialect {
    scheme_name: "hmac",
    signature_header: false,
    key_id: "username",
    targets: &[
        ("@request-target", TargetLine::Named),
        ("request-line", TargetLine::RequestLine),
    ],
    dates: &DATES_OF_KONG,
    frame: Frame::Bare,
    signature_text: SignatureText::Base64,
    signed_target: SignedTarget::Whole,
    has_times: false,
};

/// The plugin hmac-auth of Apache APISIX since 3.11.
pub(super) static APISIX: Dialect = Dialect {
    scheme_name: "Signature",
    signature_header: false,
    key_id: "keyId",
    targets: &[("@request-target", TargetLine::MethodAndTarget)],
    dates: &DATE_ALONE,
    frame: Frame::KeyIdFirst,
    signature_text: SignatureText::Base64,
    signed_target: SignedTarget::Whole,
    has_times: false,
};

/// The request signing of Tyk.
pub(super) static TYK: Dialect = Dialect {
    scheme_name: "Signature",
    signature_header: false,
    key_id: "keyId",
    targets: &[("(request-target)", TargetLine::Named)],
    dates: &DATE_ALONE,
    frame: Frame::Bare,
    signature_text: SignatureText::UrlEncoded,
    signed_target: SignedTarget::DecodedPath,
    has_times: false,
};
