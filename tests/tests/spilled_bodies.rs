//! Bodies that are verified first, and held in a file until the handler reads them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests panic where a constant is wrong"
)]

use std::{
    convert::Infallible,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::DefaultBodyLimit, routing::put};
use bytes::Bytes;
use countersign::{ConfigErrorKind, Keyring, PayloadDigest, Verifier};
use http::{Method, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tests::{
    client,
    directory::Directory,
    keys,
    server::Server,
    signed::{self, AUTHORITY},
};
use tower::ServiceExt;
use tower_countersign::{
    BodyMode, Refusal, SpillLimits, StreamedBody, VerifiedCaller, VerifyLayer,
};

const MIB: usize = 1024 * 1024;

fn in_memory() -> VerifyLayer<Keyring> {
    let key = keys::hmac_key(keys::SECRET);
    let layer = VerifyLayer::new(keys::keyring("billing", &key));
    layer.with_expected_hosts([AUTHORITY]).unwrap()
}

fn layer(limits: SpillLimits) -> VerifyLayer<Keyring> {
    let layer = in_memory().with_spill(limits);
    layer.with_body_mode(BodyMode::Spill).unwrap()
}

fn in_directory(directory: &Directory) -> SpillLimits {
    SpillLimits::in_directory(directory.path()).unwrap()
}

/// A service that returns the length and the digest of what it read.
fn app(limits: SpillLimits) -> (Router, Arc<AtomicU32>) {
    let runs = Arc::new(AtomicU32::new(0));
    let run = Arc::clone(&runs);
    let handler = async move |caller: VerifiedCaller, body: Bytes| {
        run.fetch_add(1, Ordering::SeqCst);
        assert_eq!(caller.id().as_str(), "billing");
        format!("{:?}", PayloadDigest::of(&body))
    };
    let app = Router::new()
        .route("/", put(handler))
        .layer(DefaultBodyLimit::disable())
        .layer(layer(limits));
    (app, runs)
}

/// Signs `declared` and attaches `sent`.
fn upload<B>(declared: &[u8], sent: B) -> Request<B> {
    let request = Request::put(format!("http://{AUTHORITY}/"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let now = std::time::SystemTime::now().into();
    let signature = signed::billing().sign(&parts, PayloadDigest::of(declared), now);
    signature.unwrap().apply(&mut parts);
    Request::from_parts(parts, sent)
}

/// Returns a body without a declared length, in frames of this size.
fn framed(body: &Bytes, size: usize) -> Body {
    let frames: Vec<_> = body
        .chunks(size)
        .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

fn bytes(length: usize) -> Bytes {
    let cycle = (0..=250_u8).cycle();
    cycle.take(length).collect()
}

fn files(directory: &Directory) -> usize {
    fs::read_dir(directory.path()).unwrap().count()
}

async fn code(answer: http::Response<impl http_body::Body<Data = Bytes>>) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await;
    let body = body.unwrap_or_else(|_| panic!("a body")).to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_verified_body_of_any_length_reaches_the_handler_byte_for_byte() {
    let directory = Directory::new();
    let (app, runs) = app(in_directory(&directory));
    let server = Server::axum(app).await;
    let lengths = [0, 1, 70_000, 256 * 1024, 256 * 1024 + 1, 3 * MIB, 100 * MIB];
    for length in lengths {
        let body = bytes(length);
        let request = upload(&body, Full::new(body.clone()));
        let answer = client::http1(server.addr()).request(request).await.unwrap();
        let expected = format!("{:?}", PayloadDigest::of(&body));
        assert_eq!(code(answer).await, (200, expected), "{length}");
        assert_eq!(files(&directory), 0, "{length}: no name at any time");
    }
    let body = bytes(2 * MIB);
    for size in [1_000, 100_000, MIB] {
        let request = upload(&body, framed(&body, size));
        let answer = client::http2(server.addr()).request(request).await.unwrap();
        assert_eq!(answer.status(), 200, "frames of {size}");
    }
    assert_eq!(
        runs.load(Ordering::SeqCst),
        u32::try_from(lengths.len()).unwrap() + 3
    );
}

#[tokio::test]
async fn a_wrong_body_never_reaches_the_handler_and_can_be_sent_again() {
    let directory = Directory::new();
    let (app, runs) = app(in_directory(&directory));
    for length in [10, MIB] {
        let right = bytes(length);
        let mut wrong = right.to_vec();
        wrong[length - 1] ^= 1;
        let signed = upload(&right, ());
        let with = |body: Vec<u8>| signed.clone().map(|()| Body::from(body));
        let answer = app.clone().oneshot(with(wrong)).await.unwrap();
        let refused = (401, "{\"error\":\"body_mismatch\"}".to_owned());
        assert_eq!(code(answer).await, refused, "{length}");
        let answer = app.clone().oneshot(with(right.to_vec())).await.unwrap();
        assert_eq!(answer.status(), 200, "{length}: the nonce was not used");
        let answer = app.clone().oneshot(with(right.to_vec())).await.unwrap();
        let replayed = (401, "{\"error\":\"replayed\"}".to_owned());
        assert_eq!(code(answer).await, replayed, "{length}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_a_slow_or_a_long_one_is_refused() {
    let directory = Directory::new();
    let limits = in_directory(&directory)
        .with_max_bytes(1_000_000)
        .with_idle(Duration::from_millis(50));
    let (app, runs) = app(limits);
    let long = bytes(1_000_001);
    let broken = futures::stream::iter([
        Ok(Frame::data(bytes(600_000))),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ]);
    let silent = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    for (name, body, expected) in [
        ("declared", Body::from(long.clone()), (413, "too_large")),
        ("by bytes", framed(&long, 10_000), (413, "too_large")),
        (
            "broken off",
            Body::new(StreamBody::new(broken)),
            (401, "body_mismatch"),
        ),
        (
            "silent",
            Body::new(StreamBody::new(silent)),
            (408, "timeout"),
        ),
    ] {
        let answer = app.clone().oneshot(upload(&long, body)).await.unwrap();
        let (status, text) = code(answer).await;
        assert_eq!(status, expected.0, "{name}");
        assert!(text.contains(expected.1), "{name}: {text}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_fault_of_the_disk_is_unavailable_and_never_the_fault_of_the_peer() {
    let directory = Directory::new();
    let (app, runs) = app(in_directory(&directory));
    let body = bytes(MIB);
    let small = bytes(1_000);
    drop(directory);
    let answer = app
        .clone()
        .oneshot(upload(&body, Body::from(body.clone())))
        .await
        .unwrap();
    let refusal: &Refusal = answer.extensions().get().unwrap();
    let reason = refusal.to_string();
    assert!(reason.starts_with("body storage unavailable: "), "{reason}");
    let unavailable = (503, "{\"error\":\"unavailable\"}".to_owned());
    assert_eq!(code(answer).await, unavailable);
    let answer = app
        .clone()
        .oneshot(upload(&small, Body::from(small.clone())))
        .await
        .unwrap();
    assert_eq!(
        answer.status(),
        200,
        "a body that fits into memory needs no disk"
    );
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_budget_that_is_used_up_is_unavailable_before_a_byte_is_read() {
    let directory = Directory::new();
    let limits = in_directory(&directory)
        .with_total_bytes(3_000_000)
        .with_caller_bytes(2_000_000);
    let (app, _) = app(limits);
    let body = bytes(1_500_000);

    // Holds 1.2 MB of the caller's 2 MB.
    let (mut sender, held) = http_body_util::channel::Channel::<Bytes, Infallible>::new(16);
    let mut first = Box::pin(app.clone().oneshot(upload(&body, Body::new(held))));
    for piece in body.chunks(300_000).take(4) {
        let piece = Bytes::copy_from_slice(piece);
        sender.send_data(piece).await.unwrap();
    }
    for _ in 0..100 {
        assert!(futures::poll!(&mut first).is_pending());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let unread =
        futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> {
            panic!("read before it was admitted")
        });
    let unread = futures::StreamExt::map(unread, |data| data.map(Frame::data));
    let mut request = upload(&body, Body::new(Declared(StreamBody::new(unread))));
    // Over HTTP/1.1, a refused body is drained.
    *request.version_mut() = http::Version::HTTP_2;
    let answer = app.clone().oneshot(request).await.unwrap();
    let refusal: &Refusal = answer.extensions().get().unwrap();
    let reason = refusal.to_string();
    assert!(
        reason.contains("SpillLimits::with_caller_bytes"),
        "{reason}"
    );
    assert_eq!(answer.status(), 503);

    drop(first);
    drop(sender);
    let answer = app
        .oneshot(upload(&body, Body::from(body.clone())))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "the space is free again");
}

/// A body that declares 1.5 MB.
struct Declared<B>(B);

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for Declared<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(1_500_000)
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropped_uploads_leave_no_descriptor_and_no_space_behind() {
    let directory = Directory::new();
    let limits = in_directory(&directory).with_total_bytes(1_500_000);
    let (app, _) = app(limits);
    let body = bytes(1_500_000);
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    for _ in 0..50 {
        let (mut sender, held) = http_body_util::channel::Channel::<Bytes, Infallible>::new(16);
        sender.send_data(body.slice(..700_000)).await.unwrap();
        let call = app.clone().oneshot(upload(&body, Body::new(held)));
        let _: Result<_, _> = tokio::time::timeout(Duration::from_millis(10), call).await;
    }
    for _ in 0..200 {
        if open() <= before + 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(open() <= before + 2, "{before} before, {} after", open());
    assert_eq!(files(&directory), 0);
    let answer = app
        .oneshot(upload(&body, Body::from(body.clone())))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn the_body_itself_gives_the_caller_and_a_streamed_body_is_of_another_mode() {
    let directory = Directory::new();
    let inner = tower::service_fn(async |request: Request<tower_countersign::RequestBody>| {
        let caller = request.into_body().verified().await.unwrap();
        Ok::<_, Infallible>(http::Response::new(Body::from(caller.id().to_string())))
    });
    let service = tower::Layer::layer(&layer(in_directory(&directory)), inner);
    for length in [1, MIB] {
        let body = bytes(length);
        let request = upload(&body, Full::new(body.clone()));
        let answer = service.clone().oneshot(request).await.unwrap();
        assert_eq!(code(answer).await, (200, "billing".to_owned()), "{length}");
    }
    let handler = put(async |_: StreamedBody| StatusCode::OK);
    let app = Router::new()
        .route("/", handler)
        .layer(layer(in_directory(&directory)));
    let answer = app.oneshot(upload(b"a", Body::from("a"))).await.unwrap();
    assert_eq!(answer.status(), 500);
}

#[test]
fn a_mode_without_a_directory_or_on_a_route_that_signs_the_body_is_refused() {
    let directory = Directory::new();
    let refused = |result: Result<VerifyLayer<Keyring>, countersign::ConfigError>, text: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Setting);
        assert!(error.to_string().contains(text), "{error}");
    };
    refused(in_memory().with_body_mode(BodyMode::Spill), "with_spill");
    let routes = [(Method::PUT, "/a")];
    refused(
        in_memory().with_body_mode_for(BodyMode::Spill, routes),
        "with_spill",
    );
    let (_, drf) = keys::django();
    let verifier = Verifier::builder().accept(drf).build().unwrap();
    let spilling = in_memory()
        .with_verifier(verifier)
        .with_spill(in_directory(&directory));
    refused(spilling.with_body_mode(BodyMode::Spill), "POST /drf");
    let missing = directory.path().join("missing");
    let error = SpillLimits::in_directory(missing).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Setting);
    assert!(
        error.to_string().contains("directory for bodies"),
        "{error}"
    );
}
