//! Settings that a diagnosis tries in place of the verifier's own. Nothing that they accept is let
//! in: a diagnosis runs once the request is refused.

use super::{MessageSignaturesVerifySettings, UriScheme};

impl MessageSignaturesVerifySettings {
    /// The same settings without what a signature must cover, and for either algorithm.
    pub(crate) fn relaxed(&self) -> Self {
        let mut relaxed = self
            .clone()
            .insecure_require_only([])
            .insecure_allow_unsigned_content();
        relaxed.only = None;
        relaxed
    }

    /// The same settings for each scheme of a URI.
    pub(crate) fn for_each_uri_scheme(&self) -> [(UriScheme, Self); 2] {
        [UriScheme::Https, UriScheme::Http].map(|scheme| (scheme, self.clone().with_scheme(scheme)))
    }
}
