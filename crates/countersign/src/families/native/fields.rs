use http::HeaderMap;

use crate::head::Field;

/// The header fields that every verification reads, covered or not, found in one pass. Faster than
/// a hash look-up of each.
#[derive(Debug, Default)]
pub(super) struct Fields<'r> {
    pub(super) host: Field<'r>,
    pub(super) x_date: Field<'r>,
    pub(super) x_content_sha256: Field<'r>,
    pub(super) x_nonce: Field<'r>,
    pub(super) content_type: Field<'r>,
    pub(super) content_encoding: Field<'r>,
}

impl<'r> Fields<'r> {
    #[inline]
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            let field = match name.as_str() {
                "host" => &mut fields.host,
                "x-date" => &mut fields.x_date,
                "x-content-sha256" => &mut fields.x_content_sha256,
                "x-nonce" => &mut fields.x_nonce,
                "content-type" => &mut fields.content_type,
                "content-encoding" => &mut fields.content_encoding,
                _ => continue,
            };
            field.occurs(value);
        }
        fields
    }
}
