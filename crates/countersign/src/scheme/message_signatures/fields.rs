use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;

use crate::head::Field;

/// The lines of one field, in their order.
pub(super) type Lines<'r> = SmallVec<[&'r HeaderValue; 2]>;

/// The header fields that a verifier reads whatever a signature covers, found in one pass: a look-up of each by its hash
/// takes longer.
#[derive(Debug, Default)]
pub(super) struct Fields<'r> {
    pub(super) host: Field<'r>,
    pub(super) signature_input: Lines<'r>,
    pub(super) signature: Lines<'r>,
    pub(super) content_digest: Lines<'r>,
    /// The first of them.
    pub(super) content_length: Option<&'r HeaderValue>,
    pub(super) has_content_type: bool,
    pub(super) has_content_encoding: bool,
}

impl<'r> Fields<'r> {
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "host" => fields.host.occurs(value),
                "signature-input" => fields.signature_input.push(value),
                "signature" => fields.signature.push(value),
                "content-digest" => fields.content_digest.push(value),
                "content-length" => {
                    fields.content_length.get_or_insert(value);
                }
                "content-type" => fields.has_content_type = true,
                "content-encoding" => fields.has_content_encoding = true,
                _ => {}
            }
        }
        fields
    }
}
