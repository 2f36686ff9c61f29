//! Decides whether a request may become a WebSocket.

use http::{
    HeaderMap, HeaderValue, Method, Version,
    header::{CONNECTION, UPGRADE},
};

use super::{
    Malformed,
    hop_by_hop::{declares_a_body, tokens},
};

/// What a request says about an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The request names no protocol.
    Nothing,
    /// The request names a protocol, and is forwarded as an ordinary request. Its connection is
    /// closed after the answer: bytes that follow may belong to that protocol.
    Ignored,
    /// A WebSocket handshake on a listed route.
    WebSocket,
}

/// Reads the request before its hop-by-hop headers are removed. `is_listed` says whether its route
/// may be upgraded.
///
/// # Errors
///
/// If a handshake on a listed route has a body (CVE-2026-58055, CVE-2026-2833).
pub(crate) fn asked(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
    is_listed: bool,
) -> Result<Asked, Malformed> {
    let mut protocols = headers.get_all(UPGRADE).iter();
    let Some(protocol) = protocols.next() else {
        return Ok(Asked::Nothing);
    };
    let is_connected = headers
        .get_all(CONNECTION)
        .iter()
        .any(|line| tokens(line.as_bytes()).any(|token| token.eq_ignore_ascii_case(b"upgrade")));
    let is_handshake = *method == Method::GET
        && version == Version::HTTP_11
        && is_connected
        && protocol.as_bytes().eq_ignore_ascii_case(b"websocket")
        && protocols.next().is_none();
    if !is_listed || !is_handshake {
        return Ok(Asked::Ignored);
    }
    if declares_a_body(headers) {
        return Err(Malformed("upgrade: expected no body, found one"));
    }
    Ok(Asked::WebSocket)
}

/// Sets the headers that ask the upstream for a WebSocket.
pub(crate) fn ask(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_handshake_on_a_listed_route_is_one() {
        use Asked::{Ignored, Nothing, WebSocket};

        let ask = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
        ];
        let get = Method::GET;
        for (name, method, version, headers, is_listed, expected) in [
            ("none", &get, Version::HTTP_11, &[][..], true, Ok(Nothing)),
            ("listed", &get, Version::HTTP_11, &ask, true, Ok(WebSocket)),
            (
                "not listed",
                &get,
                Version::HTTP_11,
                &ask,
                false,
                Ok(Ignored),
            ),
            (
                "another method",
                &Method::POST,
                Version::HTTP_11,
                &ask,
                true,
                Ok(Ignored),
            ),
            ("HTTP/1.0", &get, Version::HTTP_10, &ask, true, Ok(Ignored)),
            (
                "another protocol",
                &get,
                Version::HTTP_11,
                &[("connection", "upgrade"), ("upgrade", "h2c")],
                true,
                Ok(Ignored),
            ),
            (
                "not named in connection",
                &get,
                Version::HTTP_11,
                &[("upgrade", "websocket")],
                true,
                Ok(Ignored),
            ),
            (
                "two protocols",
                &get,
                Version::HTTP_11,
                &[
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("upgrade", "h2c"),
                ],
                true,
                Ok(Ignored),
            ),
            (
                "a body",
                &get,
                Version::HTTP_11,
                &[
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("content-length", "1"),
                ],
                true,
                Err(()),
            ),
            (
                "a chunked body",
                &get,
                Version::HTTP_11,
                &[
                    ("connection", "upgrade"),
                    ("upgrade", "websocket"),
                    ("transfer-encoding", "chunked"),
                ],
                true,
                Err(()),
            ),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_static(value));
            }
            let found = asked(method, version, &map, is_listed).map_err(|_| ());
            assert_eq!(found, expected, "{name}");
        }
    }
}
