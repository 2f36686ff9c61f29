use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;

use crate::head::Field;

/// The lines of one field, in order.
pub(super) type Lines<'r> = SmallVec<[&'r HeaderValue; 2]>;

/// The header fields that every verification reads, covered or not, found in one pass. Faster than
/// a hash look-up of each.
#[derive(Debug, Default)]
pub(super) struct Fields<'r> {
    pub(super) host: Field<'r>,
    pub(super) signature_input: Lines<'r>,
    pub(super) signature: Lines<'r>,
    pub(super) content_digest: Lines<'r>,
    /// The first of the lines.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_line_in_its_order() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("signature", "1"),
            ("host", "a"),
            ("content-length", "2"),
            ("signature-input", "3"),
            ("signature", "4"),
            ("content-digest", "5"),
            ("content-length", "6"),
            ("content-digest", "7"),
            ("x-signature", "8"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let fields = Fields::of(&headers);
        assert_eq!(fields.signature.as_slice(), ["1", "4"]);
        assert_eq!(fields.signature_input.as_slice(), ["3"]);
        assert_eq!(fields.content_digest.as_slice(), ["5", "7"]);
        assert_eq!(fields.content_length.unwrap(), "2");
        assert!(matches!(fields.host, Field::Once(host) if host == "a"));
        assert!(!fields.has_content_type && !fields.has_content_encoding);
        let mut more = headers.clone();
        more.append("content-type", HeaderValue::from_static(""));
        more.append("content-encoding", HeaderValue::from_static(""));
        more.append("host", HeaderValue::from_static("a"));
        let fields = Fields::of(&more);
        assert!(fields.has_content_type && fields.has_content_encoding);
        assert!(matches!(fields.host, Field::Repeated(2)));
    }
}
