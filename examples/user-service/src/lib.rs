//! A service that verifies its callers. It returns account statuses and an echo. `billing-service`
//! calls it.
//!
//! # Run with
//!
//! ```sh
//! KEY=$(openssl rand -hex 32)
//! SERVICE_SECRETS="{\"billing\":\"$KEY\"}" EXPECTED_HOSTS=127.0.0.1:8081 cargo run -p user-service
//! ```
//!
//! ## Variables
//!
//! Callers in the scheme `HMAC-SHA256`:
//!
//! - `LISTEN_ADDR`: the address to listen on. Default: `127.0.0.1:8081`.
//! - `SERVICE_SECRETS`: the callers, JSON of name to key, 64 hexadecimal digits. Required, unless
//!   `KEYS_FILE` is set.
//! - `ROTATING_SERVICE_SECRETS`: second keys in the same form, during a rotation.
//! - `EXPECTED_HOSTS`: the hosts of this service as callers write them in URLs, separated by
//!   commas. By default any host is accepted.
//! - `HOST_FORM`: `as-sent` (default), or `strip-port` for callers that sign their host without its
//!   port.
//!
//! Other schemes, each off by default:
//!
//! - `SIGV4_KEYS`: callers that sign as for AWS, JSON of access key id to secret. The access key id
//!   is the caller's name.
//! - `SIGV4_REGION`, `SIGV4_SERVICE`: the scope of those signatures. Default: `us-east-1`,
//!   `execute-api`.
//! - `SIGV4_UNCOVERED_HEADERS`: `x-amz-…` headers that a trusted hop adds, such as CloudFront's
//!   `x-amz-cf-id`, separated by commas. Other uncovered headers are refused.
//! - `SIGV4_LENIENT_QUERIES`: `repeated-names` accepts queries with a repeated name. `any-escapes`
//!   accepts queries with needless or lower-case escapes or a semicolon. A comma separates both.
//!   [`SigV4VerifySettings`](countersign::SigV4VerifySettings) documents the risk of each.
//! - `MESSAGE_SIGNATURE_KEYS`: callers that sign by RFC 9421, JSON of `keyid` to an `hmac-sha256`
//!   secret in Base64. The `keyid` is the caller's name.
//! - `MESSAGE_SIGNATURE_ED25519_KEYS`: the same with Ed25519 public keys in Base64. Needs
//!   `EXPECTED_HOSTS`.
//! - `DRF_SECRET`, `DRF_CALLER`: the text of a secret and the name of its holder, a Django service
//!   that signs timestamp and body.
//! - `WEBHOOK_SECRET`, `WEBHOOK_CALLER`: a `whsec_…` secret and the name of its holder, a sender of
//!   Standard Webhooks.
//! - `WEBHOOK_SECRET_TEXT`: in place of `WEBHOOK_SECRET`, the secret as text, for a sender that
//!   uses the text as the MAC key.
//! - `WEBHOOK_HEADERS`: `standard` (default), or `standard-or-svix` for a sender of `svix-id`,
//!   `svix-timestamp` and `svix-signature`.
//!
//! Files, reloaded when they change:
//!
//! - `KEYS_FILE`: a TOML file of callers for [`Keyring::from_toml`](Keyring::from_toml), in
//!   addition to the callers of the variables.
//! - `POLICY_FILE`: a policy in TOML for [`Policy::from_toml`](countersign::Policy::from_toml), or
//!   a resource policy in a `.json` file for [`Policy::from_json`](countersign::Policy::from_json).
//!   Without a policy, every caller may call everything.
//!
//! Policies in JSON:
//!
//! - `POLICY_REGION`, `POLICY_ACCOUNT`, `POLICY_API`, `POLICY_STAGE`: the parts of this service's
//!   resources, `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`. Default: `us-east-1`,
//!   `000000000000`, `user-service`, `prod`.
//! - `POLICY_ACCOUNTS`: JSON of account to a list of its callers, such as
//!   `{"111111111111":["billing"]}`. A policy with an unknown account is refused.
//! - `POLICY_SHARED`: `true` if several APIs share the policy. Resources of other APIs are then
//!   kept out, each with an event. By default they are refused.
//!
//! Operation:
//!
//! - `REDIS_URL`: the shared replay store, a URL for [`RedisReplayStore::from_url`]. By default
//!   nonces are kept in memory.
//! - `REDIS_INSECURE_ASSUME_NOEVICTION`: `true` if the user of `REDIS_URL` may not run `INFO`, and
//!   the operator has set `maxmemory-policy noeviction`. By default claims of such a user are
//!   refused with 503.
//! - `INSECURE_REPORT_ONLY`: `true` to verify, log and count, but refuse nothing. Or the routes for
//!   which this holds, such as `POST /api/echo, GET /api/account/{id}`; routes that do not exist
//!   are not detected. With `POLICY_FILE`, the policy reports only too, and routes cannot be named.
//! - `METRICS_ADDR`: the address of `GET /metrics` in Prometheus' text format. By default there are
//!   no metrics.
//! - `RUST_LOG`: the events logged on standard error. Default: `info`.
//!
//! A key with a line end, a space or quotes around it, or with hexadecimal digits in place of
//! Base64, ends the program. The error names the variable.
//! [One rule](countersign::Secret#the-text-of-a-key) applies to all keys.
//!
//! ## Behaviour
//!
//! Anyone can call `GET /healthz`. Callers can call `GET /api/account/{id}`, `POST
//! /api/account/{id}` with `{"status":"active"}` or `{"status":"suspended"}`, and `POST /api/echo`.
//! At the start, accounts 13 and 99 are suspended, and all other numbers are active accounts.
//!
//! Callers whose signature covers only a body, those of `DRF_SECRET` and `WEBHOOK_SECRET`, can only
//! call `POST /api/echo`. A caller in several variables has a key in each of the schemes. If no
//! caller uses `HMAC-SHA256`, set `SERVICE_SECRETS` to `{}`.
//!
//! A wrong variable ends the program with exit code 2, an unusable address with exit code 1. A file
//! that becomes bad later changes nothing and causes an event. While the servers of `REDIS_URL` are
//! unavailable, requests get 503.
//!
//! Examples of files:
//!
//! ```toml
//! # KEYS_FILE
//! [[callers]]
//! name = "billing"
//! [[callers.keys]]
//! version = "2026-01"
//! secret_hex = "<64 hexadecimal digits>"
//!
//! # POLICY_FILE
//! [[statements]]
//! id = "billing reads accounts"
//! effect = "allow"
//! callers = ["billing"]
//! methods = ["GET"]
//! paths = ["/api/account/*"]
//! ```
//!
//! `cargo run -p demo -- --serve` prints shell lines that sign a call with openssl. Replace `KEY`,
//! `HOST` and `credential=` by yours.
//!
//! # Transcript
//!
//! A call that `billing` has signed:
//!
//! ```text
//! > GET /api/account/7 HTTP/1.1
//! > host: 127.0.0.1:8081
//! > x-date: Fri, 02 Jan 2026 03:04:05 GMT
//! > x-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
//! > x-nonce: ab1ea77da142027bdccf911146307534
//! > authorization: HMAC-SHA256 credential=billing, signed-headers=host;x-date;…, signature=…
//!
//! < HTTP/1.1 200 OK
//! < {"id":7,"status":"active","caller":"billing"}
//! ```
//!
//! The same call without a signature (`curl -i http://127.0.0.1:8081/api/account/7`):
//!
//! ```text
//! > GET /api/account/7 HTTP/1.1
//! > host: 127.0.0.1:8081
//!
//! < HTTP/1.1 401 Unauthorized
//! < www-authenticate: HMAC-SHA256 realm="service", signed-headers="host;x-date;…"
//! < {"error":"missing_signature"}
//! ```

