//! Answers the operator's questions.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_countersign::reload::ReloadHealth;

use crate::{
    forward::AnswerBody,
    listen::{Draining, Handler, Peer},
};

/// The service of the admin listener.
pub(crate) struct AdminService {
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) sources: Vec<ReloadHealth>,
    pub(crate) draining: Draining,
}

impl Handler for AdminService {
    async fn answer(&self, request: Request<Incoming>, _peer: Peer) -> Response<AnswerBody> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n");
        }
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" => self.ready(),
            "/metrics" => match &self.metrics {
                Some(metrics) => {
                    let kind = "text/plain; version=0.0.4";
                    text(StatusCode::OK, kind, metrics.render())
                }
                None => text(
                    StatusCode::NOT_FOUND,
                    "text/plain",
                    "another recorder is installed\n",
                ),
            },
            _ => text(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
        }
    }
}

impl AdminService {
    /// Says whether new requests should be sent here. A file that has become bad is reported and
    /// does not make the process unready: its last good content is in use.
    fn ready(&self) -> Response<AnswerBody> {
        let bad = self.sources.iter().filter(|it| !it.status().is_good());
        let bad = bad.count();
        let (status, ready) = if self.draining.has_begun() {
            (StatusCode::SERVICE_UNAVAILABLE, false)
        } else {
            (StatusCode::OK, true)
        };
        let body = format!("{{\"ready\":{ready},\"bad_sources\":{bad}}}\n");
        text(status, "application/json", body)
    }
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<AnswerBody> {
    let body = Full::new(body.into()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
