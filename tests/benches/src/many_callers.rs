//! One service with few or many derived callers, and a stream of their requests with those of strangers among them.

use std::{convert::Infallible, time::SystemTime};

use axum::body::Body;
use bytes::Bytes;
use countersign::{
    DerivedCallers, DerivedKeyring, MemoryReplayStore, PayloadDigest, RootKey, Secret, Signer,
    SigningKey, Timestamp, Verifier,
};
use futures::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
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

/// The service, which derives the key of whoever calls.
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

    /// Signs the next requests of so many callers, each with a nonce of its own, with those of strangers among them.
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

/// Somebody who is no caller: without a signature, with a wrong one, with an old one, and with one that cannot be read.
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
