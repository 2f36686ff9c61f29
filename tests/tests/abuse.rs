//! Hostile uploads over real sockets: memory is bounded, unauthenticated bodies stay unread, and
//! nothing hangs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use countersign::{CallerKey, Keyring, PayloadDigest, Signer};
use futures::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Collected, Full};
use tests::{
    client,
    keys::{OTHER_SECRET, SECRET, hmac_key, signer},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use tower_countersign::{BodyLimits, VerifiedCaller, VerifyLayer};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Returns the head of a signed POST with a body of this length. The digest is that of the body.
fn head(signer: &Signer, path: &str, digest: PayloadDigest, length: usize) -> Vec<u8> {
    let (mut parts, _) = signed::post(path, "").into_parts();
    let now = std::time::SystemTime::now().into();
    signer.sign(&parts, digest, now).unwrap().apply(&mut parts);
    format!(
        "{}content-length: {length}\r\nconnection: close\r\n\r\n",
        signed::head(&parts)
    )
    .into_bytes()
}

fn impostor() -> Signer {
    signer("billing", hmac_key(OTHER_SECRET), AUTHORITY)
}

/// The longest wait of a test. It only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(300);

async fn within<F: Future>(name: &str, future: F) -> F::Output {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{name}: hangs"))
}

/// Reads an answer to its end. A reset after the answer counts as the end.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _: Result<usize, _> = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn connect(addr: SocketAddr, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(first).await.unwrap();
    stream
}

// Memory. The server is a separate process.

#[cfg(target_os = "linux")]
mod memory {
    use std::{
        fs,
        io::{BufRead, BufReader, Write},
        process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    };

    use super::*;

    /// The memory of a connection besides the bodies: hyper's buffer, which the server keeps small,
    /// and its task.
    const OF_A_CONNECTION: usize = 64 * KIB;

    struct Process {
        child: Child,
        input: ChildStdin,
        output: BufReader<ChildStdout>,
        addr: SocketAddr,
    }

