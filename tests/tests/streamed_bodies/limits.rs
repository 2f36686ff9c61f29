//! Limits on length, time and memory, and the state after aborted uploads.

use std::time::Duration;

use axum::{Router, routing::put as route};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use tests::{server::Server, signed};
use tokio::time::sleep;
use tower::{Layer, ServiceExt};
use tower_countersign::{BodyError, BodyErrorKind, BodyLimits, StreamLimits, StreamedBody};

use super::{Framing, Store, Upload, body, layer, outcome, put, uploads};

async fn service(limits: StreamLimits, slow: Duration) -> Server {
    let handler = move |mut body: StreamedBody| async move {
        while body.chunk().await?.is_some() {
            sleep(slow).await;
        }
        body.verified().await?;
        Ok::<_, BodyError>(StatusCode::CREATED)
    };
    let app = Router::new().route("/", route(handler));
    Server::axum(app.layer(layer().with_stream_limits(limits))).await
}

const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test]
async fn a_body_over_its_limit_is_refused_before_the_handler_if_it_says_so() {
    let (server, store) = {
        let store = Store::default();
        let seen = store.clone();
        let handler = move |mut body: StreamedBody| async move {
            seen.begin();
            while let Some(piece) = body.chunk().await? {
                seen.stage(&piece);
            }
            Ok::<_, BodyError>(StatusCode::CREATED)
        };
        let limits = StreamLimits::default().with_max_bytes(1_000);
        let app = Router::new().route("/", route(handler));
        let app = app.layer(layer().with_stream_limits(limits));
        (Server::axum(app).await, store)
    };
    let long = body(1_001);
    let answer = put(server.addr(), "/", &long, &long, Framing::Length).await;
    assert_eq!(outcome(&answer), (413, "too_large"));
    assert_eq!(store.begun(), 0, "declared");
    let answer = put(server.addr(), "/", &long, &long, Framing::Chunked(100)).await;
    assert_eq!(outcome(&answer), (413, "too_large"));
    assert_eq!(store.begun(), 1, "by bytes");
    assert!(store.staged().len() <= 1_000);
    let fits = body(1_000);
    for framing in [Framing::Length, Framing::Chunked(100)] {
        let answer = put(server.addr(), "/", &fits, &fits, framing).await;
        assert_eq!(outcome(&answer).0, 201, "{framing:?}");
    }
}

#[tokio::test]
async fn a_peer_that_sends_nothing_more_is_refused_after_the_idle_time() {
    let limits = StreamLimits::default().with_idle(Duration::from_millis(200));
    let server = service(limits, AT_ONCE).await;
    let mut upload = Upload::new(server.addr(), "/", b"a body").await;
    upload.send_head(Some(6)).await;
    upload.send(b"a bo").await;
    assert_eq!(outcome(&upload.answer().await), (408, "timeout"));
}

#[tokio::test]
async fn a_peer_below_the_least_rate_is_refused() {
    let limits = StreamLimits::default()
        .with_idle(Duration::from_millis(400))
        .with_least_rate(1_000_000);
    let server = service(limits, AT_ONCE).await;
    let mut upload = Upload::new(server.addr(), "/", &body(10_000)).await;
    upload.send_head(Some(10_000)).await;
    for byte in body(200).chunks(1) {
        upload.send(byte).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(outcome(&upload.answer().await), (408, "timeout"));
}

#[tokio::test]
async fn a_body_that_takes_longer_than_the_total_is_refused() {
    let limits = StreamLimits::default()
        .with_least_rate(0)
        .with_total(Duration::from_millis(300));
    let server = service(limits, AT_ONCE).await;
    let mut upload = Upload::new(server.addr(), "/", &body(10_000)).await;
    upload.send_head(Some(10_000)).await;
    for byte in body(100).chunks(1) {
        upload.send(byte).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(outcome(&upload.answer().await), (408, "timeout"));
}

/// The handler takes ten times the idle time, which is not the peer's fault.
#[tokio::test]
async fn a_slow_handler_is_no_fault_of_the_peer() {
    let limits = StreamLimits::default()
        .with_idle(Duration::from_millis(100))
        .with_least_rate(1);
    let server = service(limits, Duration::from_millis(200)).await;
    let sent = body(5);
    let answer = put(server.addr(), "/", &sent, &sent, Framing::Chunked(1)).await;
    assert_eq!(outcome(&answer).0, 201);
}

/// The budget is too small for one piece: the fault of the service, not of the peer.
#[tokio::test]
async fn a_full_budget_is_unavailable() {
    let limits = BodyLimits::default().with_caller_bytes(100);
    let store = Store::default();
    let seen = store.clone();
    let handler = move |mut body: StreamedBody| async move {
        match body.chunk().await {
            Err(error) if error.kind() == BodyErrorKind::Storage => seen.error(),
            found => panic!("found {found:?}"),
        }
        StatusCode::CREATED
    };
    let app = Router::new().route("/", route(handler));
    let server = Server::axum(app.layer(layer().with_body_limits(limits))).await;
    let sent = body(5_000);
    let answer = put(server.addr(), "/", &sent, &sent, Framing::Length).await;
    assert_eq!(outcome(&answer), (503, "unavailable"));
    assert_eq!(store.errors(), 1);
}

/// Two pieces of one byte are all that all streamed bodies together may hold here. The handler
/// panics if a piece is refused.
#[tokio::test]
async fn memory_is_given_back_as_pieces_are_read_and_when_a_request_is_dropped() {
    let inner = tower::service_fn(async |request: Request<tower_countersign::RequestBody>| {
        let mut body = request.into_body();
        for _ in 0..3 {
            let frame = body.frame().await.unwrap()?;
            assert_eq!(frame.data_ref().map(bytes::Bytes::len), Some(1));
        }
        // Never answers, and holds the body.
        std::future::pending::<()>().await;
        drop(body);
        Ok::<_, tower_countersign::BoxError>(http::Response::new(axum::body::Body::empty()))
    });
    let limits = BodyLimits::default().with_total_bytes(2);
    let service = layer().with_body_limits(limits).layer(inner);
    for _ in 0..1_000 {
        let request = signed::now(&signed::billing(), signed::post("/", "abcdefgh"));
        let pieces = ["a", "b", "c", "d"].map(|piece| {
            let frame = http_body::Frame::data(bytes::Bytes::from(piece));
            Ok::<_, std::convert::Infallible>(frame)
        });
        let pieces =
            futures::StreamExt::chain(futures::stream::iter(pieces), futures::stream::pending());
        let request = request.map(|_| StreamBody::new(pieces));
        let call = service.clone().oneshot(request);
        // Polled as far as it goes, and dropped in the middle of its body.
        assert!(futures::FutureExt::now_or_never(call).is_none());
    }
    // If one of them had kept a byte, the last would not have reached its third piece.
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn aborted_uploads_leave_no_descriptor_behind() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let (server, store) = uploads::service().await;
    let sent = body(100_000);
    let abort = async || {
        let begun = store.begun();
        let mut upload = Upload::new(server.addr(), "/upload", &sent).await;
        upload.send_head(Some(sent.len())).await;
        upload.send(&sent[..50_000]).await;
        while store.begun() == begun {
            tokio::task::yield_now().await;
        }
    };
    abort().await;
    let before = open();
    for _ in 0..200 {
        abort().await;
    }
    for _ in 0..500 {
        if open() <= before + 2 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("{before} descriptors before, {} after", open());
}
