//! Removes the headers that are for one connection only (RFC 9110 section 7.6.1).

use http::{
    HeaderMap, HeaderName,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING},
};

use super::Malformed;

/// Headers of one connection. A `proxy` header is included: CGI hands it to a program as
/// `HTTP_PROXY`, which HTTP clients take for their proxy.
const OF_ONE_CONNECTION: [&str; 8] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Whether the peer takes trailers (`te: trailers`). HTTP/2 upstreams need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trailers {
    Accepted,
    NotAccepted,
}

/// Removes the hop-by-hop headers of a request and each header that `Connection` names.
///
/// This runs once, before the request is verified. A signed header that `Connection` names is then
/// missing, and the signature fails. If it were removed after verification, the upstream would get
/// another request than the verified one (CVE-2024-45410).
///
/// # Errors
///
/// If `Connection` names `host` or `content-length`, or holds anything but names of headers.
pub(crate) fn remove_from_request(headers: &mut HeaderMap) -> Result<Trailers, Malformed> {
    let named = named(headers)?;
    if named
        .iter()
        .any(|name| *name == HOST || *name == CONTENT_LENGTH)
    {
        return Err(Malformed("connection: names host or content-length"));
    }
    let trailers = trailers(headers);
    remove(headers, &named);
    headers.remove("trailer");
    Ok(trailers)
}

/// Removes the hop-by-hop headers of an answer and each header that `Connection` names. `Trailer`
/// stays, because the trailers of an answer are passed on.
pub(crate) fn remove_from_answer(headers: &mut HeaderMap) {
    // An upstream that names no header names nothing to remove.
    let mut named = named(headers).unwrap_or_default();
    // The length of the body is a fact that the next hop needs.
    named.retain(|name| *name != CONTENT_LENGTH);
    remove(headers, &named);
}

fn remove(headers: &mut HeaderMap, named: &[HeaderName]) {
    for name in OF_ONE_CONNECTION {
        headers.remove(name);
    }
    for name in named {
        headers.remove(name);
    }
    let of_proxies = headers
        .keys()
        .filter(|name| name.as_str().starts_with("proxy-"));
    for name in of_proxies.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Returns the headers that `Connection` names, over all its lines.
fn named(headers: &HeaderMap) -> Result<Vec<HeaderName>, Malformed> {
    let mut names = Vec::new();
    for line in headers.get_all(CONNECTION) {
        for token in tokens(line.as_bytes()) {
            let name = HeaderName::from_bytes(token)
                .map_err(|_| Malformed("connection: holds something that is no name"))?;
            names.push(name);
        }
    }
    Ok(names)
}

fn trailers(headers: &HeaderMap) -> Trailers {
    let asks = headers
        .get_all(TE)
        .iter()
        .any(|line| tokens(line.as_bytes()).any(|token| token.eq_ignore_ascii_case(b"trailers")));
    if asks {
        Trailers::Accepted
    } else {
        Trailers::NotAccepted
    }
}

/// Returns whether a request says that a body follows.
pub(crate) fn declares_a_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get_all(CONTENT_LENGTH)
            .iter()
            .any(|length| length.as_bytes() != b"0")
}

/// Returns the elements of a comma-separated list, without empty ones.
pub(super) fn tokens(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn left(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn headers_of_the_connection_and_those_it_names_are_removed() {
        for (name, lines, expected) in [
            (
                "each of the list",
                &[
                    ("connection", "close"),
                    ("keep-alive", "timeout=5"),
                    ("te", "trailers"),
                    ("transfer-encoding", "chunked"),
                    ("upgrade", "websocket"),
                    ("trailer", "x"),
                    ("proxy-authorization", "x"),
                    ("proxy-anything", "x"),
                    ("proxy", "x"),
                    ("proxy-connection", "close"),
                    ("http2-settings", "x"),
                    ("x-kept", "1"),
                ][..],
                &["x-kept"][..],
            ),
            (
                "a signed header",
                &[("connection", "x-date"), ("x-date", "now")],
                &[],
            ),
            (
                "in any case and with white space",
                &[
                    ("connection", " close ,\tX-DaTe , "),
                    ("x-date", "now"),
                    ("x-kept", "1"),
                ],
                &["x-kept"],
            ),
            (
                "over two lines",
                &[
                    ("connection", "x-a"),
                    ("connection", "x-b"),
                    ("x-a", "1"),
                    ("x-b", "1"),
                    ("authorization", "kept"),
                ],
                &["authorization"],
            ),
            (
                "every line of a named header",
                &[("connection", "x-a"), ("x-a", "1"), ("x-a", "2")],
                &[],
            ),
        ] {
            let mut headers = map(lines);
            remove_from_request(&mut headers).unwrap();
            assert_eq!(left(&headers), expected, "{name}");
        }
    }

    #[test]
    fn a_connection_that_names_the_framing_is_refused() {
        for value in [
            "host",
            "Host",
            "content-length",
            "close, Content-Length",
            "x y",
            "\"close\"",
            "a=b;c",
            "\u{fc}",
        ] {
            let mut headers = map(&[("connection", value)]);
            assert!(remove_from_request(&mut headers).is_err(), "{value}");
        }
    }

    #[test]
    fn trailers_are_remembered() {
        for (te, expected) in [
            ("trailers", Trailers::Accepted),
            ("gzip, Trailers", Trailers::Accepted),
            ("gzip", Trailers::NotAccepted),
            ("", Trailers::NotAccepted),
        ] {
            let mut headers = map(&[("te", te)]);
            assert_eq!(remove_from_request(&mut headers), Ok(expected), "{te}");
            assert!(headers.is_empty());
        }
    }

    #[test]
    fn an_answer_keeps_its_length_and_the_names_of_its_trailers() {
        let mut headers = map(&[
            ("connection", "x-internal, content-length"),
            ("x-internal", "1"),
            ("content-length", "5"),
            ("trailer", "grpc-status"),
            ("keep-alive", "timeout=5"),
            ("proxy-authenticate", "Basic"),
            ("upgrade", "h2c"),
        ]);
        remove_from_answer(&mut headers);
        assert_eq!(left(&headers), ["content-length", "trailer"]);
    }

    #[test]
    fn a_declared_body_is_recognised() {
        for (lines, expected) in [
            (&[][..], false),
            (&[("content-length", "0")], false),
            (&[("content-length", "1")], true),
            (&[("content-length", "00")], true),
            (&[("transfer-encoding", "chunked")], true),
        ] {
            assert_eq!(declares_a_body(&map(lines)), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn no_named_header_is_left(
            names in proptest::collection::vec("[a-z][a-z-]{0,8}", 0..6),
            others in proptest::collection::vec("[a-z][a-z-]{0,8}", 0..6),
        ) {
            let mut headers = HeaderMap::new();
            for name in names.iter().chain(&others) {
                headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("1"));
            }
            for name in &names {
                headers.append(CONNECTION, name.to_uppercase().parse().unwrap());
            }
            if remove_from_request(&mut headers).is_ok() {
                for name in &names {
                    prop_assert!(!headers.contains_key(name), "{name}");
                }
                prop_assert!(!headers.contains_key(CONNECTION));
            }
        }
    }
}
