//! Handlers that stage what they read, and commit once the body is verified.

use axum::{Router, body::Bytes, extract::State, routing::put as route};
use http::StatusCode;
use http_body_util::BodyExt;
use tests::server::Server;
use tower_countersign::{BodyError, RequestBody, StreamedBody};

use super::{Framing, REFUSED, Store, Upload, body, layer, outcome, put, signed_head};
use crate::chunk;

/// A service whose handler stages each piece, and commits with the verified caller.
pub(super) async fn service() -> (Server, Store) {
    async fn upload(
        State(store): State<Store>,
        mut body: StreamedBody,
    ) -> Result<StatusCode, BodyError> {
        store.begin();
        assert_eq!(body.caller().id().as_str(), "billing");
        loop {
            match body.chunk().await {
                Ok(Some(piece)) => store.stage(&piece),
                Ok(None) => break,
                Err(error) => {
                    store.error();
                    return Err(error);
                }
            }
        }
        store.commit(&body.verified().await?);
        Ok(StatusCode::CREATED)
    }
    let store = Store::default();
    let app = Router::new()
        .route("/upload", route(upload))
        .layer(layer())
        .with_state(store.clone());
    (Server::axum(app).await, store)
}

const FRAMINGS: [Framing; 4] = [
    Framing::Length,
    Framing::Chunked(1),
    Framing::Chunked(7_000),
    Framing::Chunked(usize::MAX),
];

#[tokio::test]
async fn a_right_upload_is_committed_byte_for_byte() {
    for framing in FRAMINGS {
        for length in [1, 2, 300, 70_000, 3_000_000] {
            if framing == Framing::Chunked(1) && length > 300 {
                continue;
            }
            let (server, store) = service().await;
            let sent = body(length);
            let answer = put(server.addr(), "/upload", &sent, &sent, framing).await;
            assert_eq!(outcome(&answer).0, 201, "{framing:?}, {length}: {answer}");
            assert!(
                store.committed().is_some_and(|found| found == sent),
                "{framing:?}, {length}"
            );
            assert_eq!(store.errors(), 0);
        }
    }
}

