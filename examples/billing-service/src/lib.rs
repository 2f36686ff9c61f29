//! A service that signs its calls: it asks `user-service` whether an account may be billed.
//!
//! # Run with
//!
//! Run `user-service` in one terminal and this service in another, with one key in both:
//!
//! ```sh
//! export KEY=$(openssl rand -hex 32)
//! SERVICE_SECRETS="{\"billing\":\"$KEY\"}" cargo run -p user-service &
//! SERVICE_NAME=billing SERVICE_SECRETS="{\"user-service\":\"$KEY\"}" cargo run -p billing-service
//! ```
//!
//! | variable | value | default |
//! |---|---|---|
//! | `LISTEN_ADDR` | the address to listen on | `127.0.0.1:8080` |
//! | `USER_SERVICE_URL` | `http://HOST` or `http://HOST:PORT` | `http://127.0.0.1:8081` |
//! | `SERVICE_NAME` | the name this service signs as | required |
//! | `SERVICE_SECRETS` | JSON of callee name to key, with one for `user-service` | required |
//! | `RUST_LOG` | the events logged on standard error | `info` |
//!
//! Note that `SERVICE_SECRETS` names the *other* service on both sides: callers there, callees
//! here. A wrong variable ends the program with exit code 2.
//!
//! Anyone may call this service: it is at the edge of the system. An inner service would verify its
//! callers as `user-service` does.
//!
//! # Transcript
//!
//! An invoice for an active account, and one for a suspended account:
//!
//! ```text
//! $ curl -i -H 'content-type: application/json' -d '{"account":7,"amount_cents":1200}' \
//!     http://127.0.0.1:8080/invoices
//! HTTP/1.1 201 Created
//! {"id":1,"account":7,"amount_cents":1200}
//!
//! $ curl -i -H 'content-type: application/json' -d '{"account":13,"amount_cents":1200}' \
//!     http://127.0.0.1:8080/invoices
//! HTTP/1.1 409 Conflict
//! {"error":"account_suspended"}
//! ```
//!
//! If `user-service` does not know the key, this service logs the refusal and answers:
//!
//! ```text
//! HTTP/1.1 502 Bad Gateway
//! {"error":"user_service_unavailable"}
//! ```

mod config;
mod user_service;

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

pub use self::{
    config::Config,
    user_service::{BaseUrl, Status, UserService, UserServiceError},
};

/// Builds the service for this user service.
///
/// ```
/// use billing_service::{BaseUrl, UserService};
/// use countersign::{Secret, Signer, SigningKey};
///
/// let base: BaseUrl = "http://127.0.0.1:8081".parse()?;
/// let key = SigningKey::hmac_sha256(&Secret::generate()?);
/// let signer = Signer::new("billing", key, [base.authority()])?;
/// let app: axum::Router = billing_service::app(UserService::new(base, signer));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub fn app(users: UserService) -> Router {
    let billing = Billing {
        users,
        invoices: Arc::default(),
    };
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/invoices", post(create))
        .with_state(billing)
}

#[derive(Clone, Debug)]
struct Billing {
    users: UserService,
    invoices: Arc<AtomicU64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    account: u64,
    amount_cents: NonZeroU64,
}

#[derive(Debug, Serialize)]
struct Invoice {
    id: u64,
    account: u64,
    amount_cents: NonZeroU64,
}

async fn create(
    State(billing): State<Billing>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Invoice>), Refused> {
    match billing.users.status(order.account).await {
        Ok(Status::Active) => {}
        Ok(Status::Suspended) => return Err(Refused::AccountSuspended),
        Err(error) => {
            tracing::error!(account = order.account, %error, "no status");
            return Err(Refused::UserServiceUnavailable);
        }
    }
    let before = billing.invoices.fetch_add(1, Ordering::Relaxed);
    let invoice = Invoice {
        id: before.saturating_add(1),
        account: order.account,
        amount_cents: order.amount_cents,
    };
    Ok((StatusCode::CREATED, Json(invoice)))
}

/// The reasons why no invoice is created.
#[derive(Debug)]
enum Refused {
    AccountSuspended,
    UserServiceUnavailable,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code) = match self {
            Self::AccountSuspended => (StatusCode::CONFLICT, "account_suspended"),
            Self::UserServiceUnavailable => (StatusCode::BAD_GATEWAY, "user_service_unavailable"),
        };
        (status, Json(serde_json::json!({ "error": code }))).into_response()
    }
}
