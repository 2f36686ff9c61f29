//! A service of ours that writes down what it is sent, so that a test can send it again with one
//! thing changed.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{OriginalUri, Request, State},
    middleware::{self, Next},
    response::Response,
};
use bytes::Bytes;
use countersign::{Keyring, PayloadDigest, Timestamp};
use http::{HeaderName, HeaderValue, Method, Uri, request::Parts, uri::PathAndQuery};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tests::server::Server;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_countersign::{VerifiedCaller, VerifyLayer};

type MakeLayer = Box<dyn Fn(&str) -> VerifyLayer<Keyring> + Send + Sync>;

/// The service, listening.
pub struct Service {
    server: Server,
    /// Makes the layer for a service of this authority, each time with a new replay store.
    make: MakeLayer,
    recorded: Recorded,
}

/// The requests that came in, in their order.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<Sent>>>);

/// A request as it came in.
#[derive(Clone)]
pub struct Sent {
    pub parts: Parts,
    pub body: Bytes,
}

/// What became of a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Service {
    pub async fn start(
        make: impl Fn(&str) -> VerifyLayer<Keyring> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let recorded = Recorded::default();
        let app =
            app(make(&authority)).layer(middleware::from_fn_with_state(recorded.clone(), record));
        Self {
            server: Server::on(listener.into_std().unwrap(), app),
            make: Box::new(make),
            recorded,
        }
    }

    pub fn url(&self) -> String {
        self.server.url("")
    }

    pub fn authority(&self) -> String {
        self.server.authority()
    }

    /// The requests that came in since the last call.
    pub fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.recorded.0.lock().unwrap())
    }

    /// The outcome of a request now, by a verifier that has seen no other.
    pub async fn judge(&self, sent: &Sent) -> Answer {
        self.judge_at(sent, SystemTime::now().into()).await
    }

    pub async fn judge_at(&self, sent: &Sent, now: Timestamp) -> Answer {
        let layer = (self.make)(&self.authority()).with_clock(move || now);
        let request = Request::from_parts(sent.parts.clone(), Body::from(sent.body.clone()));
        let response = app(layer).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }
}

fn app(verify: VerifyLayer<Keyring>) -> Router {
    Router::new().fallback(echo).layer(verify)
}

/// Says what the handler saw.
async fn echo(
    caller: VerifiedCaller,
    method: Method,
    uri: OriginalUri,
    body: Bytes,
) -> Json<Value> {
    Json(json!({
        "caller": caller.id().as_str(),
        "scheme": caller.scheme().name(),
        "method": method.as_str(),
        "target": uri.path_and_query().map(PathAndQuery::as_str),
        "len": body.len(),
        "sha256": PayloadDigest::of(&body).to_string(),
        "replay_protected": caller.replay_protected(),
        "idempotency_key": caller.idempotency_key(),
    }))
}

async fn record(State(recorded): State<Recorded>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut parts = parts;
    // What axum adds to a request is not part of it.
    parts.extensions.clear();
    let sent = Sent { parts, body };
    recorded.0.lock().unwrap().push(sent.clone());
    next.run(Request::from_parts(sent.parts, Body::from(sent.body)))
        .await
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    pub fn with_method(mut self, method: &str) -> Self {
        self.parts.method = method.parse().unwrap();
        self
    }

    /// With what the closure makes of path and query.
    pub fn with_target(mut self, change: impl FnOnce(&str) -> String) -> Self {
        let target = self.parts.uri.path_and_query().unwrap().as_str();
        self.parts.uri = change(target).parse::<Uri>().unwrap();
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        self.parts.headers.insert(name, value);
        self
    }

    pub fn with_header_added(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_str(value).unwrap();
        self.parts.headers.append(name, value);
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.parts.headers.remove(name);
        self
    }

    pub fn with_body(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut body = self.body.to_vec();
        change(&mut body);
        self.body = Bytes::from(body);
        self
    }
}

/// The head alone.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {:?}",
            self.parts.method, self.parts.uri, self.parts.headers
        )
    }
}
