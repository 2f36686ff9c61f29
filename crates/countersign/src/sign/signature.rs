use std::ops::Deref;

use http::{HeaderName, HeaderValue, request::Parts};

use crate::families::SignatureHeaders;

/// The headers of a signature, to be added to the request.
#[derive(Clone, Debug)]
#[must_use = "a request is signed once the headers are on it"]
pub struct Signature(pub(super) SignatureHeaders);

impl Signature {
    /// Returns the headers, `authorization` last.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.deref().iter().map(|(name, value)| (name, value))
    }

    /// Adds the headers to the request.
    pub fn apply(self, parts: &mut Parts) {
        for (name, value) in self.0 {
            parts.headers.insert(name, value);
        }
    }
}
