//! Which routes are streamed, and which types their handlers can take.

use axum::{
    Router,
    body::Bytes,
    http::StatusCode,
    routing::{get, put as route},
};
use countersign::{ConfigErrorKind, Verifier};
use http::Method;
use tests::{
    keys,
    server::Server,
    signed::{self, AUTHORITY},
};
use tower_countersign::{
    AllowCallers, BodyMode, HeadVerifiedCaller, Refusal, StreamedBody, UnverifiedCaller,
    VerifiedCaller, VerifyLayer,
};

use super::{Framing, layer, outcome, put};

fn buffering() -> VerifyLayer<countersign::Keyring> {
    let key = keys::hmac_key(keys::SECRET);
    let layer = VerifyLayer::new(keys::keyring("billing", &key));
    layer.with_expected_hosts([AUTHORITY]).unwrap()
}

#[tokio::test]
async fn a_handler_that_takes_the_type_of_another_mode_is_not_run() {
    let app = Router::new()
        .route(
            "/verified",
            route(async |_: VerifiedCaller, _: Bytes| "run"),
        )
        .route(
            "/head",
            route(async |_: HeadVerifiedCaller, _: Bytes| "run"),
        )
        .route("/body", route(async |_: StreamedBody| "run"));
    let streaming = Server::axum(app.clone().layer(layer())).await;
    let in_memory = Server::axum(app.layer(buffering())).await;
    for (path, streamed, buffered) in [
        ("/verified", 500, 200),
        ("/head", 200, 500),
        ("/body", 200, 500),
    ] {
        let answer = put(
            streaming.addr(),
            path,
            b"a body",
            b"a body",
            Framing::Length,
        )
        .await;
        assert_eq!(outcome(&answer).0, streamed, "{path} in Stream");
        assert_eq!(answer.contains("run"), streamed == 200, "{path} in Stream");
        let answer = put(
            in_memory.addr(),
            path,
            b"a body",
            b"a body",
            Framing::Length,
        )
        .await;
        assert_eq!(outcome(&answer).0, buffered, "{path} in Buffer");
        assert_eq!(answer.contains("run"), buffered == 200, "{path} in Buffer");
    }
}

#[tokio::test]
async fn only_the_listed_routes_are_streamed() {
    async fn mode(
        streamed: Option<HeadVerifiedCaller>,
        buffered: Option<VerifiedCaller>,
        _: Bytes,
    ) -> String {
        match (streamed, buffered) {
            (Some(caller), None) => format!("streamed by {}", caller.id()),
            (None, Some(caller)) => format!("buffered by {}", caller.id()),
            both => panic!("found {both:?}"),
        }
    }
    let routes = [(Method::PUT, "/files/{name}"), (Method::PUT, "/b")];
    let verify = buffering()
        .with_body_mode_for(BodyMode::Stream, routes)
        .unwrap()
        .with_body_mode_for(BodyMode::Buffer, [(Method::PUT, "/b")])
        .unwrap();
    let app = Router::new()
        .route("/files/{name}", route(mode))
        .route("/b", route(mode))
        .route("/c", route(mode))
        .fallback(mode)
        .layer(verify);
    let server = Server::axum(app).await;
    for (path, expected) in [
        ("/files/a", "streamed by billing"),
        ("/b", "streamed by billing"),
        ("/c", "buffered by billing"),
        ("/files/a/b", "buffered by billing"),
        ("/files//a", "buffered by billing"),
        ("/files/%61", "buffered by billing"),
    ] {
        let answer = put(server.addr(), path, b"a body", b"a body", Framing::Length).await;
        assert!(answer.contains(expected), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_layer_that_authorizes_judges_the_caller_of_the_head() {
    let app = |callers: &[&str]| {
        Router::new()
            .route("/", route(async |body: Bytes| body.len().to_string()))
            .layer(AllowCallers::new(callers.iter().copied()))
            .layer(layer())
    };
    for (callers, expected) in [(&["billing"][..], 200), (&["other"], 403)] {
        let server = Server::axum(app(callers)).await;
        let answer = put(server.addr(), "/", b"a body", b"a body", Framing::Length).await;
        assert_eq!(outcome(&answer).0, expected, "{callers:?}");
    }
}

#[tokio::test]
async fn a_report_only_layer_ignores_the_mode() {
    let handler = async |caller: UnverifiedCaller, body: Bytes| {
        format!(
            "{:?} {}",
            caller.would_refuse().map(Refusal::code),
            body.len()
        )
    };
    let verify = layer().insecure_report_only();
    let app = Router::new().route("/", route(handler)).layer(verify);
    let server = Server::axum(app).await;
    let answer = put(server.addr(), "/", b"a body", b"another", Framing::Length).await;
    assert!(answer.contains("Some(\"body_mismatch\") 7"), "{answer}");
}

/// Other code cannot pretend that a layer has verified the head.
#[tokio::test]
async fn a_caller_that_was_inserted_before_is_removed() {
    use tower::{Layer, ServiceExt};
    let inner = Router::new().route(
        "/",
        get(
            async |caller: Option<HeadVerifiedCaller>, body: axum::extract::Request| {
                let streamed = body.extensions().get::<HeadVerifiedCaller>().is_some();
                assert_eq!(streamed, caller.is_some());
                streamed.to_string()
            },
        ),
    );
    let app = layer().layer(buffering().layer(inner));
    let request = signed::now(&signed::billing(), signed::get("/"));
    let answer = app
        .oneshot(request.map(axum::body::Body::from))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), 100).await;
    assert_eq!(body.unwrap(), "false");
}

#[test]
fn a_route_whose_callers_sign_the_body_cannot_be_streamed() {
    let (_, drf) = keys::django();
    let verifier = Verifier::builder().accept(drf).build().unwrap();
    let layer = || buffering().with_verifier(verifier.clone());
    let refused = |result: Result<VerifyLayer<_>, countersign::ConfigError>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting);
        assert!(error.to_string().contains("POST /drf"), "{error}");
    };
    refused(layer().with_body_mode(BodyMode::Stream));
    for pattern in ["/drf", "/{any}"] {
        refused(layer().with_body_mode_for(BodyMode::Stream, [(Method::POST, pattern)]));
    }
    let elsewhere = layer().with_body_mode_for(BodyMode::Stream, [(Method::PUT, "/drf")]);
    assert!(elsewhere.is_ok());
    let kept = layer()
        .with_body_mode_for(BodyMode::Buffer, [(Method::POST, "/drf")])
        .unwrap()
        .with_body_mode(BodyMode::Stream);
    assert!(kept.is_ok());
}

#[test]
fn a_route_that_is_no_plain_path_is_refused() {
    for path in ["", "a", "//a", "/a/../b", "/{*rest}", "/%61"] {
        let error = buffering().with_body_mode_for(BodyMode::Stream, [(Method::PUT, path)]);
        assert_eq!(
            error.unwrap_err().kind(),
            ConfigErrorKind::Setting,
            "{path}"
        );
    }
}
