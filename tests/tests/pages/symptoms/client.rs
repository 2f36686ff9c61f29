//! Errors of a client, which then sends nothing.

use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use countersign::TargetSigners;
use http::{HeaderName, HeaderValue, Request, Response, header::AUTHORIZATION};
use http_body::Frame;
use http_body_util::StreamBody;
use tests::{
    keys::NOW,
    signed::{self, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BoxError, SignLayer};

use super::Symptoms;

/// Returns the error of a client that sends nothing.
async fn not_sent(sign: SignLayer, request: Request<Body>) -> String {
    let client = service_fn(async |_: Request<_>| -> Result<Response<()>, Infallible> {
        panic!("the request is sent")
    });
    let error: BoxError = sign.layer(client).oneshot(request).await.unwrap_err();
    error.to_string()
}

pub(super) async fn add(found: &mut Symptoms) {
    let sign = || SignLayer::new(billing()).with_clock(|| NOW);
    let usual = || signed::post("/", "body").map(Body::from);
    let to = |url: &str| Request::post(url).body(Body::empty()).unwrap();
    let elsewhere = to("http://elsewhere/");
    let error = not_sent(sign(), elsewhere).await;
    found.text("a URL of another host", error);

    let targets = TargetSigners::builder().target("users", billing());
    let targets = SignLayer::new(targets.build().unwrap());
    let error = not_sent(targets, to("http://elsewhere/")).await;
    found.text("a URL of no target", error);

    let mut authorized = usual();
    let token = HeaderValue::from_static("Bearer token");
    authorized.headers_mut().insert(AUTHORIZATION, token);
    let error = not_sent(sign(), authorized).await;
    found.text("a request with authorization", error);

    let covering = billing().with_covered_header(HeaderName::from_static("x-tenant"));
    let covering = SignLayer::new(covering.unwrap());
    let error = not_sent(covering, usual()).await;
    found.text("a covered header that the request lacks", error);

    let error = not_sent(sign().with_buffer_bytes(3), usual()).await;
    found.text("a body over the limit", error);

    let endless = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let endless = usual().map(|_| Body::new(StreamBody::new(endless)));
    let error = not_sent(sign(), endless).await;
    found.text("a body that stalls", error);
}
