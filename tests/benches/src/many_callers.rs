//! One service with few or many derived callers, and a stream of their requests with those of
//! strangers among them. The service is reached directly, or over a connection in memory.

use std::{convert::Infallible, io::Write, time::SystemTime};

use axum::body::Body;
use bytes::Bytes;
use countersign::{
    DerivedCallers, DerivedKeyring, MemoryReplayStore, PayloadDigest, RootKey, Secret, Signer,
    SigningKey, Timestamp, Verifier,
};
use futures::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    runtime::{Builder, Runtime},
};
use tower::util::MapRequest;
use tower_countersign::{RequestBody, VerifyLayer};
use tower_layer::Layer;
use tower_service::Service as _;

use crate::request::{self, HOST};

const CALLEE: &str = "user-service";

/// Of so many requests one is a stranger's.
const STRANGERS: usize = 5;

fn root() -> RootKey {
    RootKey::new("2026-01", &request::secret()).unwrap()
}

/// The service, which derives the key of each caller.
#[derive(Debug)]
pub struct Service {
    layer: VerifyLayer<DerivedKeyring, MemoryReplayStore>,
    /// Sets the timers of bodies that are drained.
    runtime: Runtime,
}

impl Service {
    /// With room for so many callers.
    pub fn new(callers: usize) -> Self {
        let verifier = Verifier::builder().expected_hosts([HOST]);
        let verifier = verifier.build().unwrap();
        let none = DerivedCallers::deny::<[&str; 0]>([]);
        let keys = DerivedKeyring::builder(CALLEE, none, &verifier).root(root());
        let store = MemoryReplayStore::builder()
            .quota_per_caller(1 << 20)
            .callers(callers)
            .build()
            .unwrap();
        let layer = VerifyLayer::new(keys.build().unwrap()).with_verifier(verifier);
        let runtime = Builder::new_current_thread().enable_time().build();
        Self {
            layer: layer.with_replay_store(store),
            runtime: runtime.unwrap(),
        }
    }

    /// Whether the request was handled.
    pub fn call(&self, request: Request<Body>) -> bool {
        let _entered = self.runtime.enter();
        let answer = self.layer.layer(Handler).call(request);
        // Nothing of it waits: keys and store are in memory, and the bodies are whole.
        answer.now_or_never().unwrap().unwrap().status() == StatusCode::OK
    }
}

/// A connection to the service over HTTP/1.1, without a socket. Both ends are of one thread.
#[derive(Debug)]
pub struct Connection {
    client: DuplexStream,
    runtime: Runtime,
    answers: Vec<u8>,
}

/// Room for all requests of a turn.
const BUFFER: usize = 1 << 20;

impl Service {
    /// Connects to the service.
    pub fn connect(self) -> Connection {
        let (client, server) = tokio::io::duplex(BUFFER);
        let into_body = |request: Request<Incoming>| request.map(Body::new);
        let service = MapRequest::new(self.layer.layer(Handler), into_body);
        let service = TowerToHyperService::new(service);
        self.runtime.spawn(
            http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(server), service),
        );
        Connection {
            client,
            runtime: self.runtime,
            answers: Vec::new(),
        }
    }
}

impl Connection {
    /// Sends requests one after the other without waiting. Returns how many were handled.
    pub fn call(&mut self, requests: &[u8], count: usize) -> usize {
        let Self {
            client, answers, ..
        } = self;
        self.runtime.block_on(async {
            client.write_all(requests).await.unwrap();
            answers.clear();
            while memmem::find_iter(answers, "HTTP/1.1 ").count() < count {
                let read = client.read_buf(answers).await.unwrap();
                assert!(read > 0, "the connection ended");
            }
        });
        memmem::find_iter(&self.answers, "HTTP/1.1 200 ").count()
    }
}

#[derive(Clone, Copy, Debug)]
struct Handler;

impl tower_service::Service<Request<RequestBody>> for Handler {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<RequestBody>) -> Self::Future {
        std::future::ready(Ok(Response::new(Body::empty())))
    }
}

/// Requests of callers in turn, and of strangers.
#[derive(Debug)]
pub struct Stream {
    signers: Vec<Signer>,
    next: usize,
    ahead: Vec<Request<Body>>,
}

impl Stream {
    /// Of so many callers.
    pub fn new(callers: usize) -> Self {
        let root = root();
        let signer = |number: usize| {
            let caller = format!("caller-{number}");
            let secret = root.derive_for(&caller, CALLEE).unwrap();
            Signer::new(&caller, SigningKey::hmac_sha256(&secret), [HOST]).unwrap()
        };
        Self {
            signers: (0..callers).map(signer).collect(),
            next: 0,
            ahead: Vec::new(),
        }
    }

    /// Signs the next requests of so many callers, each with a new nonce, with those of strangers
    /// among them.
    pub fn sign_ahead(&mut self, requests: usize) {
        let impostor = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let impostor = Signer::new("caller-1", impostor, [HOST]).unwrap();
        let now: Timestamp = SystemTime::now().into();
        for _ in 0..requests {
            let number = self.next;
            self.next = number.wrapping_add(1);
            if number.is_multiple_of(STRANGERS) {
                self.ahead.push(stranger(number / STRANGERS, &impostor));
            }
            let signer = self.signers.get(number % self.signers.len());
            self.ahead.push(signed(signer.unwrap(), now));
        }
    }

    /// What was signed ahead, as it goes over a connection, and how many requests it is.
    pub fn written(&mut self) -> (Vec<u8>, usize) {
        let mut written = Vec::new();
        let requests = self.ahead.drain(..);
        let count = requests.map(|request| write(request, &mut written)).count();
        (written, count)
    }

    /// What was signed ahead.
    pub fn ahead(&mut self) -> impl Iterator<Item = Request<Body>> {
        self.ahead.drain(..)
    }
}

fn signed(signer: &Signer, now: Timestamp) -> Request<Body> {
    let body = Bytes::from_static(b"{\"amount\":1}");
    let mut parts = request::unsigned(body.len());
    let signature = signer.sign(&parts, PayloadDigest::of(&body), now);
    signature.unwrap().apply(&mut parts);
    Request::from_parts(parts, Body::from(body))
}

/// A stranger: without a signature, with a wrong one, with an old one, and with one that cannot be
/// read.
fn stranger(number: usize, impostor: &Signer) -> Request<Body> {
    let now: Timestamp = SystemTime::now().into();
    match number % 4 {
        0 => Request::from_parts(request::unsigned(0), Body::empty()),
        1 => signed(impostor, now),
        2 => signed(impostor, Timestamp::from_unix_seconds(0)),
        _ => {
            let mut unreadable = signed(impostor, now);
            let value = HeaderValue::from_static("HMAC-SHA256 credential=caller-1");
            let headers = unreadable.headers_mut();
            headers.insert(http::header::AUTHORIZATION, value);
            unreadable
        }
    }
}

fn write(request: Request<Body>, into: &mut Vec<u8>) {
    let (head, body) = request.into_parts();
    writeln!(into, "{} {} HTTP/1.1\r", head.method, head.uri).unwrap();
    for (name, value) in &head.headers {
        into.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    into.extend(b"\r\n");
    let body = http_body_util::BodyExt::collect(body).now_or_never();
    into.extend(body.unwrap().unwrap().to_bytes());
}
