//! The two services in Rust, for hosts without Python or Node. They have no signing code either.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use demo::client::Client;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tower_countersign::BoxError;

#[derive(Clone)]
struct Settings {
    client: Client,
    ledger: SocketAddr,
    secret: String,
}

/// As `services/orders.py`.
pub(crate) fn orders(ledger: SocketAddr, secret: &str) -> Router {
    let settings = Settings {
        client: Client::new(),
        ledger,
        secret: secret.to_owned(),
    };
    Router::new()
        .route("/healthz", get(async || Json(json!({}))))
        .route("/orders/7/pay", post(pay))
        .fallback(show)
        .with_state(settings)
}

impl Settings {
    /// Returns the verified caller. Only the proxy knows the secret.
    fn caller<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let secret = headers.get("countersign-secret")?;
        let is_proxy = secret.as_bytes().ct_eq(self.secret.as_bytes());
        if bool::from(is_proxy) {
            name(headers)
        } else {
            None
        }
    }
}

fn name(headers: &HeaderMap) -> Option<&str> {
    headers.get("countersign-caller")?.to_str().ok()
}

fn no_caller() -> Response {
    let refused = json!({ "error": "no_caller" });
    (StatusCode::UNAUTHORIZED, Json(refused)).into_response()
}

async fn show(State(settings): State<Settings>, headers: HeaderMap, body: String) -> Response {
    let Some(caller) = settings.caller(&headers) else {
        return no_caller();
    };
    if body.is_empty() {
        let received: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        return Json(json!({ "caller": caller, "received": received })).into_response();
    }
    let placed = json!({ "caller": caller, "body": body });
    (StatusCode::CREATED, Json(placed)).into_response()
}

async fn pay(State(settings): State<Settings>, headers: HeaderMap) -> Response {
    let Some(caller) = settings.caller(&headers) else {
        return no_caller();
    };
    match call_ledger(&settings, caller).await {
        Ok((status, answer)) => (status, Json(answer)).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn call_ledger(settings: &Settings, caller: &str) -> Result<(StatusCode, Value), BoxError> {
    let entry = json!({ "order": 7, "paid_by": caller });
    let request = http::Request::post(format!("http://{}/entries", settings.ledger))
        .header(CONTENT_TYPE, "application/json")
        .header("countersign-caller", "root")
        .body(Bytes::from(entry.to_string()))?;
    let response = settings.client.response(request).await?;
    let answer = serde_json::from_slice(response.body())?;
    Ok((response.status(), answer))
}

/// As `services/ledger.mjs`.
pub(crate) fn ledger() -> Router {
    Router::new().fallback(async |request: Request| {
        let Some(caller) = name(request.headers()) else {
            return no_caller();
        };
        let status = match request.method().as_str() {
            "POST" => StatusCode::CREATED,
            _ => StatusCode::OK,
        };
        (status, Json(json!({ "caller": caller }))).into_response()
    })
}
