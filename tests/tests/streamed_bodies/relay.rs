//! A handler that relays the body while it arrives.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    routing::put as route,
};
use http::{Request, StatusCode};
use tests::{client, server::Server};
use tower_countersign::StreamedBody;

use super::{Framing, REFUSED, body, layer, outcome, put};

/// The bodies that the upstream took for whole.
type Stored = Arc<Mutex<Vec<Bytes>>>;

async fn upstream() -> (Server, Stored) {
    let stored = Stored::default();
    let seen = Arc::clone(&stored);
    let handler = async move |body: Bytes| {
        seen.lock().unwrap().push(body);
        StatusCode::CREATED
    };
    let server = Server::axum(Router::new().route("/", route(handler))).await;
    (server, stored)
}

/// Without the held-back frame, a relay with `Content-Length` sends all bytes and never polls for
/// the error after the last one.
#[tokio::test]
async fn an_upstream_never_gets_a_complete_request_if_the_body_is_wrong() {
    for framing in [
        Framing::Length,
        Framing::Chunked(2),
        Framing::Chunked(1_000),
    ] {
        for length in [1, 10, 200_000] {
            if framing == Framing::Chunked(2) && length > 10 {
                continue;
            }
            let (upstream, stored) = upstream().await;
            let relay = async move |State(to): State<std::net::SocketAddr>, body: StreamedBody| {
                let request = Request::put(format!("http://{to}/")).body(body).unwrap();
                match client::http1(to).request(request).await {
                    Ok(answer) => answer.map(Body::new).map(|_| Body::empty()),
                    Err(_) => http::Response::builder()
                        .status(502)
                        .body(Body::empty())
                        .unwrap(),
                }
            };
            let app = Router::new().route("/", route(relay)).layer(layer());
            let server = Server::axum(app.with_state(upstream.addr())).await;
            let right = body(length);
            let mut wrong = right.to_vec();
            wrong[length - 1] ^= 1;
            let name = format!("{framing:?}, {length} bytes");

            let answer = put(server.addr(), "/", &right, &right, framing).await;
            assert_eq!(outcome(&answer).0, 201, "{name}");
            assert_eq!(
                *stored.lock().unwrap(),
                std::slice::from_ref(&right),
                "{name}"
            );

            let answer = put(server.addr(), "/", &right, &wrong, framing).await;
            assert_eq!(outcome(&answer), REFUSED, "{name}");
            assert_eq!(stored.lock().unwrap().len(), 1, "{name}");
        }
    }
}
