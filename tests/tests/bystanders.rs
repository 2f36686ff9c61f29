//! Large bodies do not block other tasks of their worker thread. The tests measure bytes, not time:
//! the number of bytes that the thread hashes between a bystander's request and its answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    collections::VecDeque,
    convert::Infallible,
    io::{Read, Write},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    routing::{get, post},
};
use bytes::Bytes;
use countersign::{Signer, Verifier};
use http::Response;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full};
use tests::{
    keys::{SECRET, django, hmac_key, keyring},
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, SignLayer, SignedBody, VerifyLayer};

const KIB: u64 = 1024;
const MIB: usize = 1024 * 1024;

/// The number of bodies that are sent at a time in each direction, and their length.
const BODIES: usize = 2;
const LENGTH: usize = 10 * MIB;

/// The number of the bystander's requests.
const REQUESTS: usize = 201;

/// A body that passes its frames on in pieces of 16 KiB. The next piece is polled when the last one
/// is hashed. So the bytes passed on are the bytes hashed, give or take one piece.
struct Counted {
    body: Body,
    pieces: VecDeque<Bytes>,
    hashed: Arc<AtomicU64>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                let len = u64::try_from(piece.len()).unwrap();
                self.hashed.fetch_add(len, Ordering::SeqCst);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            let Some(Ok(frame)) = frame else {
                return Poll::Ready(frame);
            };
            let mut data = frame.into_data().unwrap();
            while !data.is_empty() {
                let piece = data.split_to(data.len().min(16 * 1024));
                self.pieces.push_back(piece);
            }
        }
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// Serves on one thread until `done`, with `busy` as the other work. Returns the address.
fn serve(
    app: Router,
    done: &Arc<AtomicBool>,
    busy: impl Future<Output = ()> + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let addr = listener.local_addr().unwrap();
    let done = Arc::clone(done);
    let serving = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            tokio::spawn(busy);
            while !done.load(Ordering::SeqCst) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
    });
    (addr, serving)
}

/// Returns the median of the bytes that were hashed between a request of the bystander and its
/// answer.
fn median(addr: SocketAddr, hashed: &AtomicU64, busy: impl Fn() -> bool) -> u64 {
    while !busy() {
        thread::yield_now();
    }
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    let mut counts: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let before = hashed.load(Ordering::SeqCst);
            stream
                .write_all(b"GET /bystander HTTP/1.1\r\nhost: a\r\n\r\n")
                .unwrap();
            // The handler returns the number, because this thread may have to wait for its turn.
            let mut answer = [0; 1024];
            let len = stream.read(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(answer.get(..len).unwrap());
            let (_, after) = answer.rsplit_once("\r\n\r\n").unwrap();
            after.parse::<u64>().unwrap().saturating_sub(before)
        })
        .collect();
    counts.sort_unstable();
    counts[REQUESTS / 2]
}

fn bystander(hashed: &Arc<AtomicU64>) -> Router {
    let hashed = Arc::clone(hashed);
    let handler = async move || hashed.load(Ordering::SeqCst).to_string();
    Router::new().route("/bystander", get(handler))
}

#[test]
fn a_bystander_is_served_while_large_bodies_are_verified() {
    let hashed = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let counting = from_fn({
        let hashed = Arc::clone(&hashed);
        move |request: Request, next: Next| {
            let hashed = Arc::clone(&hashed);
            next.run(request.map(|body| {
                Body::new(Counted {
                    body,
                    pieces: VecDeque::new(),
                    hashed,
                })
            }))
        }
    });
    let limits = BodyLimits::default().with_max_bytes(u64::try_from(LENGTH).unwrap());
    let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_body_limits(limits);
    let app = Router::new()
        .route("/", post(async || "handled"))
        .layer(layer)
        .layer(counting)
        .merge(bystander(&hashed));
    let (addr, serving) = serve(app, &done, async {});

    let enough = Arc::new(AtomicBool::new(false));
    let handled = Arc::new(AtomicUsize::new(0));
    let uploading: Vec<_> = (0..BODIES)
        .map(|_| {
            let (enough, handled) = (Arc::clone(&enough), Arc::clone(&handled));
            thread::spawn(move || {
                let body = Bytes::from(vec![b'x'; LENGTH]);
                let mut stream = std::net::TcpStream::connect(addr).unwrap();
                while !enough.load(Ordering::SeqCst) {
                    let request = signed::now(&billing(), signed::post("/", body.clone()));
                    let (parts, body) = request.into_parts();
                    let head = signed::head(&parts);
                    let head = format!("{head}content-length: {LENGTH}\r\n\r\n");
                    stream.write_all(head.as_bytes()).unwrap();
                    stream.write_all(&body).unwrap();
                    let mut answer = [0; 1024];
                    let len = stream.read(&mut answer).unwrap();
                    let answer = String::from_utf8_lossy(answer.get(..len).unwrap());
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    handled.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let median = median(addr, &hashed, || handled.load(Ordering::SeqCst) >= BODIES);
    enough.store(true, Ordering::SeqCst);
    for uploading in uploading {
        uploading.join().unwrap();
    }
    done.store(true, Ordering::SeqCst);
    serving.join().unwrap();
    println!("verified: {} KiB at the median", median / KIB);
    assert!(median <= 512 * KIB, "{median} bytes at the median");
}

#[test]
fn a_bystander_is_served_while_large_bodies_are_signed() {
    let hashed = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let signed = Arc::new(AtomicUsize::new(0));
    let busy = {
        let (hashed, signed) = (Arc::clone(&hashed), Arc::clone(&signed));
        async move {
            for _ in 0..BODIES {
                let (hashed, signed) = (Arc::clone(&hashed), Arc::clone(&signed));
                tokio::spawn(async move {
                    let frame = Bytes::from(vec![b'x'; 400 * 1024]);
                    let body = frame.repeat(LENGTH / frame.len());
                    let sent = service_fn(async |_: http::Request<SignedBody<Counted>>| {
                        Ok::<_, Infallible>(Response::new(()))
                    });
                    let layer = SignLayer::new(billing());
                    let layer = layer.with_buffer_bytes(u64::try_from(LENGTH).unwrap());
                    let sign = layer.layer(sent);
                    let body = Bytes::from(body);
                    loop {
                        let body = Body::new(Full::new(body.clone()));
                        let request = signed::post("/", "").map(|_| Counted {
                            body,
                            pieces: VecDeque::new(),
                            hashed: Arc::clone(&hashed),
                        });
                        sign.clone().oneshot(request).await.unwrap();
                        signed.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                    }
                });
            }
        }
    };
    let (addr, serving) = serve(bystander(&hashed), &done, busy);
    let median = median(addr, &hashed, || signed.load(Ordering::SeqCst) >= BODIES);
    done.store(true, Ordering::SeqCst);
    serving.join().unwrap();
    println!("signed: {} KiB at the median", median / KIB);
    assert!(median <= 512 * KIB, "{median} bytes at the median");
}

/// One frame of 1 MiB. The body must not be polled again before the frame is hashed.
struct OneFrame {
    frame: Option<Bytes>,
    turns: Arc<AtomicUsize>,
    at_the_end: Arc<AtomicUsize>,
}

impl http_body::Body for OneFrame {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frame.take();
        if frame.is_none() {
            let turns = self.turns.load(Ordering::SeqCst);
            self.at_the_end.store(turns, Ordering::SeqCst);
        }
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame))))
    }
}

