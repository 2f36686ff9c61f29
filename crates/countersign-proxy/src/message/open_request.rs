//! The headers of a request that is forwarded unverified.

use http::{HeaderMap, HeaderName, header};

/// Headers that an open route gets. Any other could mean more to the upstream than the route that
/// was opened: a session, a forwarded user, or another method or URL.
const KEPT: [HeaderName; 8] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::HOST,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::RANGE,
    header::USER_AGENT,
];

/// Removes all other headers.
pub(crate) fn reduce(headers: &mut HeaderMap) {
    let others = headers.keys().filter(|name| !KEPT.contains(name));
    for name in others.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn nothing_that_selects_a_user_or_another_route_is_left() {
        let mut headers = HeaderMap::new();
        for name in [
            "accept",
            "host",
            "cookie",
            "authorization",
            "x-http-method-override",
            "x-original-url",
            "x-forwarded-user",
        ] {
            headers.insert(name, HeaderValue::from_static("1"));
        }
        reduce(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept", "host"]);
    }
}
