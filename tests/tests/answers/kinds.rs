//! Answers of every kind reach the client, verified.

use super::*;

#[tokio::test]
async fn every_kind_of_answer_is_verified() {
    let server = Server::axum(service()).await;
    for (method, path, status, body) in [
        ("GET", "/item", 200, r#"{"id":7}"#),
        ("HEAD", "/item", 200, ""),
        ("GET", "/none", 204, ""),
        ("GET", "/same", 304, ""),
        ("GET", "/empty", 200, ""),
        ("GET", "/missing", 404, ""),
        ("GET", "/nowhere", 404, ""),
        ("GET", "/moved", 302, ""),
        ("GET", "/item?full=1", 200, r#"{"id":7}"#),
    ] {
        let answer = call(&server, method, path).await.unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.body, body, "{method} {path}");
        assert!(is_verified(&answer), "{method} {path}");
    }
}

#[tokio::test]
async fn the_answer_to_a_request_with_a_body_is_verified() {
    let server = Server::axum(service()).await;
    let request = request(&server, "POST", "/echo", "hello");
    let answer = send(&server, sign(&server), verify_answers(&server), request).await;
    let answer = answer.unwrap();
    assert_eq!(answer.body, "hello");
    assert!(is_verified(&answer));
}

/// Without a limit, a signed answer would keep any number of bytes in memory.
#[tokio::test]
async fn an_answer_over_the_limit_is_unsignable_and_says_so_signed() {
    let server = Server::axum(service()).await;
    let answer = call(&server, "GET", "/large").await.unwrap();
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body, r#"{"error":"unsignable"}"#);
    assert!(is_verified(&answer));

    let unsigned = verify()
        .with_signed_answers(signing().insecure_unsigned_if_large())
        .unwrap();
    let server = Server::axum(routes().layer(unsigned)).await;
    let found = call(&server, "GET", "/large").await;
    assert_eq!(kind(found), AnswerErrorKind::Unsigned);

    let larger = signing().with_max_bytes(4 * 1024 * 1024);
    let layer = verify().with_signed_answers(larger).unwrap();
    let server = Server::axum(routes().layer(layer)).await;
    let answer = call(&server, "GET", "/large").await.unwrap();
    assert_eq!(answer.body.len(), 3 * 1024 * 1024);
}

#[tokio::test]
async fn a_request_to_a_service_whose_keys_are_unknown_is_not_sent() {
    let server = Server::axum(service()).await;
    let verify = VerifyAnswerLayer::new(verifier_of(&hmac_key(SECRET), "elsewhere"));
    let request = request(&server, "GET", "/item", "");
    let error = answer_error(send(&server, sign(&server), verify, request).await);
    assert_eq!(error.kind(), AnswerErrorKind::Unbound);
    assert_eq!(error.status(), None);
}
