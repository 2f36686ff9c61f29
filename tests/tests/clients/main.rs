//! Clients of several services, and reqwest features that remain available to a signing client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

mod reqwest_builders;
mod targets;
mod targets_toml;

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::Request};
use http::{HeaderMap, Uri};
use http_body_util::BodyExt;
use tests::{
    keys::{hmac_key, keyring},
    server::Server,
};
use tower_countersign::{VerifiedCaller, VerifyLayer};

/// One request as the service received it.
#[derive(Clone, Debug)]
struct Seen {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// A service with its own authority that records the received requests.
struct Callee {
    server: Server,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Callee {
    /// Starts a service that `billing` calls with this key.
    fn verifying(key: &str) -> Self {
        Self::start(Some(key))
    }

    /// Starts a service that verifies nothing.
    fn open() -> Self {
        Self::start(None)
    }

    fn start(key: Option<&str>) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let all = Arc::clone(&seen);
        let handler = async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let caller = parts.extensions.get::<VerifiedCaller>();
            let caller = caller.map_or("nobody".to_owned(), |caller| caller.id().to_string());
            all.lock().unwrap().push(Seen {
                uri: parts.uri,
                headers: parts.headers,
                body,
            });
            caller
        };
        let mut app = Router::new().fallback(handler);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        if let Some(key) = key {
            let authority = listener.local_addr().unwrap().to_string();
            let keys = keyring("billing", &hmac_key(key));
            let verify = VerifyLayer::new(keys).with_expected_hosts([authority]);
            app = app.layer(verify.unwrap());
        }
        let server = Server::on(listener, app);
        Self { server, seen }
    }

    fn authority(&self) -> String {
        self.server.authority()
    }

    fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    fn only(&self) -> Seen {
        let seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}
