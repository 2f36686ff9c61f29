use std::ops::Deref;

use http::{HeaderName, HeaderValue, request::Parts};

use crate::families::SignatureHeaders;

/// The headers that make a request a signed one.
#[derive(Clone, Debug)]
#[must_use = "a request is signed once the headers are on it"]
pub struct Signature(pub(super) SignatureHeaders);

impl Signature {
    /// The headers, `authorization` last.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.deref().iter().map(|(name, value)| (name, value))
    }

    /// Puts the headers on the request.
    pub fn apply(self, parts: &mut Parts) {
        for (name, value) in self.0 {
            parts.headers.insert(name, value);
        }
    }
}
