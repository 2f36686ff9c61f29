//! Answers without a code.

use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use tests::{
    keys::NOW,
    signed::{self, billing},
};
use tower_countersign::{BodyLimits, VerifiedCaller};

use super::{Capture, Symptoms, answer, body_of, good, verify};

pub(super) async fn add(found: &mut Symptoms) {
    let capture = Capture::start();
    let handler = post(async |caller: VerifiedCaller| caller.id().to_string());
    let response = answer(Router::new().route("/", handler), good("/")).await;
    assert_eq!(response.status(), 500);
    assert_eq!(body_of(response).await, "");
    found.text("a handler without a layer", capture.take());

    let limits = BodyLimits::default().with_max_bytes(8 << 20);
    let app = Router::new()
        .route("/", post(async |body: Bytes| body.len().to_string()))
        .layer(verify().with_body_limits(limits));
    let large = signed::post("/", vec![b'x'; 3 << 20]);
    let large = signed::at(NOW, &billing(), large).map(Body::from);
    let response = answer(app, large).await;
    assert_eq!(response.status(), 413);
    found.text("a body over axum's own limit", body_of(response).await);
}
