use http::{Extensions, Uri, request::Parts};

use crate::refusal::Refusal;

/// Returns the URI of the request line. `Router::nest` strips a prefix from the request's URI and
/// keeps the original URI in the extensions.
///
/// The two URIs must agree. The handled path must be the original path without its leading
/// segments, as many as the nesting has. The query must be the same. Otherwise something between
/// the routers has rewritten the URI.
pub(super) fn of(parts: &Parts) -> Result<&Uri, Refusal> {
    let Some(original) = original(&parts.extensions) else {
        return Ok(&parts.uri);
    };
    let fits = is_handled_as(original.path(), &parts.uri, &parts.extensions);
    if fits && original.query() == parts.uri.query() {
        Ok(original)
    } else {
        Err(Refusal::Misconfigured)
    }
}

/// Returns whether a request for `path` is still a request for it, now with the URI `current`. Only
/// nested routers may have stripped a prefix.
pub(crate) fn is_handled_as(path: &str, current: &Uri, extensions: &Extensions) -> bool {
    let current = current.path();
    match nested_at(extensions) {
        None => path == current,
        // If the prefix is the whole path, `/` is left, which is not the end of that path.
        Some(prefix) => path
            .strip_suffix(current)
            .or_else(|| (current == "/").then_some(path))
            .is_some_and(|taken| segments(taken) == segments(prefix.trim_end_matches('/'))),
    }
}

#[cfg(feature = "axum")]
fn original(extensions: &Extensions) -> Option<&Uri> {
    let original = extensions.get::<axum::extract::OriginalUri>()?;
    Some(&original.0)
}

/// Returns the pattern of the prefix that the routers stripped. A capture in the pattern matches
/// one segment.
#[cfg(feature = "axum")]
fn nested_at(extensions: &Extensions) -> Option<&str> {
    let nested = extensions.get::<axum::extract::NestedPath>()?;
    Some(nested.as_str())
}

#[cfg(not(feature = "axum"))]
fn original(_extensions: &Extensions) -> Option<&Uri> {
    None
}

#[cfg(not(feature = "axum"))]
fn nested_at(_extensions: &Extensions) -> Option<&str> {
    None
}

fn segments(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}
