//! Bodies that the handler reads while they are verified: what the handler sees, what it may
//! commit, and what the peer is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests panic where a constant is wrong"
)]

mod answers;
mod bodies;
mod limits;
mod relay;
mod routes;
mod uploads;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use countersign::{Keyring, PayloadDigest};
use http::Request;
use tests::{
    keys, raw,
    signed::{self, AUTHORITY},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower_countersign::{BodyMode, VerifiedCaller, VerifyLayer};

/// A layer that streams every route.
fn layer() -> VerifyLayer<Keyring> {
    let key = keys::hmac_key(keys::SECRET);
    VerifyLayer::new(keys::keyring("billing", &key))
        .with_expected_hosts([AUTHORITY])
        .unwrap()
        .with_body_mode(BodyMode::Stream)
        .unwrap()
}

/// What handlers did. Clones share it.
#[derive(Clone, Default)]
struct Store(Arc<Inner>);

#[derive(Default)]
struct Inner {
    begun: AtomicU32,
    errors: AtomicU32,
    staged: Mutex<Vec<u8>>,
    committed: Mutex<Option<Vec<u8>>>,
}

impl Store {
    fn begin(&self) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        self.0.staged.lock().unwrap().clear();
    }

    fn stage(&self, piece: &[u8]) {
        self.0.staged.lock().unwrap().extend_from_slice(piece);
    }

    fn error(&self) {
        self.0.errors.fetch_add(1, Ordering::SeqCst);
    }

    /// Publishes what was staged. Only a verified caller can.
    fn commit(&self, _caller: &VerifiedCaller) {
        *self.0.committed.lock().unwrap() = Some(self.0.staged.lock().unwrap().clone());
    }

    fn begun(&self) -> u32 {
        self.0.begun.load(Ordering::SeqCst)
    }

    fn errors(&self) -> u32 {
        self.0.errors.load(Ordering::SeqCst)
    }

    fn staged(&self) -> Vec<u8> {
        self.0.staged.lock().unwrap().clone()
    }

    fn committed(&self) -> Option<Vec<u8>> {
        self.0.committed.lock().unwrap().clone()
    }
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// With `Content-Length`.
    Length,
    /// In chunks of this length.
    Chunked(usize),
}

/// An upload on its own connection.
struct Upload {
    head: String,
    stream: TcpStream,
}

impl Upload {
    /// Connects, and signs a PUT of `body` to `path`. Sends nothing.
    async fn new(addr: SocketAddr, path: &str, body: &[u8]) -> Self {
        let head = signed_head(path, body);
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { head, stream }
    }

    /// Sends the head with this length, or for chunks.
    async fn send_head(&mut self, length: Option<usize>) {
        let framing = match length {
            Some(length) => format!("content-length: {length}\r\n"),
            None => "transfer-encoding: chunked\r\n".to_owned(),
        };
        let head = format!("{}{framing}connection: close\r\n\r\n", self.head);
        self.send(head.as_bytes()).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        // A server that has refused the body may have closed the connection.
        let _: Result<(), _> = self.stream.write_all(bytes).await;
    }

    async fn send_chunk(&mut self, data: &[u8]) {
        self.send(&chunk(data)).await;
    }

    /// Returns all that the server still sends.
    async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let _: Result<usize, _> = self.stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Returns one chunk of HTTP/1.1's chunked coding; the last chunk for no data.
fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// Returns the head of a PUT of `body`, signed, without framing and without its empty line.
fn signed_head(path: &str, body: &[u8]) -> String {
    let request = Request::put(format!("http://{AUTHORITY}{path}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let now = std::time::SystemTime::now().into();
    let signature = signed::billing().sign(&parts, PayloadDigest::of(body), now);
    signature.unwrap().apply(&mut parts);
    signed::head(&parts)
}

/// Signs a PUT of `declared`, sends `sent`, and returns the answer.
async fn put(
    addr: SocketAddr,
    path: &str,
    declared: &[u8],
    sent: &[u8],
    framing: Framing,
) -> String {
    let mut upload = Upload::new(addr, path, declared).await;
    match framing {
        Framing::Length => {
            upload.send_head(Some(sent.len())).await;
            upload.send(sent).await;
        }
        Framing::Chunked(size) => {
            upload.send_head(None).await;
            let mut bytes = Vec::new();
            for piece in sent.chunks(size) {
                bytes.extend_from_slice(&chunk(piece));
            }
            bytes.extend_from_slice(&chunk(b""));
            upload.send(&bytes).await;
        }
    }
    upload.answer().await
}

/// Returns the status and the code of an answer.
fn outcome(answer: &str) -> (u16, &str) {
    let code = answer.split("{\"error\":\"").nth(1);
    let code = code.and_then(|rest| rest.split('"').next());
    (raw::status(answer), code.unwrap_or_default())
}

/// Returns a body of this length without a period.
fn body(length: usize) -> Bytes {
    let mut state = 1_u32;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    bytes.take(length).collect()
}

const REFUSED: (u16, &str) = (401, "body_mismatch");