/// Returns the number of turns that another task of the thread gets while one frame of this length
/// is read in this way.
async fn turns<F: Future<Output = ()>>(
    len: usize,
    read: impl FnOnce(Bytes, OneFrame) -> F,
) -> usize {
    let turns = Arc::new(AtomicUsize::new(0));
    let at_the_end = Arc::new(AtomicUsize::new(0));
    let other = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    });
    let body = Bytes::from(vec![b'x'; len]);
    let frame = OneFrame {
        frame: Some(body.clone()),
        turns: Arc::clone(&turns),
        at_the_end: Arc::clone(&at_the_end),
    };
    let before = turns.load(Ordering::SeqCst);
    read(body, frame).await;
    other.abort();
    at_the_end.load(Ordering::SeqCst).saturating_sub(before)
}

/// The runtime of these tests has one thread, on which tasks take turns.
#[tokio::test]
async fn another_task_gets_a_turn_for_every_64_kib_of_a_frame_and_none_for_less() {
    let verify = async |len| {
        let layer = VerifyLayer::new(keyring("billing", &hmac_key(SECRET)));
        let app = Router::new()
            .route("/", post(async || "handled"))
            .layer(layer);
        let read = async |body: Bytes, frame: OneFrame| {
            let request = signed::now(&billing(), signed::post("/", body));
            let response = app.oneshot(request.map(|_| Body::new(frame))).await;
            assert_eq!(response.unwrap().status(), 200);
        };
        turns(len, read).await
    };
    let sign = async |len| {
        let sent = service_fn(async |_: http::Request<SignedBody<OneFrame>>| {
            Ok::<_, Infallible>(Response::new(()))
        });
        let sign = SignLayer::new(billing()).layer(sent);
        let read = async |_: Bytes, frame: OneFrame| {
            let request = signed::post("/", "").map(|_| frame);
            sign.oneshot(request).await.unwrap();
        };
        turns(len, read).await
    };
    for (name, len, expected) in [
        ("64 KiB", 64 * 1024, 0),
        ("64 KiB and one byte", 64 * 1024 + 1, 1),
        ("1 MiB", MIB, 15),
    ] {
        assert_eq!(verify(len).await, expected, "verified: {name}");
        assert_eq!(sign(len).await, expected, "signed: {name}");
    }
}

/// In report-only mode, a signed body is verified while its handler reads it. A handler that knows
/// that a frame is the last one polls no further.
#[tokio::test]
async fn a_large_frame_that_ends_a_body_is_judged_in_slices_and_to_its_end() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _listening = metrics::set_default_local_recorder(&recorder);
    let (key, verify_settings) = django();
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let layer = VerifyLayer::new(keyring("django", &key))
        .with_verifier(verifier)
        .insecure_report_only();
    let handler = async |request: Request| {
        let mut body = request.into_body();
        let mut read = 0;
        while !body.is_end_stream() {
            let frame = body.frame().await.unwrap().unwrap();
            read += frame.into_data().unwrap().len();
        }
        read.to_string()
    };
    let app = Router::new().route("/drf", post(handler)).layer(layer);
    let body = vec![b'x'; MIB];
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let request = signed::now_in_full(&signer, signed::post("/drf", body));
    let response = app.oneshot(request.map(Body::from)).await.unwrap();
    let read = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(read, MIB.to_string());
    let counted = handle.render();
    let accepted = counted.lines().find(|line| {
        line.starts_with("countersign_decisions_total{") && line.contains("outcome=\"accepted\"")
    });
    assert!(accepted.is_some(), "{counted}");
}
