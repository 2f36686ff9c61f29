//! Settings that a diagnosis tries in place of the verifier's own. They admit no request: a
//! diagnosis runs only after the refusal.

use super::{MessageSignaturesVerifySettings, UriScheme};
use crate::scheme::AlgorithmSet;

impl MessageSignaturesVerifySettings {
    /// Returns the same settings without required coverage, for either algorithm.
    pub(crate) fn relaxed(&self) -> Self {
        let mut relaxed = self
            .clone()
            .insecure_require_only([])
            .insecure_allow_unsigned_content();
        relaxed.algorithms = AlgorithmSet::ALL;
        relaxed
    }

    /// Yields the same settings for each URI scheme.
    pub(crate) fn for_each_uri_scheme(&self) -> [(UriScheme, Self); 2] {
        [UriScheme::Https, UriScheme::Http].map(|scheme| (scheme, self.clone().with_scheme(scheme)))
    }
}
