use http::{Uri, request::Parts};

use super::refusal::Refusal;

/// The URI of the request line. Behind `Router::nest` the request's own URI has lost its prefix; the original one is
/// beside it.
///
/// The two must fit: the path that will be handled is the end of the path that is verified, and the query is the same.
/// Anything else means that something rewrote the URI between the routers.
pub(super) fn of(parts: &Parts) -> Result<&Uri, Refusal> {
    let Some(original) = original(parts) else {
        return Ok(&parts.uri);
    };
    let (path, current) = (original.path(), parts.uri.path());
    let fits = path.ends_with(current) || (current == "/" && is_nested(parts));
    if fits && original.query() == parts.uri.query() {
        Ok(original)
    } else {
        Err(Refusal::Misconfigured)
    }
}

#[cfg(feature = "axum")]
fn original(parts: &Parts) -> Option<&Uri> {
    let original = parts.extensions.get::<axum::extract::OriginalUri>()?;
    Some(&original.0)
}

/// Whether a router took a prefix away. The whole path may be the prefix: then `/`, which is not its end, is left.
#[cfg(feature = "axum")]
fn is_nested(parts: &Parts) -> bool {
    parts
        .extensions
        .get::<axum::extract::NestedPath>()
        .is_some()
}

#[cfg(not(feature = "axum"))]
fn original(_parts: &Parts) -> Option<&Uri> {
    None
}

#[cfg(not(feature = "axum"))]
fn is_nested(_parts: &Parts) -> bool {
    false
}