    impl Process {
        async fn start(max: usize, total: usize, caller: usize) -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_abuse_server"))
                .args([max, total, caller].map(|size| size.to_string()))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut port = String::new();
            output.read_line(&mut port).unwrap();
            let process = Self {
                input: child.stdin.take().unwrap(),
                output,
                addr: SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap())),
                child,
            };
            // The first request pays for everything that later requests share.
            let first = signed::now(&billing(), signed::post("/", "body"));
            let text = raw::exchange(process.addr, &signed::bytes(&first)).await;
            assert_eq!(raw::status(&text), 200, "{text}");
            process
        }

        /// Returns the number of body bytes that the server has read so far.
        fn body_bytes_read(&mut self) -> usize {
            self.ask("count")
        }

        /// Releases the bodies that the handler holds, repeatedly, because others may be on their
        /// way.
        async fn release(&mut self) -> ! {
            loop {
                self.ask("release");
                sleep(Duration::from_millis(50)).await;
            }
        }

        fn ask(&mut self, question: &str) -> usize {
            writeln!(self.input, "{question}").unwrap();
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            line.trim().parse().unwrap()
        }

        /// Returns `VmRSS`, the memory that is resident now, or `VmHWM`, its maximum, in bytes.
        fn resident(&self, field: &str) -> usize {
            let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
            let line = status.lines().find(|line| line.starts_with(field)).unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<usize>()
                .unwrap()
                * KIB
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[tokio::test]
    async fn two_hundred_slow_uploads_of_strangers_cost_next_to_nothing() {
        const UPLOADS: usize = 200;
        let mut server = Process::start(20 * MIB, 64 * MIB, 32 * MIB).await;
        let read_before = server.body_bytes_read();
        let before = server.resident("VmRSS");
        let digest = PayloadDigest::of(&[0]);
        let uploads = (0..UPLOADS).map(|upload| {
            let unknown = signer("nobody", hmac_key(SECRET), AUTHORITY);
            let stranger = [impostor(), unknown][upload % 2].clone();
            let head = head(&stranger, "/", digest, 10 * MIB);
            let addr = server.addr;
            async move {
                let mut stream = connect(addr, &head).await;
                let (mut receive, mut send) = stream.split();
                let mut text = Vec::new();
                let trickle = async {
                    if upload % 4 < 2 {
                        sleep(Duration::from_secs(5)).await;
                    }
                    while send.write_all(&[b'x'; KIB]).await.is_ok() {
                        sleep(Duration::from_millis(5)).await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    _ = receive.read_to_end(&mut text) => {}
                    () = trickle => {}
                }
                (upload % 4 < 2, String::from_utf8_lossy(&text).into_owned())
            }
        });
        for (listens, text) in within("uploads", join_all(uploads)).await {
            if !listens && text.is_empty() {
                // On HTTP/1.1 a client that is still sending may see a reset and no answer.
                continue;
            }
            assert_eq!(raw::status(&text), 401, "{text}");
            assert!(text.contains("invalid_signature"), "{text}");
        }
        let growth = server.resident("VmHWM").saturating_sub(before);
        assert!(growth <= 16 * MIB, "grew by {growth} bytes");
        assert_eq!(
            server.body_bytes_read(),
            read_before,
            "their bodies were read"
        );
    }

    /// Short bodies are drained: a peer that sends first and reads later sees the refusal, unless
    /// too many are drained at a time.
    #[tokio::test]
    async fn two_hundred_bad_uploads_at_once_that_are_drained_cost_next_to_nothing() {
        const UPLOADS: usize = 200;
        let mut server = Process::start(20 * MIB, 64 * MIB, 32 * MIB).await;
        let read_before = server.body_bytes_read();
        let before = server.resident("VmRSS");
        let body = Arc::new(vec![b'x'; 3 * MIB / 2]);
        let uploads = (0..UPLOADS).map(|_| {
            let (body, addr) = (Arc::clone(&body), server.addr);
            tokio::spawn(async move {
                let head = head(&impostor(), "/", PayloadDigest::of(&[0]), body.len());
                let mut stream = connect(addr, &head).await;
                // A body that is not drained may be cut off.
                let _: Result<(), _> = stream.write_all(&body).await;
                answer(&mut stream).await
            })
        });
        let mut told = 0;
        for text in within("uploads", join_all(uploads)).await {
            let text = text.unwrap();
            if !text.is_empty() {
                assert_eq!(raw::status(&text), 401, "{text}");
                told += 1;
            }
        }
        let growth = server.resident("VmHWM").saturating_sub(before);
        let read = server.body_bytes_read() - read_before;
        println!("{told} of {UPLOADS} saw 401; read {read} bytes, grew by {growth}");
        assert!(told > 0, "none saw why");
        assert!(growth <= 16 * MIB, "grew by {growth} bytes");
        assert!(read <= UPLOADS * body.len());
    }

    #[tokio::test]
    async fn two_hundred_uploads_of_a_caller_stay_within_its_share() {
        const UPLOADS: usize = 200;
        const SHARE: usize = 16 * MIB;
        let mut server = Process::start(MIB, 32 * MIB, SHARE).await;
        let before = server.resident("VmRSS");
        let body = Arc::new(vec![b'x'; MIB - KIB]);
        let digest = PayloadDigest::of(&body);
        let answered = Arc::new(AtomicUsize::new(0));
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|_| {
                let head = head(&billing(), "/hold", digest, body.len());
                let (body, answered) = (Arc::clone(&body), Arc::clone(&answered));
                let addr = server.addr;
                tokio::spawn(async move {
                    let mut stream = connect(addr, &head).await;
                    let (mut receive, mut send) = stream.split();
                    let mut text = Vec::new();
                    let upload = async {
                        // A refused upload is cut off.
                        let _: Result<(), _> = send.write_all(&body).await;
                    };
                    let (_, ()) = tokio::join!(receive.read_to_end(&mut text), upload);
                    answered.fetch_add(1, Ordering::SeqCst);
                    String::from_utf8_lossy(&text).into_owned()
                })
            })
            .collect();
        // The handler holds as many as fit. Every other request is answered.
        let fit = SHARE / body.len();
        let rest = async {
            while answered.load(Ordering::SeqCst) < UPLOADS - fit {
                sleep(Duration::from_millis(10)).await;
            }
        };
        within("refusals", rest).await;
        let growth = server.resident("VmHWM").saturating_sub(before);
        let answers = async {
            tokio::select! {
                answers = join_all(uploads) => answers,
                never = server.release() => never,
            }
        };
        let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
        for text in within("answers", answers).await {
            // On HTTP/1.1 a client that is still sending may see a reset and no answer.
            let text = text.unwrap();
            let status = if text.is_empty() {
                0
            } else {
                raw::status(&text)
            };
            *statuses.entry(status).or_default() += 1;
        }
        let accepted = statuses.remove(&200).unwrap_or(0);
        let refused = statuses.remove(&503).unwrap_or(0) + statuses.remove(&0).unwrap_or(0);
        // Abandoned bodies held memory for a while.
        assert!(
            (1..=fit).contains(&accepted),
            "{accepted} were accepted at a time"
        );
        assert_eq!(accepted + refused, UPLOADS, "{statuses:?}");
        let most = SHARE + UPLOADS * OF_A_CONNECTION;
        assert!(growth <= most, "grew by {growth} bytes, more than {most}");
    }

    #[tokio::test]
    async fn one_good_head_sent_two_hundred_times_stays_within_its_callers_share() {
        const UPLOADS: usize = 200;
        const SHARE: usize = 16 * MIB;
        let mut server = Process::start(MIB, 32 * MIB, SHARE).await;
        let before = server.resident("VmRSS");
        let body = Arc::new(vec![b'x'; MIB - KIB]);
        let head = head(&billing(), "/", PayloadDigest::of(&body), body.len());
        let uploads = (0..UPLOADS).map(|_| {
            let (body, head) = (Arc::clone(&body), head.clone());
            let addr = server.addr;
            tokio::spawn(async move {
                let mut stream = connect(addr, &head).await;
                let (mut receive, mut send) = stream.split();
                let mut text = Vec::new();
                let upload = async {
                    // All are sent at once, so that no claim refuses another copy early.
                    let (most, last) = body.split_at(body.len() - 1);
                    let _: Result<(), _> = send.write_all(most).await;
                    sleep(Duration::from_secs(1)).await;
                    let _: Result<(), _> = send.write_all(last).await;
                };
                let (_, ()) = tokio::join!(receive.read_to_end(&mut text), upload);
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        let mut handled = 0;
        for text in within("answers", join_all(uploads)).await {
            let text = text.unwrap();
            match if text.is_empty() {
                0
            } else {
                raw::status(&text)
            } {
                200 => handled += 1,
                0 | 503 => {}
                401 => assert!(text.contains("replayed"), "{text}"),
                _ => panic!("{text}"),
            }
        }
        assert_eq!(handled, 1);
        let growth = server.resident("VmHWM").saturating_sub(before);
        let most = SHARE + UPLOADS * OF_A_CONNECTION;
        assert!(growth <= most, "grew by {growth} bytes, more than {most}");
        assert!(server.body_bytes_read() < 200 * MIB);
    }

    #[tokio::test]
    async fn a_body_in_chunks_of_one_byte_takes_the_memory_of_its_bytes() {
        const UPLOADS: usize = 20;
        const LENGTH: usize = 32 * KIB;
        let mut server = Process::start(MIB, 32 * MIB, 32 * MIB).await;
        let read_before = server.body_bytes_read();
        let before = server.resident("VmRSS");
        let body = vec![b'x'; LENGTH];
        let digest = PayloadDigest::of(&body);
        let chunks = Arc::new("1\r\nx\r\n".repeat(LENGTH) + "0\r\n\r\n");
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|_| {
                let head = String::from_utf8(head(&billing(), "/hold", digest, 0)).unwrap();
                let head = head.replacen("content-length: 0", "transfer-encoding: chunked", 1);
                let chunks = Arc::clone(&chunks);
                let addr = server.addr;
                tokio::spawn(async move {
                    let mut stream = connect(addr, head.as_bytes()).await;
                    stream.write_all(chunks.as_bytes()).await.unwrap();
                    answer(&mut stream).await
                })
            })
            .collect();
        let arrived = async {
            while server.body_bytes_read() - read_before < UPLOADS * LENGTH {
                sleep(Duration::from_millis(50)).await;
            }
        };
        within("the bodies", arrived).await;
        // All of them are held.
        let growth = server.resident("VmHWM").saturating_sub(before);
        let answers = async {
            tokio::select! {
                answers = join_all(uploads) => answers,
                never = server.release() => never,
            }
        };
        for text in within("answers", answers).await {
            let text = text.unwrap();
            assert_eq!(raw::status(&text), 200, "{text}");
        }
        // 640 KiB of bodies. Chunks that are kept one by one would take more than 32 bytes for each
        // byte.
        let most = UPLOADS * (LENGTH + OF_A_CONNECTION) + 2 * MIB;
        assert!(growth <= most, "grew by {growth} bytes, more than {most}");
    }
}

// Wrong lengths and slow bodies.

fn app(limits: BodyLimits) -> Router {
    let key = |secret| CallerKey::new("1", hmac_key(secret).verifying_key()).unwrap();
    let keys = Keyring::builder()
        .caller("billing", key(SECRET))
        .caller("orders", key(OTHER_SECRET))
        .build()
        .unwrap();
    Router::new()
        .fallback(any(async |caller: VerifiedCaller, body: Bytes| {
            format!("{} sent {} bytes", caller.id(), body.len())
        }))
        .layer(VerifyLayer::new(keys).with_body_limits(limits))
}

/// Name, head, body, whether the sending side ends there, status, expected text of the answer.
type Case<'c> = (&'c str, Vec<u8>, &'c [u8], bool, u16, &'c str);

#[tokio::test]
async fn a_body_of_another_length_than_declared_gets_a_clear_answer() {
    let limits = BodyLimits::default().with_max_bytes(1000);
    // The deadline is short only in the cases that expect it, so that a busy machine cannot reach
    // it in the others.
    let server = async |deadline| Server::axum(app(limits.clone().with_deadline(deadline))).await;
    let patient = server(PATIENCE).await;
    let impatient = server(Duration::from_millis(300)).await;
    let hello = PayloadDigest::of(b"hello");
    let hello_world = PayloadDigest::of(b"hello world");
    let long = vec![b'x'; 2000];
    let chunked = |digest| {
        let head = String::from_utf8(head(&billing(), "/", digest, 0)).unwrap();
        head.replacen("content-length: 0", "transfer-encoding: chunked", 1)
            .into_bytes()
    };
    let cases: Vec<Case<'_>> = vec![
        (
            "as declared",
            head(&billing(), "/", hello_world, 11),
            b"hello world",
            false,
            200,
            "11 bytes",
        ),
        (
            "larger, signed as declared",
            head(&billing(), "/", hello, 5),
            b"hello world",
            false,
            200,
            "5 bytes",
        ),
        (
            "larger, signed as sent",
            head(&billing(), "/", hello_world, 5),
            b"hello world",
            false,
            401,
            "body_mismatch",
        ),
        (
            "smaller, then the end",
            head(&billing(), "/", hello, 11),
            b"hello",
            true,
            401,
            "body_mismatch",
        ),
        (
            "smaller, then silence",
            head(&billing(), "/", hello, 11),
            b"hello",
            false,
            408,
            "timeout",
        ),
        (
            "nothing, then silence",
            head(&billing(), "/", hello, 5),
            b"",
            false,
            408,
            "timeout",
        ),
        (
            "nothing, then the end",
            head(&billing(), "/", hello, 5),
            b"",
            true,
            401,
            "body_mismatch",
        ),
        (
            "declared over the limit",
            head(&billing(), "/", hello, 1001),
            b"",
            false,
            413,
            "too_large",
        ),
        (
            "declared as 2^63",
            head(&billing(), "/", hello, 1 << 62),
            b"",
            false,
            413,
            "too_large",
        ),
        (
            "a chunk of 4 GiB",
            chunked(hello),
            b"100000000\r\nhello",
            false,
            408,
            "timeout",
        ),
        (
            "chunks over the limit",
            chunked(PayloadDigest::of(&long)),
            b"3e9\r\n",
            false,
            413,
            "too_large",
        ),
        (
            "chunks without an end",
            chunked(hello),
            b"5\r\nhello\r\n",
            false,
            408,
            "timeout",
        ),
        (
            "chunks that end early",
            chunked(hello),
            b"5\r\nhello\r\n",
            true,
            401,
            "body_mismatch",
        ),
    ];
    for (name, head, body, end, status, said) in cases {
        let server = if status == 408 { &impatient } else { &patient };
        let answered = async {
            let mut stream = connect(server.addr(), &head).await;
            stream.write_all(body).await.unwrap();
            if name == "chunks over the limit" {
                stream.write_all(&long[..1001]).await.unwrap();
            }
            if end {
                stream.shutdown().await.unwrap();
            }
            answer(&mut stream).await
        };
        let text = within(name, answered).await;
        if end && text.is_empty() {
            // If the peer has closed, the connection may be closed without an answer.
            continue;
        }
        assert_eq!(raw::status(&text), status, "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
}

#[tokio::test]
async fn over_http2_a_body_of_another_length_than_declared_is_not_accepted() {
    let limits = BodyLimits::default().with_deadline(Duration::from_millis(300));
    let server = Server::axum(app(limits)).await;
    for (name, declared, body) in [
        ("larger", "5", "hello world"),
        ("smaller", "11", "hello"),
        ("none", "5", ""),
    ] {
        let mut request = signed::now(&billing(), signed::post("/", body));
        let declared = declared.parse().unwrap();
        request.headers_mut().insert("content-length", declared);
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut http2, connection) =
            hyper::client::conn::http2::handshake::<_, _, Body>(executor, io)
                .await
                .unwrap();
        tokio::spawn(connection);
        // hyper does not know the length of this body, so it sends the declared length.
        let request = request.map(|body| {
            let frames = futures::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
            Body::from_stream(frames)
        });
        if let Ok(response) = within(name, http2.send_request(request)).await {
            let status = response.status();
            let body = response
                .into_body()
                .collect()
                .await
                .map(Collected::to_bytes);
            assert!(
                matches!(status.as_u16(), 400 | 401 | 408),
                "{name}: {status} {body:?}"
            );
        }
    }
}

/// A trickle that never stops is cut off at the deadline, at any rate of bytes.
#[tokio::test]
async fn a_trickle_is_cut_off_at_the_deadline() {
    let limits = BodyLimits::default().with_deadline(Duration::from_millis(200));
    let server = Server::axum(app(limits)).await;
    let mut stream = connect(
        server.addr(),
        &head(&billing(), "/", PayloadDigest::of(b"x"), MIB),
    )
    .await;
    let (mut receive, mut send) = stream.split();
    let mut text = Vec::new();
    let trickle = async {
        loop {
            if send.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    let answered = async {
        tokio::select! {
            _ = receive.read_to_end(&mut text) => {}
            () = trickle => {}
        }
    };
    within("the trickle", answered).await;
    let text = String::from_utf8_lossy(&text);
    assert_eq!(raw::status(&text), 408, "{text}");
}

#[tokio::test]
async fn slow_bodies_of_one_caller_leave_another_its_share() {
    let limits = BodyLimits::default()
        .with_max_bytes(100_000)
        .with_total_bytes(2_000_000)
        .with_caller_bytes(1_000_000);
    let server = Server::axum(app(limits)).await;
    let body = vec![b'x'; 100_000];
    let digest = PayloadDigest::of(&body);
    // Fifty uploads that hold back their last byte: ten times the caller's share.
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = connect(server.addr(), &head(&billing(), "/", digest, body.len())).await;
        let _: Result<(), _> = stream.write_all(&body[1..]).await;
        slow.push(stream);
    }
    let orders = signer("orders", hmac_key(OTHER_SECRET), AUTHORITY);
    let post = async |signer: &Signer, body: Vec<u8>| {
        let request = signed::now(signer, signed::post("/", body));
        let response = client::http1(server.addr())
            .request(request.map(Full::new))
            .await;
        response.unwrap().status().as_u16()
    };
    // When the share is used up, the caller has no memory for another body.
    let used_up = async {
        while post(&billing(), body.clone()).await != 503 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    within("the share", used_up).await;
    let others = (0..10).map(|_| post(&orders, body.clone()));
    assert_eq!(
        within("the other caller", join_all(others)).await,
        [200; 10]
    );
    // Requests without a body are served all the time.
    let get = signed::now(&billing(), signed::get("/")).map(Full::new);
    let response = client::http1(server.addr()).request(get).await.unwrap();
    assert_eq!(response.status(), 200);
    drop(slow);
    let given_back = async {
        while post(&billing(), body.clone()).await != 200 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    within("the share comes back", given_back).await;
}

#[tokio::test]
async fn a_refused_body_is_drained_no_further_than_said() {
    let layer = |keys| VerifyLayer::new(keys);
    let keys = tests::keys::keyring("billing", &hmac_key(SECRET));
    let app = |layer: VerifyLayer<Keyring>| Router::new().fallback(async || "handled").layer(layer);
    let second = Duration::from_millis(500);
    let drained = Server::axum(app(
        layer(keys.clone()).with_refused_body_drain(4 << 20, second)
    ))
    .await;
    let body = vec![b'x'; 2 * MIB];
    let refused = head(&impostor(), "/", PayloadDigest::of(&body), body.len());
    // A client that writes its whole body before it reads.
    for _ in 0..5 {
        let answered = async {
            let mut stream = connect(drained.addr(), &refused).await;
            stream.write_all(&body).await.unwrap();
            answer(&mut stream).await
        };
        let text = within("drained", answered).await;
        assert_eq!(raw::status(&text), 401, "{text}");
    }
    // A client that declares more than it sends is answered when the time is up.
    let silent = head(&impostor(), "/", PayloadDigest::of(b""), 3 * MIB);
    let mut stream = connect(drained.addr(), &silent).await;
    let text = within("the time", answer(&mut stream)).await;
    assert_eq!(raw::status(&text), 401, "{text}");
    // A client that sends more than is drained is answered when the limit is reached.
    let little = Server::axum(app(layer(keys).with_refused_body_drain(1000, 2 * PATIENCE))).await;
    let mut stream = connect(little.addr(), &silent).await;
    stream.write_all(&[b'x'; 2000]).await.unwrap();
    let text = within("the bytes", answer(&mut stream)).await;
    assert_eq!(raw::status(&text), 401, "{text}");
}

#[tokio::test]
async fn a_burst_of_every_refusal_leaves_a_server_that_still_serves() {
    let server = Server::axum(app(BodyLimits::default().with_max_bytes(1000))).await;
    let connections: Vec<_> = (0..4).map(|_| client::http2(server.addr())).collect();
    let calls = (0..400).map(|call| {
        let request: Request<Bytes> = match call % 5 {
            0 => signed::post("/", "unsigned"),
            1 => signed::now(&impostor(), signed::post("/", "impostor")),
            2 => signed::now(&billing(), signed::post("/", vec![b'x'; 2000])),
            3 => {
                let mut request = signed::now(&billing(), signed::post("/", "body"));
                *request.body_mut() = Bytes::from_static(b"bodx");
                request
            }
            _ => signed::now(&billing(), signed::post("/", "good")),
        };
        let call_of = connections[call % 4].request(request.map(Full::new));
        tokio::spawn(async move { (call % 5, call_of.await.unwrap().status().as_u16()) })
    });
    for answer in within("the burst", join_all(calls)).await {
        let (kind, status) = answer.unwrap();
        assert_eq!(status, [401, 401, 413, 401, 200][kind], "{kind}");
    }
}
