use http::{HeaderMap, HeaderName, Method, Uri, request::Parts};

use super::{Authority, Field};
use crate::error::Rejection;

/// The parts of a request head that a signature can be over: method, URI and headers.
///
/// The URI must be the one of the request line (for HTTP/2, of the pseudo-headers). Where a router has rewritten the
/// request's own URI, hand in the original one.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'r> {
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
}

impl<'r> RequestHead<'r> {
    /// A head made of its parts.
    pub const fn new(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap) -> Self {
        Self {
            method,
            uri,
            headers,
        }
    }

    /// The authority that the request was sent to: that of the URI (absolute form, `:authority`) or of `Host`. No forwarded
    /// header is read.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Malformed`](crate::RejectionKind::Malformed) if there is none, the two differ, `Host` is there
    /// twice, or the text is no authority.
    pub fn authority(&self) -> Result<&'r str, Rejection> {
        Authority::of(self).map(Authority::as_str)
    }

    /// The method.
    pub const fn method(&self) -> &'r Method {
        self.method
    }

    /// The URI of the request line.
    pub const fn uri(&self) -> &'r Uri {
        self.uri
    }

    /// The headers.
    pub const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// The [text](Field::text) of a header that may occur at most once.
    pub(crate) fn single(&self, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
        let field: Field<'r> = self.headers.get_all(name).iter().collect();
        field.text(name)
    }

    /// The text of a header that must occur once.
    pub(crate) fn required(&self, name: &HeaderName) -> Result<&'r str, Rejection> {
        let field: Field<'r> = self.headers.get_all(name).iter().collect();
        field.required_text(name)
    }
}

impl<'r> From<&'r Parts> for RequestHead<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self::new(&parts.method, &parts.uri, &parts.headers)
    }
}
