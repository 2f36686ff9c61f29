use std::borrow::Cow;

use crate::Scheme;

/// What a request head asserts about its signature. Returned by
/// [`Verifier::asserted`](crate::Verifier::asserted).
///
/// For logs and metrics only: unauthenticated, possibly malformed.
#[derive(Clone, Debug)]
pub struct Asserted<'r> {
    pub(super) scheme: Scheme,
    pub(super) key_id: Option<Cow<'r, str>>,
}

impl<'r> Asserted<'r> {
    /// Returns the scheme, one of those that the verifier accepts.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the key id, or `None` if the head has none.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the key id, or `None` if the head has none.
    pub fn into_key_id(self) -> Option<Cow<'r, str>> {
        self.key_id
    }
}
