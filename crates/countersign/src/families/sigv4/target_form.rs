use super::{
    canonical_query::{self, CanonicalQuery},
    canonical_uri, query_parameters,
    verify_settings::{SigV4VerifySettings, Strictness},
};
use crate::{
    error::{Escaped, Rejection, reason},
    head::Target,
};

/// Refuses targets that a router or a handler may read differently from the signer.
pub(super) fn ensure_unambiguous(
    settings: &SigV4VerifySettings,
    target: Target<'_>,
    query: &CanonicalQuery<'_>,
) -> Result<(), Rejection> {
    if settings.paths == Strictness::Strict && !canonical_uri::is_canonical(target.path) {
        return Err(Rejection::malformed(
            "path: expected no dot segments, no empty segments and no escaped dots or slashes; \
             SigV4VerifySettings::insecure_accept_noncanonical_paths accepts them",
        ));
    }
    if settings.paths == Strictness::Strict
        && !canonical_uri::is_spelled_as_signed(target.path, settings.scope.path.encoding)
    {
        return Err(Rejection::malformed(
            "path: expected unreserved characters as they are, and of all others % and upper-case \
             digits; SigV4VerifySettings::insecure_accept_noncanonical_paths accepts other \
             spellings",
        ));
    }
    let text = target.query.unwrap_or_default();
    if settings.queries == Strictness::Strict && !canonical_query::is_unambiguous(text) {
        return Err(Rejection::malformed(
            "query: expected parameters with names, and %2B or %20 in place of +; \
             SigV4VerifySettings::insecure_accept_ambiguous_queries accepts others",
        ));
    }
    // The signature's own parameters are exempt: only this parser reads them.
    if settings.query_escapes == Strictness::Strict
        && let Some(name) = query.name_escaped_otherwise(&query_parameters::NAMES)
    {
        return Err(Rejection::malformed(reason!(
            "query: expected %3B for a semicolon, ASCII, and upper-case escapes of what needs one, \
             found another spelling in the parameter {}; \
             SigV4VerifySettings::insecure_accept_noncanonical_queries accepts it",
            Escaped::text(name)
        )));
    }
    if settings.query_names == Strictness::Strict
        && let Some(name) = query.repeated_name()
    {
        return Err(Rejection::malformed(reason!(
            "query: expected each name once, found {} twice; \
             SigV4VerifySettings::insecure_accept_repeated_query_names accepts it",
            Escaped::text(name)
        )));
    }
    Ok(())
}