#[tokio::test]
async fn one_wrong_bit_is_an_error_before_the_last_byte_and_commits_nothing() {
    for framing in FRAMINGS {
        for length in [1, 300, 1_000_000] {
            if framing == Framing::Chunked(1) && length > 300 {
                continue;
            }
            for at in [0, length / 2, length - 1] {
                let declared = body(length);
                let mut sent = declared.to_vec();
                sent[at] ^= 1;
                let (server, store) = service().await;
                let answer = put(server.addr(), "/upload", &declared, &sent, framing).await;
                let name = format!("{framing:?}, bit in {at} of {length}");
                assert_eq!(outcome(&answer), REFUSED, "{name}");
                assert!(store.committed().is_none(), "{name}");
                assert_eq!((store.begun(), store.errors()), (1, 1), "{name}");
                assert!(
                    store.staged().len() < length,
                    "{name}: the last byte was held back"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_body_that_is_cut_at_any_frame_is_an_error_and_no_end() {
    let sent = body(40);
    for framing in [Framing::Length, Framing::Chunked(5)] {
        for frames in 0..8 {
            let (server, store) = service().await;
            let mut upload = Upload::new(server.addr(), "/upload", &sent).await;
            upload
                .send_head((framing == Framing::Length).then_some(40))
                .await;
            for piece in sent.chunks(5).take(frames) {
                match framing {
                    Framing::Length => upload.send(piece).await,
                    Framing::Chunked(_) => upload.send_chunk(piece).await,
                }
            }
            // Ends the request and can still read.
            tokio::io::AsyncWriteExt::shutdown(&mut upload.stream)
                .await
                .unwrap();
            let answer = upload.answer().await;
            let name = format!("{framing:?}, {frames} frames");
            // The handler may have been dropped with the connection.
            if !answer.is_empty() {
                assert_eq!(outcome(&answer), REFUSED, "{name}");
            }
            assert!(store.committed().is_none(), "{name}");
            assert!(store.staged().len() < 40, "{name}");
        }
    }
}

#[tokio::test]
async fn a_byte_more_or_less_than_was_signed_is_refused() {
    let declared = body(100);
    for (name, sent) in [("one more", body(101)), ("one less", body(99))] {
        for framing in [
            Framing::Length,
            Framing::Chunked(10),
            Framing::Chunked(1_000),
        ] {
            let (server, store) = service().await;
            let answer = put(server.addr(), "/upload", &declared, &sent, framing).await;
            assert_eq!(outcome(&answer), REFUSED, "{name}, {framing:?}");
            assert!(store.committed().is_none(), "{name}, {framing:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_body_is_judged_before_the_handler() {
    for framing in [Framing::Length, Framing::Chunked(1)] {
        let (server, store) = service().await;
        let answer = put(server.addr(), "/upload", b"", b"", framing).await;
        assert_eq!(outcome(&answer).0, 201, "{framing:?}");
        assert_eq!(store.committed(), Some(Vec::new()));
    }
    let (server, store) = service().await;
    let answer = put(server.addr(), "/upload", b"something", b"", Framing::Length).await;
    assert_eq!(outcome(&answer), REFUSED);
    assert_eq!(store.begun(), 0, "the handler must not run");
}

#[tokio::test]
async fn a_failed_upload_has_used_its_nonce() {
    let (server, store) = service().await;
    let right = body(1_000);
    let mut wrong = right.to_vec();
    wrong[500] ^= 1;
    let head = signed_head("/upload", &right);
    let send = async |bytes: &[u8]| {
        let stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
        let head = head.clone();
        let mut upload = Upload { head, stream };
        upload.send_head(Some(bytes.len())).await;
        upload.send(bytes).await;
        upload.answer().await
    };
    assert_eq!(outcome(&send(&wrong).await), REFUSED);
    assert_eq!(outcome(&send(&right).await), (401, "replayed"));
    assert_eq!((store.begun(), store.committed()), (1, None));
}

#[tokio::test]
async fn one_signed_upload_sent_twice_at_once_runs_one_handler() {
    let (server, store) = service().await;
    let sent = body(1_000);
    let head = signed_head("/upload", &sent);
    let mut first = Upload {
        head: head.clone(),
        stream: tokio::net::TcpStream::connect(server.addr()).await.unwrap(),
    };
    first.send_head(Some(1_000)).await;
    first.send(&sent[..500]).await;
    while store.begun() == 0 {
        tokio::task::yield_now().await;
    }
    let mut second = Upload {
        head,
        stream: tokio::net::TcpStream::connect(server.addr()).await.unwrap(),
    };
    second.send_head(Some(1_000)).await;
    second.send(&sent).await;
    assert_eq!(outcome(&second.answer().await), (401, "replayed"));
    first.send(&sent[500..]).await;
    assert_eq!(outcome(&first.answer().await).0, 201);
    assert_eq!(store.begun(), 1);
}

/// tower services get the layer's own body, without axum.
#[tokio::test]
async fn a_plain_service_gets_the_caller_from_the_body() {
    use tower::{Layer, ServiceExt, service_fn};
    let inner = service_fn(async |request: http::Request<RequestBody>| {
        let caller = request.into_body().verified().await;
        let text = match caller {
            Ok(caller) => caller.id().to_string(),
            Err(error) => format!("{:?}: {error}", error.kind()),
        };
        Ok::<_, tower_countersign::BoxError>(http::Response::new(axum::body::Body::from(text)))
    });
    let service = layer().layer(inner);
    for (name, sent, status, expected) in [
        ("right", "hello", 200, "billing"),
        ("wrong", "hellO", 401, "{\"error\":\"body_mismatch\"}"),
    ] {
        let request = tests::signed::post("/", "hello");
        let request = tests::signed::now(&tests::signed::billing(), request);
        let request = request.map(|_| http_body_util::Full::new(Bytes::from(sent)));
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(text, expected, "{name}");
    }
}

#[tokio::test]
async fn trailers_of_a_request_are_dropped() {
    let (server, store) = service().await;
    let sent = body(10);
    let mut upload = Upload::new(server.addr(), "/upload", &sent).await;
    upload.send_head(None).await;
    let bytes = [chunk(&sent), b"0\r\nx-trailer: yes\r\n\r\n".to_vec()].concat();
    upload.send(&bytes).await;
    assert_eq!(outcome(&upload.answer().await).0, 201);
    assert_eq!(store.committed(), Some(sent.to_vec()));
}
