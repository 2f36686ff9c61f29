//! Writes refusals in the form that gRPC clients expect.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// `PERMISSION_DENIED`.
#[cfg(feature = "policy")]
pub(crate) const PERMISSION_DENIED: u8 = 7;
/// `INTERNAL`.
pub(crate) const INTERNAL: u8 = 13;
/// `UNAVAILABLE`.
pub(crate) const UNAVAILABLE: u8 = 14;

/// Returns whether the content type is that of gRPC: `application/grpc`, alone or followed by `+`
/// and a format, or by parameters. `application/grpc-web` is another protocol.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(found) = headers.get(CONTENT_TYPE) else {
        return false;
    };
    let Some((found, rest)) = found.as_bytes().split_at_checked(GRPC.len()) else {
        return false;
    };
    found.eq_ignore_ascii_case(GRPC.as_bytes())
        && matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t'))
}

/// Returns whether a request can be a gRPC call. Every call is a POST ("gRPC over HTTP2", section
/// Requests). Other requests are refused with an HTTP status, which gateways and logs use.
pub(crate) fn is_call(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && is_grpc(headers)
}

/// Returns a trailers-only response ("gRPC over HTTP2", section Responses): status 200, no body,
/// and the outcome in headers. `code` has only lower-case letters and underscores, so it needs no
/// escapes.
pub(crate) fn trailers_only(grpc_status: u8, code: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(grpc_status)));
    headers.insert(GRPC_MESSAGE, HeaderValue::from_static(code));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_post_is_a_call() {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, GRPC)]);
        assert!(is_call(&Method::POST, &headers));
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT] {
            assert!(!is_call(&method, &headers), "{method}");
        }
    }

    #[test]
    fn a_grpc_call_is_detected_by_its_content_type() {
        for (value, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc+json", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc ; a=b", true),
            ("Application/gRPC+proto", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/grpcx", false),
            ("application/grp", false),
            ("application/json", false),
            ("text/plain, application/grpc", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(is_grpc(&headers), expected, "{value}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
