//! A client that sends requests unchanged, and its results.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde_json::Value;
use tokio::time::timeout;
use tower_countersign::BoxError;

const CALL_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Client {
    client: HyperClient<HttpConnector, BoxBody<Bytes, Infallible>>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build_http();
        Self { client }
    }

    /// Sends a request. Returns the status and, if the body names one, the error code, such as `401
    /// expired`.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<String, BoxError> {
        outcome(self.response(request.map(|body| Full::new(body).boxed()))).await
    }

    /// Sends the head of a request without its body, like a client that waits for permission (RFC
    /// 9110 section 10.1.1).
    pub(crate) async fn send_head(&self, request: Request<Bytes>) -> Result<String, BoxError> {
        outcome(self.response(request.map(|body| HeldBack(body).boxed()))).await
    }

    async fn response(
        &self,
        request: Request<BoxBody<Bytes, Infallible>>,
    ) -> Result<Response<Bytes>, BoxError> {
        let (parts, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

async fn outcome(
    response: impl Future<Output = Result<Response<Bytes>, BoxError>>,
) -> Result<String, BoxError> {
    let response = timeout(CALL_TIMEOUT, response)
        .await
        .map_err(|_| "no answer in time")??;
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    Ok(match body.get("error").and_then(Value::as_str) {
        Some(error) => format!("{status} {error}"),
        None => status.to_string(),
    })
}

/// Returns a `POST /invoices` for an account.
pub(crate) fn order(billing: &str, account: u64) -> Result<Request<Bytes>, http::Error> {
    let body = format!("{{\"account\":{account},\"amount_cents\":1200}}");
    Request::post(format!("http://{billing}/invoices"))
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
}

/// A body of known length that never arrives.
struct HeldBack(Bytes);

impl Body for HeldBack {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }
}
