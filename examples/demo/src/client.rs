//! A client that sends requests unchanged, and its results.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
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

/// Sends requests over HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Client {
    client: HyperClient<HttpConnector, BoxBody<Bytes, Infallible>>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// Creates a client.
    pub fn new() -> Self {
        let client = HyperClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build_http();
        Self { client }
    }

    /// Sends a request. Returns the status and, if the body names one, the error code, such as `401
    /// expired`.
    ///
    /// # Errors
    ///
    /// As [`response`](Self::response).
    pub async fn send(&self, request: Request<Bytes>) -> Result<String, BoxError> {
        Ok(outcome(&self.response(request).await?))
    }

    /// Sends the head of a request without its body, like a client that waits for permission (RFC
    /// 9110 section 10.1.1).
    ///
    /// # Errors
    ///
    /// As [`response`](Self::response).
    pub async fn send_head(&self, request: Request<Bytes>) -> Result<String, BoxError> {
        let exchange = self.exchange(request.map(|body| HeldBack(body).boxed()));
        Ok(outcome(&in_time(exchange).await?))
    }

    /// Sends a request, and returns the whole response.
    ///
    /// # Errors
    ///
    /// If there is no response, or none in time.
    pub async fn response(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        in_time(self.exchange(request.map(|body| Full::new(body).boxed()))).await
    }

    async fn exchange(
        &self,
        request: Request<BoxBody<Bytes, Infallible>>,
    ) -> Result<Response<Bytes>, BoxError> {
        let (parts, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

async fn in_time(
    response: impl Future<Output = Result<Response<Bytes>, BoxError>>,
) -> Result<Response<Bytes>, BoxError> {
    let response = timeout(CALL_TIMEOUT, response).await;
    response.map_err(|_| "no answer in time")?
}

fn outcome(response: &Response<Bytes>) -> String {
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    match body.get("error").and_then(Value::as_str) {
        Some(error) => format!("{status} {error}"),
        None => status.to_string(),
    }
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
