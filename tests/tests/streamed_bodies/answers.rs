//! The gate: what the peer is told if the handler answers before the end of the body, or ignores
//! its errors.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::put as route,
};
use http::StatusCode;
use http_body_util::BodyExt;
use tests::server::Server;
use tower_countersign::{StreamLimits, StreamedBody};

use super::{Framing, REFUSED, Store, Upload, body, layer, outcome, put};

async fn service(limits: StreamLimits, app: Router<Store>) -> (Server, Store) {
    let store = Store::default();
    let app = app.layer(layer().with_stream_limits(limits));
    (Server::axum(app.with_state(store.clone())).await, store)
}

fn wrong(right: &[u8]) -> Vec<u8> {
    let mut wrong = right.to_vec();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    wrong
}

/// `while let Some(Ok(…))` takes an error for an end.
#[tokio::test]
async fn a_handler_that_ignores_errors_cannot_tell_the_peer_of_success() {
    async fn careless(State(store): State<Store>, body: Body) -> &'static str {
        store.begin();
        let mut body = body;
        while let Some(Ok(frame)) = body.frame().await {
            store.stage(frame.data_ref().unwrap());
        }
        "stored"
    }
    let app = Router::new().route("/", route(careless));
    let (server, store) = service(StreamLimits::default(), app).await;
    let right = body(100_000);
    for framing in [Framing::Length, Framing::Chunked(1_000)] {
        let answer = put(server.addr(), "/", &right, &right, framing).await;
        assert_eq!(outcome(&answer).0, 200, "{framing:?}");
        let answer = put(server.addr(), "/", &right, &wrong(&right), framing).await;
        assert_eq!(outcome(&answer), REFUSED, "{framing:?}");
        assert!(store.staged().len() < right.len());
    }
}

#[tokio::test]
async fn an_axum_extractor_of_the_body_gets_401_and_not_400() {
    async fn bytes(body: Bytes) -> String {
        body.len().to_string()
    }
    async fn text(body: String) -> String {
        body.len().to_string()
    }
    let app = Router::new()
        .route("/bytes", route(bytes))
        .route("/text", route(text));
    let (server, _) = service(StreamLimits::default(), app).await;
    for path in ["/bytes", "/text"] {
        let answer = put(server.addr(), path, b"a body", b"a body", Framing::Length).await;
        assert_eq!(outcome(&answer).0, 200, "{path}");
        let answer = put(server.addr(), path, b"a body", b"A body", Framing::Length).await;
        assert_eq!(outcome(&answer), REFUSED, "{path}");
    }
}

/// The layer reads the rest of a body that the handler has dropped.
#[tokio::test]
async fn an_answer_without_reading_waits_until_the_body_is_verified() {
    async fn unread(body: Body) -> &'static str {
        drop(body);
        "not read"
    }
    async fn one_frame(mut body: StreamedBody) -> Response {
        let _piece = body.chunk().await;
        drop(body);
        "one frame".into_response()
    }
    let app = Router::new()
        .route("/unread", route(unread))
        .route("/one", route(one_frame));
    let limits = StreamLimits::default()
        .with_idle(Duration::from_secs(1))
        .with_max_bytes(2_000_000);
    let (server, _) = service(limits, app).await;
    let right = body(1_000_000);
    for path in ["/unread", "/one"] {
        for framing in [Framing::Length, Framing::Chunked(50_000)] {
            let name = format!("{path}, {framing:?}");
            let answer = put(server.addr(), path, &right, &right, framing).await;
            assert_eq!(outcome(&answer).0, 200, "{name}");
            let answer = put(server.addr(), path, &right, &wrong(&right), framing).await;
            assert_eq!(outcome(&answer), REFUSED, "{name}");
        }
        let mut endless = Upload::new(server.addr(), path, &right).await;
        endless.send_head(Some(1_000_000)).await;
        endless.send(&right[..500_000]).await;
        assert_eq!(outcome(&endless.answer().await), (408, "timeout"), "{path}");
        let long = body(3_000_000);
        let answer = put(server.addr(), path, &right, &long, Framing::Chunked(60_000)).await;
        assert_eq!(outcome(&answer), (413, "too_large"), "{path}");
    }
}

#[tokio::test]
async fn an_answer_of_failure_does_not_wait_for_the_body() {
    async fn not_found(body: Body) -> StatusCode {
        drop(body);
        StatusCode::NOT_FOUND
    }
    let app = Router::new().route("/", route(not_found));
    let (server, _) = service(StreamLimits::default(), app).await;
    let mut upload = Upload::new(server.addr(), "/", b"a body").await;
    upload.send_head(Some(6)).await;
    assert_eq!(outcome(&upload.answer().await).0, 404);
}

