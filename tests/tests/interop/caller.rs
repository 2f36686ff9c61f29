//! We as the caller: through the layer, and by hand where something is changed behind it.

use bytes::Bytes;
use countersign::{Signer, Timestamp};
use http::{Method, Request, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_countersign::{SignLayer, SignedBody};

use super::service::Answer;

/// A request of ours.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub target: &'static str,
    pub content_type: Option<&'static str>,
    pub body: Bytes,
}

impl Call {
    pub fn get(target: &'static str) -> Self {
        Self {
            method: Method::GET,
            target,
            content_type: None,
            body: Bytes::new(),
        }
    }

    pub fn post(target: &'static str, content_type: &'static str, body: &[u8]) -> Self {
        Self {
            method: Method::POST,
            target,
            content_type: Some(content_type),
            body: Bytes::copy_from_slice(body),
        }
    }

    fn request(&self, authority: &str) -> Request<Full<Bytes>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(format!("http://{authority}{}", self.target));
        if let Some(content_type) = self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.body(Full::new(self.body.clone())).unwrap()
    }

    /// Sent through the signing layer.
    pub async fn send(&self, signer: &Signer, authority: &str) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http::<SignedBody<Full<Bytes>>>();
        let client = SignLayer::new(signer.clone()).layer(client);
        let response = client.oneshot(self.request(authority)).await.unwrap();
        answer(response).await
    }

    /// Signed at this time, then changed, then sent.
    pub async fn send_changed(
        &self,
        signer: &Signer,
        authority: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Parts, &mut Bytes),
    ) -> Answer {
        let (mut parts, _) = self.request(authority).into_parts();
        signer
            .sign(&parts, &*self.body, now)
            .unwrap()
            .apply(&mut parts);
        let mut body = self.body.clone();
        change(&mut parts, &mut body);
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::from_parts(parts, Full::new(body));
        answer(client.request(request).await.unwrap()).await
    }
}

async fn answer(response: http::Response<hyper::body::Incoming>) -> Answer {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }
}
