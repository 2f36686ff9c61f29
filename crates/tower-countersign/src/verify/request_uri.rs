use http::{Extensions, Uri, request::Parts};

use crate::refusal::Refusal;

/// The URI of the request line. Behind `Router::nest` the request's own URI has lost its prefix; the original one is
/// beside it.
///
/// The two must fit: the path that will be handled is the one that is verified without as many segments at its start as
/// the routers are nested deep, and the query is the same. Anything else means that something rewrote the URI between the
/// routers.
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

/// Whether a request for this path, now with this URI, is still a request for it: nothing but nested routers has taken
/// anything away.
pub(crate) fn is_handled_as(path: &str, current: &Uri, extensions: &Extensions) -> bool {
    let current = current.path();
    match nested_at(extensions) {
        None => path == current,
        // The whole path may be the prefix: then `/`, which is not its end, is left.
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

/// The pattern of the prefix that the routers took away. A capture in it stands for one segment.
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
