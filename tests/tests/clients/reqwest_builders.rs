//! Requests built with reqwest's own builder. The tests' manifest enables no feature of reqwest or
//! reqwest-middleware: the feature `reqwest-middleware` of our crate must enable all that is used
//! here.

use bytes::Bytes;
use countersign::{PayloadDigest, Signer};
use futures::stream;
use http::StatusCode;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest_middleware::ClientWithMiddleware;
use serde::Serialize;
use tests::keys::{SECRET, hmac_key, signer};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, ReqwestService, SignLayer, SignMiddleware};

use crate::Callee;

#[derive(Serialize)]
struct Note {
    text: &'static str,
}

const NOTE: Note = Note { text: "a&b é" };
const QUERY: [(&str, &str); 2] = [("page", "1"), ("name", "a&b é")];

fn billing(callee: &Callee) -> Signer {
    signer("billing", hmac_key(SECRET), &callee.authority())
}

fn client(middleware: SignMiddleware) -> ClientWithMiddleware {
    middleware
        .client(reqwest::Client::builder().no_proxy())
        .unwrap()
}

fn assert_note(callee: &Callee) {
    let seen = callee.only();
    let query = seen.uri.query();
    assert_eq!(query, Some("page=1&name=a%26b+%C3%A9"));
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(seen.body, r#"{"text":"a&b é"}"#.as_bytes());
}

#[tokio::test]
async fn a_signing_client_supports_json_query_and_form() {
    let callee = Callee::verifying(SECRET);
    let signing = client(SignMiddleware::new(billing(&callee)));
    let url = callee.url("/notes");
    let sent = signing.post(&url).query(&QUERY).json(&NOTE).send().await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);
    assert_note(&callee);

    let sent = signing.post(&url).form(&QUERY).send().await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);
    let seen = callee.only();
    let form = "application/x-www-form-urlencoded";
    assert_eq!(seen.headers["content-type"], form);
    assert_eq!(seen.body, "page=1&name=a%26b+%C3%A9");
}

#[tokio::test]
async fn a_request_of_a_plain_builder_is_signed_when_it_is_sent() {
    let callee = Callee::verifying(SECRET);
    let plain = reqwest::Client::new();
    let request = || {
        let builder = plain.post(callee.url("/notes"));
        builder.query(&QUERY).json(&NOTE).build().unwrap()
    };
    let signing = client(SignMiddleware::new(billing(&callee)));
    let sent = signing.execute(request()).await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
    assert_note(&callee);

    let request: http::Request<reqwest::Body> = request().try_into().unwrap();
    let service = ReqwestService::from_builder(reqwest::Client::builder().no_proxy()).unwrap();
    let layer = SignLayer::new(billing(&callee)).layer(service);
    let sent = layer.oneshot(request).await.unwrap();
    assert_eq!(sent.status(), StatusCode::OK);
    assert_note(&callee);
}

/// A body in several chunks.
fn streamed() -> reqwest::Body {
    let frames =
        (0..100).map(|_| Ok::<_, BoxError>(Frame::data(Bytes::from_static(b"0123456789"))));
    reqwest::Body::wrap(StreamBody::new(stream::iter(frames)))
}

#[tokio::test]
async fn a_body_whose_digest_is_given_is_streamed() {
    let callee = Callee::verifying(SECRET);
    // Reading the body into memory would be an error: it exceeds the limit.
    let signing = client(SignMiddleware::new(billing(&callee)).with_buffer_bytes(10));
    let body = b"0123456789".repeat(100);
    let send = |digest: Option<PayloadDigest>| {
        let mut request = signing.post(callee.url("/files")).body(streamed());
        if let Some(digest) = digest {
            request = request.with_extension(digest);
        }
        request.send()
    };
    let answer = send(Some(PayloadDigest::of(&body))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(callee.only().body, body);

    let another = send(Some(PayloadDigest::of(b"another"))).await.unwrap();
    assert_eq!(another.status(), StatusCode::UNAUTHORIZED);
    assert!(send(None).await.is_err());
    assert!(callee.take().is_empty());
}
