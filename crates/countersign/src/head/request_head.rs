use http::{HeaderMap, HeaderName, Method, Uri, request::Parts};

use super::{Authority, Field};
use crate::error::Rejection;

/// The parts of a request head that a signature can cover: method, URI and headers.
///
/// `uri` must be that of the request line (in HTTP/2, of the pseudo-headers). If a router has
/// rewritten the request's URI, pass the original one.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'r> {
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
}

impl<'r> RequestHead<'r> {
    /// Makes a head from its parts.
    pub const fn new(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap) -> Self {
        Self {
            method,
            uri,
            headers,
        }
    }

    /// Returns the authority that the request was sent to: that of the URI (absolute form,
    /// `:authority`) or of `Host`. Forwarded headers are ignored.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Malformed`](crate::RejectionKind::Malformed) if there is no authority, the
    /// two differ, `Host` occurs twice, or the text is not an authority.
    pub fn authority(&self) -> Result<&'r str, Rejection> {
        Authority::of(self).map(Authority::as_str)
    }

    /// Returns the method.
    pub const fn method(&self) -> &'r Method {
        self.method
    }

    /// Returns the URI of the request line.
    pub const fn uri(&self) -> &'r Uri {
        self.uri
    }

    /// Returns the headers.
    pub const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// Returns the [text](Field::text) of a header that may occur at most once.
    pub(crate) fn single(&self, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
        let field: Field<'r> = self.headers.get_all(name).iter().collect();
        field.text(name)
    }

    /// Returns the text of a header that must occur exactly once.
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
