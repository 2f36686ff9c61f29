//! Answers over HTTP/2, with reqwest, behind a nested router, and on one connection.

use tests::client::http2;
use tower_countersign::ReqwestService;

use super::*;

#[tokio::test]
async fn an_answer_over_http2_is_verified() {
    let server = Server::axum(service()).await;
    let client = http2::<Sent>(server.addr());
    let request = request(&server, "POST", "/echo", "hello");
    let answer = answer_of(sign(&server), verify_answers(&server), client, request).await;
    assert!(is_verified(&answer.unwrap()));
}

#[tokio::test]
async fn an_answer_to_reqwest_is_verified_and_a_redirect_is_not_followed() {
    let server = Server::axum(service()).await;
    for (path, status) in [("/item", 200), ("/moved", 302)] {
        let client = ReqwestService::new().unwrap();
        let client =
            ServiceExt::<Request<Sent>>::map_response(client, Response::<reqwest::Body>::from);
        let request = request(&server, "GET", path, "");
        let answer = answer_of(sign(&server), verify_answers(&server), client, request).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, status);
        assert!(is_verified(&answer));
    }
}

/// The handler's path is a shorter one than that which was signed.
#[tokio::test]
async fn behind_nest_the_answer_is_bound_to_the_path_that_was_sent() {
    let server = Server::axum(Router::new().nest("/api", service())).await;
    let answer = call(&server, "GET", "/api/item?a=b").await.unwrap();
    assert_eq!(answer.body, r#"{"id":7}"#);
    assert!(is_verified(&answer));
}

#[tokio::test]
async fn the_layer_that_only_reports_signs_nothing() {
    let layer = verify().insecure_report_only();
    let layer = layer.with_signed_answers(signing()).unwrap();
    let server = Server::axum(routes().layer(layer)).await;
    let found = call(&server, "GET", "/item").await;
    assert_eq!(kind(found), AnswerErrorKind::Unsigned);
}

#[tokio::test]
async fn a_route_that_is_left_out_is_answered_unsigned() {
    let unsigned = signing().insecure_unsigned_for([(http::Method::GET, "/other")]);
    let layer = verify().with_signed_answers(unsigned.unwrap()).unwrap();
    let server = Server::axum(routes().layer(layer)).await;
    let found = call(&server, "GET", "/other").await;
    assert_eq!(kind(found), AnswerErrorKind::Unsigned);
    assert!(is_verified(&call(&server, "GET", "/item").await.unwrap()));
}