/// The task shares the body with nobody, and can be told of the end only by the body itself.
#[tokio::test]
async fn an_answer_waits_for_a_task_that_reads_the_body() {
    async fn spawned(State(store): State<Store>, mut body: StreamedBody) -> &'static str {
        tokio::spawn(async move {
            while let Ok(Some(piece)) = body.chunk().await {
                store.stage(&piece);
            }
            if let Ok(caller) = body.verified().await {
                store.commit(&caller);
            }
        });
        "accepted"
    }
    let app = Router::new().route("/", route(spawned));
    let (server, store) = service(StreamLimits::default(), app).await;
    let right = body(500_000);
    let answer = put(server.addr(), "/", &right, &wrong(&right), Framing::Length).await;
    assert_eq!(outcome(&answer), REFUSED);
    assert!(store.committed().is_none());
    let answer = put(server.addr(), "/", &right, &right, Framing::Chunked(9_000)).await;
    assert_eq!(outcome(&answer).0, 200);
}

fn echo() -> Router<Store> {
    Router::new().route("/", route(async |body: Body| body))
}

#[tokio::test]
async fn an_echo_is_misconfigured_unless_answers_may_come_before_the_end() {
    let limits = StreamLimits::default().with_idle(Duration::from_secs(1));
    let (server, _) = service(limits.clone(), echo()).await;
    let right = body(100_000);
    for framing in [Framing::Length, Framing::Chunked(10_000)] {
        let answer = put(server.addr(), "/", &right, &right, framing).await;
        assert_eq!(outcome(&answer), (500, "misconfigured"), "{framing:?}");
    }
    let (server, _) = service(limits.with_answers_before_end(), echo()).await;
    for framing in [Framing::Length, Framing::Chunked(10_000)] {
        let answer = put(server.addr(), "/", b"hello echo", b"hello echo", framing).await;
        assert_eq!(outcome(&answer).0, 200, "{framing:?}");
        assert!(answer.contains("hello echo"), "{answer}");
        let answer = put(server.addr(), "/", b"hello echo", b"hello Echo", framing).await;
        assert!(!is_complete(&answer), "{framing:?}: {answer}");
    }
}

/// Returns whether an HTTP/1.1 client takes the answer for a whole one.
fn is_complete(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => body.ends_with("0\r\n\r\n"),
    }
}

/// A handler that ignores the body's error must not end its early answer as if all were well.
#[tokio::test]
async fn an_early_answer_ends_with_an_error_if_the_body_fails() {
    async fn early(State(store): State<Store>, mut body: StreamedBody) -> Response {
        store.begin();
        tokio::spawn(async move { while let Ok(Some(_)) = body.chunk().await {} });
        "an answer with a length".into_response()
    }
    async fn chunked(State(store): State<Store>, body: StreamedBody) -> Response {
        store.begin();
        drop(body);
        let pieces = futures::stream::iter(["one ", "two"].map(Ok::<_, std::io::Error>));
        Body::from_stream(pieces).into_response()
    }
    let app = Router::new()
        .route("/early", route(early))
        .route("/chunked", route(chunked));
    let limits = StreamLimits::default().with_answers_before_end();
    let (server, store) = service(limits, app).await;
    for path in ["/early", "/chunked"] {
        for framing in [Framing::Length, Framing::Chunked(2)] {
            let answer = put(server.addr(), path, b"body", b"body", framing).await;
            assert!(is_complete(&answer), "{path}, {framing:?}: {answer}");
            let answer = put(server.addr(), path, b"body", b"bodx", framing).await;
            assert!(!is_complete(&answer), "{path}, {framing:?}: {answer}");
        }
    }
    assert_eq!(store.begun(), 8);
}

#[tokio::test]
async fn the_head_of_an_early_answer_comes_before_the_body() {
    let limits = StreamLimits::default().with_answers_before_end();
    let (server, _) = service(limits, echo()).await;
    let mut upload = Upload::new(server.addr(), "/", b"abc").await;
    upload.send_head(None).await;
    let mut head = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut upload.stream, &mut head)
        .await
        .unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    upload.send_chunk(b"abc").await;
    upload.send_chunk(b"").await;
    assert!(is_complete(&format!(
        "{}{}",
        "HTTP/1.1 200",
        upload.answer().await
    )));
}