mod accounts;
mod config;
mod key_object;
pub mod metrics;
mod policy_api;
mod schemes;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use bytes::Bytes;
use countersign::{Keyring, PayloadDigest, ReplayStore};
#[cfg(doc)]
use countersign_redis::RedisReplayStore;
use serde::Serialize;
use tower_countersign::{AuthorizeLayer, Caller, VerifyLayer};

pub use self::{
    accounts::{Accounts, Status},
    config::Config,
};

/// Builds the service. The layers cover all routes below `/api`.
///
/// ```
/// use countersign::{CallerKey, Keyring, Secret, VerifyingKey};
/// use tower_countersign::VerifyLayer;
///
/// let secret = Secret::generate()?;
/// let keys = Keyring::builder()
///     .caller("billing", CallerKey::new("2026-01", VerifyingKey::hmac_sha256(&secret))?)
///     .build()?;
/// let app: axum::Router = user_service::app(VerifyLayer::new(keys), None);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
pub fn app<R>(verify: VerifyLayer<Keyring, R>, authorize: Option<AuthorizeLayer>) -> Router
where
    R: ReplayStore + Clone,
{
    let mut api = Router::new()
        .route("/api/account/{id}", get(show).post(update))
        .route("/api/echo", post(echo))
        .with_state(Accounts::default());
    // Later layers are further out: verification comes before authorization.
    if let Some(authorize) = authorize {
        api = api.layer(authorize);
    }
    let api = api.layer(verify);
    Router::new()
        .route("/healthz", get(async || "ok"))
        .merge(api)
}

/// An account as a caller sees it.
#[derive(Debug, Serialize)]
struct Account {
    id: u64,
    status: Status,
    caller: Option<String>,
}

async fn show(
    caller: Caller,
    State(accounts): State<Accounts>,
    Path(id): Path<u64>,
) -> Json<Account> {
    let status = accounts.status(id);
    tracing::info!(caller = name(&caller), account = id, ?status, "shown");
    Json(Account {
        id,
        status,
        caller: name(&caller).map(str::to_owned),
    })
}

async fn update(
    caller: Caller,
    State(accounts): State<Accounts>,
    Path(id): Path<u64>,
    Json(update): Json<accounts::Update>,
) -> Json<Account> {
    let status = accounts.update(id, update);
    tracing::info!(caller = name(&caller), account = id, ?status, "updated");
    Json(Account {
        id,
        status,
        caller: name(&caller).map(str::to_owned),
    })
}

/// Returns the name of a verified caller. An asserted name is not repeated.
fn name(caller: &Caller) -> Option<&str> {
    caller.verified().map(|caller| caller.id().as_str())
}

/// The received body, for comparison with the sent one.
#[derive(Debug, Serialize)]
struct Echo {
    caller: Option<String>,
    len: usize,
    sha256: String,
}

async fn echo(caller: Caller, body: Bytes) -> Json<Echo> {
    Json(Echo {
        caller: name(&caller).map(str::to_owned),
        len: body.len(),
        sha256: PayloadDigest::of(&body).to_string(),
    })
}
