//! Answers that were changed on the way, or that answer another request.

use std::sync::{Arc, Mutex};

use http::header::{CONTENT_TYPE, HeaderValue};
use tests::keys::OTHER_SECRET;

use super::*;

async fn kind_of_changed(change: fn(Response) -> Response) -> AnswerErrorKind {
    let server = Server::axum(changed(service(), change)).await;
    kind(call(&server, "GET", "/item").await)
}

#[tokio::test]
async fn a_changed_status_is_found() {
    let found = kind_of_changed(|mut response| {
        *response.status_mut() = StatusCode::CREATED;
        response
    });
    assert_eq!(found.await, AnswerErrorKind::InvalidSignature);
}

#[tokio::test]
async fn a_changed_body_is_found_and_never_complete() {
    let found = kind_of_changed(|response| response.map(|_| Body::from(r#"{"id":9}"#)));
    assert_eq!(found.await, AnswerErrorKind::BodyMismatch);
}

#[tokio::test]
async fn a_changed_covered_header_is_found() {
    let found = kind_of_changed(|mut response| {
        let html = HeaderValue::from_static("text/html");
        response.headers_mut().insert(CONTENT_TYPE, html);
        response
    });
    assert_eq!(found.await, AnswerErrorKind::InvalidSignature);
}

#[tokio::test]
async fn a_dropped_covered_header_is_found() {
    let found = kind_of_changed(|mut response| {
        response.headers_mut().remove(CONTENT_TYPE);
        response
    });
    assert_eq!(found.await, AnswerErrorKind::Malformed);
}

#[tokio::test]
async fn a_dropped_signature_is_found() {
    let found = kind_of_changed(|mut response| {
        response.headers_mut().remove("signature-input");
        response
    });
    assert_eq!(found.await, AnswerErrorKind::Unsigned);
}

/// Gives every request but the first the answer to the first one.
fn repeating(app: Router) -> Router {
    let first: Arc<Mutex<Option<(http::response::Parts, Bytes)>>> = Arc::default();
    app.layer(axum::middleware::map_response(
        move |response: Response<Body>| {
            let first = Arc::clone(&first);
            async move {
                let (parts, body) = response.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let mut kept = first.lock().unwrap();
                let (parts, body) = kept.get_or_insert((parts, body)).clone();
                Response::from_parts(parts, Body::from(body))
            }
        },
    ))
}

/// The two requests differ in their nonces alone.
#[tokio::test]
async fn the_answer_to_an_earlier_equal_request_is_found() {
    let server = Server::axum(repeating(service())).await;
    assert!(is_verified(&call(&server, "GET", "/item").await.unwrap()));
    let found = kind(call(&server, "GET", "/item").await);
    assert_eq!(found, AnswerErrorKind::InvalidSignature);
}

#[tokio::test]
async fn the_answer_to_another_request_is_found() {
    let server = Server::axum(repeating(service())).await;
    assert!(is_verified(&call(&server, "GET", "/item").await.unwrap()));
    let found = kind(call(&server, "GET", "/other").await);
    assert_eq!(found, AnswerErrorKind::InvalidSignature);
}

#[tokio::test]
async fn the_answer_of_a_service_with_another_key_is_found() {
    let server = Server::axum(service()).await;
    let other = VerifyAnswerLayer::new(verifier_of(&hmac_key(OTHER_SECRET), &server.authority()));
    let request = request(&server, "GET", "/item", "");
    let found = send(&server, sign(&server), other, request).await;
    assert_eq!(kind(found), AnswerErrorKind::InvalidSignature);
}

/// A proxy's 502 says nothing that the service said.
#[tokio::test]
async fn an_unsigned_502_is_an_error_unless_it_is_allowed_by_name() {
    for (status, is_allowed) in [
        (502, true),
        (503, true),
        (408, true),
        (429, true),
        (200, false),
        (302, false),
        (404, false),
        (409, false),
    ] {
        let app = Router::new().fallback(async move || StatusCode::from_u16(status).unwrap());
        let server = Server::axum(app).await;
        let error = answer_error(call(&server, "GET", "/item").await);
        assert_eq!(error.kind(), AnswerErrorKind::Unsigned, "{status}");
        assert_eq!(error.status().unwrap(), status);
        let allowing = verify_answers(&server).insecure_allow_unsigned_errors();
        let request = request(&server, "GET", "/item", "");
        match send(&server, sign(&server), allowing, request).await {
            Ok(answer) => {
                assert!(is_allowed, "{status}");
                assert_eq!(answer.state, AnswerState::Unsigned);
            }
            other => {
                assert!(!is_allowed, "{status}");
                assert_eq!(kind(other), AnswerErrorKind::Unsigned);
            }
        }
    }
}

fn gzip(body: &'static str) -> Request<Full<Bytes>> {
    Request::get(body)
        .header("accept-encoding", "gzip")
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn compression_belongs_inside_the_layer_that_signs() {
    let long = || get(async || "a".repeat(10_000));
    let compress = tower_http::compression::CompressionLayer::new;
    let sign_answers = || verify().with_signed_answers(signing()).unwrap();
    let routes = || Router::new().route("/long", long());
    for (app, is_inside) in [
        (routes().layer(compress()).layer(sign_answers()), true),
        (routes().layer(sign_answers()).layer(compress()), false),
    ] {
        let server = Server::axum(app).await;
        let url: &'static str = Box::leak(server.url("/long").into_boxed_str());
        let found = send(&server, sign(&server), verify_answers(&server), gzip(url)).await;
        match found {
            Ok(answer) => {
                assert!(is_inside);
                assert!(answer.body.len() < 10_000, "the coded bytes");
            }
            found => {
                assert!(!is_inside, "{found:?}");
                answer_error(found);
            }
        }
    }
}
