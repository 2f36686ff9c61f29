use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, request::Parts};

use crate::error::{Rejection, RejectionKind};

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

    pub(crate) const fn method(&self) -> &'r Method {
        self.method
    }

    pub(crate) const fn uri(&self) -> &'r Uri {
        self.uri
    }

    pub(crate) const fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// The text of a header that may occur at most once.
    ///
    /// Refused are a second occurrence, even an equal one, and bytes outside visible ASCII, space and tab: another
    /// reader would take another value from them.
    pub(crate) fn single(&self, name: &HeaderName) -> Result<Option<&'r str>, Rejection> {
        let mut values = self.headers.get_all(name).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let malformed = |problem| Rejection::header(RejectionKind::Malformed, name, problem);
        if values.next().is_some() {
            return Err(malformed("expected once, found more than once"));
        }
        match ascii(value) {
            Some(text) => Ok(Some(text)),
            None => Err(malformed("expected visible ASCII, found another byte")),
        }
    }

    /// The text of a header that must occur once.
    pub(crate) fn required(&self, name: &HeaderName) -> Result<&'r str, Rejection> {
        self.single(name)?.ok_or_else(|| {
            Rejection::header(RejectionKind::Malformed, name, "expected once, found none")
        })
    }
}

/// The text of a header value that is visible ASCII, space and tab.
///
/// That is what `HeaderValue::to_str` says, byte by byte. A header value holds no other control character, so that it is
/// enough to ask for ASCII, which takes many bytes at a time.
pub(crate) fn ascii(value: &HeaderValue) -> Option<&str> {
    str::from_utf8(value.as_bytes())
        .ok()
        .filter(|text| text.is_ascii())
}

impl<'r> From<&'r Parts> for RequestHead<'r> {
    fn from(parts: &'r Parts) -> Self {
        Self::new(&parts.method, &parts.uri, &parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_text_exactly_where_the_http_crate_says_so() {
        for byte in 0..=u8::MAX {
            for bytes in [vec![byte], vec![b'a', byte, b'b']] {
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    assert_eq!(ascii(&value), value.to_str().ok(), "{bytes:?}");
                }
            }
        }
    }
}
