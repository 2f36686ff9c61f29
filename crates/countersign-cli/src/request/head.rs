//! Builds the head of a request from its parts.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};

use super::{MAX_HEADERS, unreadable::shown};

/// A head that is built line by line.
pub(super) struct HeadBuilder {
    headers: HeaderMap,
}

impl HeadBuilder {
    pub(super) fn new() -> Self {
        Self {
            headers: HeaderMap::new(),
        }
    }

    /// Adds a header line. White space around the value is removed, as a server does.
    pub(super) fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        if self.headers.len() >= MAX_HEADERS {
            return Err(format!("expected at most {MAX_HEADERS} headers"));
        }
        let shown_name = || shown(name);
        let name = HeaderName::from_bytes(name)
            .map_err(|_| format!("expected a header name, found \"{}\"", shown_name()))?;
        let value = HeaderValue::from_bytes(value.trim_ascii())
            .map_err(|_| format!("header {name}: expected a value without control characters"))?;
        self.headers
            .try_append(name, value)
            .map_err(|_| "expected fewer headers".to_owned())?;
        Ok(())
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Builds the head. The target is read as a server reads a request line.
    pub(super) fn finish(self, method: &[u8], target: &[u8]) -> Result<Parts, String> {
        let method = Method::from_bytes(method)
            .map_err(|_| format!("expected a method, found \"{}\"", shown(method)))?;
        let uri = Uri::try_from(target)
            .map_err(|_| format!("expected a request target, found \"{}\"", shown(target)))?;
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method;
        parts.uri = uri;
        parts.headers = self.headers;
        Ok(parts)
    }
}

/// Splits `name: value` at the colon.
pub(super) fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(at)?;
    Some((name, value.get(1..)?))
}
