//! The answers that gateways understand.

use bytes::Bytes;
use http::{Response, StatusCode};

/// Answers nginx, which knows 401 and 403 only: any other status becomes a 500 there.
pub(super) fn for_line(mut refusal: Response<Bytes>) -> Response<Bytes> {
    if refusal.status() != StatusCode::UNAUTHORIZED {
        *refusal.status_mut() = StatusCode::FORBIDDEN;
    }
    refusal
}

/// Answers Envoy over HTTP. Under `failure_mode_allow`, a status of 500 or more would let the
/// request in, with whatever identity the client wrote. The code stays in the body.
pub(super) fn for_envoy_http(mut refusal: Response<Bytes>) -> Response<Bytes> {
    if refusal.status().is_server_error() {
        *refusal.status_mut() = StatusCode::FORBIDDEN;
    }
    refusal
}
