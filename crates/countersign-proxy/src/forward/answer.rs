//! The answers that a proxy gives, and those that it passes on.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use tower_countersign::BoxError;

use crate::message::{hop_by_hop, look_alike::LookAlikes};

/// The body of every answer.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;

/// Makes an answer of this proxy: `{"error":"code"}`, as the layers answer.
pub(crate) fn error(status: StatusCode, code: &str) -> Response<AnswerBody> {
    let body = Full::from(format!("{{\"error\":\"{code}\"}}"));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Prepares an answer of the upstream: without hop-by-hop headers and without names of ours, in the
/// head and in the trailers. The body streams.
pub(super) fn pass_on(
    response: Response<Incoming>,
    alike: &Arc<LookAlikes>,
) -> Response<AnswerBody> {
    let (mut parts, inner) = response.into_parts();
    hop_by_hop::remove_from_answer(&mut parts.headers);
    alike.remove_from(&mut parts.headers);
    // An upgrade of the upstream's connection is no upgrade of the client's.
    parts.extensions.clear();
    let alike = Arc::clone(alike);
    Response::from_parts(parts, PassedOn { inner, alike }.boxed_unsync())
}

struct PassedOn {
    inner: Incoming,
    alike: Arc<LookAlikes>,
}

impl Body for PassedOn {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            let mut frame = frame?;
            if let Some(trailers) = frame.trailers_mut() {
                this.alike.remove_from(trailers);
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
