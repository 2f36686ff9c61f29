//! A service that verifies its callers: account statuses, and an echo. `billing-service` calls it.
//!
//! # Run with
//!
//! ```sh
//! KEY=$(openssl rand -hex 32)
//! SERVICE_SECRETS="{\"billing\":\"$KEY\"}" EXPECTED_HOSTS=127.0.0.1:8081 cargo run -p user-service
//! ```
//!
//! | variable | holds | if it is not set |
//! |---|---|---|
//! | `LISTEN_ADDR` | where to listen | `127.0.0.1:8081` |
//! | `SERVICE_SECRETS` | the callers: JSON of name to key, 64 hexadecimal digits | the service does not start |
//! | `ROTATING_SERVICE_SECRETS` | second keys of the same form, while keys are rotated | nobody has a second key |
//! | `EXPECTED_HOSTS` | what this service is called, separated by commas, as callers write it in their URLs | any host will do |
//! | `HOST_FORM` | `as-sent`, or `strip-port` for callers that sign their host without its port | `as-sent` |
//! | `SIGV4_KEYS` | callers that sign as for AWS: JSON of access key id, which is the caller's name, to secret | that scheme is off |
//! | `SIGV4_REGION`, `SIGV4_SERVICE` | what those sign for | `us-east-1`, `execute-api` |
//! | `SIGV4_UNCOVERED_HEADERS` | `x-amz-…` headers that a trusted hop in front adds, such as CloudFront's `x-amz-cf-id`, separated by commas | a request with an uncovered one is refused |
//! | `SIGV4_LENIENT_QUERIES` | `repeated-names` for queries with a name twice, `any-escapes` for those with needless or lower-case escapes or a semicolon; both, separated by a comma. [`SigV4VerifySettings`](countersign::SigV4VerifySettings) says what each gives up | both are refused |
//! | `MESSAGE_SIGNATURE_KEYS` | callers that sign by RFC 9421: JSON of `keyid`, which is the caller's name, to an `hmac-sha256` secret in Base64 | nobody has such a key |
//! | `MESSAGE_SIGNATURE_ED25519_KEYS` | the same with Ed25519 public keys in Base64; needs `EXPECTED_HOSTS` | nobody has such a key |
//! | `DRF_SECRET`, `DRF_CALLER` | the text of a secret, and who holds it: a Django service that signs timestamp and body | that scheme is off |
//! | `WEBHOOK_SECRET`, `WEBHOOK_CALLER` | `whsec_…`, and who holds it: a sender of Standard Webhooks | that scheme is off |
//! | `WEBHOOK_SECRET_TEXT` | in place of `WEBHOOK_SECRET`: the secret itself, for a sender that keys its MAC with the text | `WEBHOOK_SECRET` counts |
//! | `WEBHOOK_HEADERS` | `standard`, or `standard-or-svix` for a sender that calls them `svix-id`, `svix-timestamp` and `svix-signature` | `standard` |
//! | `KEYS_FILE` | a TOML file of callers, [as `Keyring::from_toml`](Keyring::from_toml) reads it, beside those of the variables; read again when it changes | callers come from the variables, of which `SERVICE_SECRETS` must be set |
//! | `POLICY_FILE` | who may call what: TOML, [as `Policy::from_toml`](countersign::Policy::from_toml) reads it, or by the ending `.json` a resource policy, [as `Policy::from_json`](countersign::Policy::from_json) reads it; read again when it changes | every caller may call everything |
//! | `POLICY_REGION`, `POLICY_ACCOUNT`, `POLICY_API`, `POLICY_STAGE` | what a policy in JSON calls this service: its resources are `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path` | `us-east-1`, `000000000000`, `user-service`, `prod` |
//! | `POLICY_ACCOUNTS` | the accounts that a policy in JSON names: JSON of account to a list of its callers, `{"111111111111":["billing"]}` | a policy that names an account is refused |
//! | `POLICY_SHARED` | `true`: several APIs share the policy in JSON, and resources of others are kept out, each with an event | resources of other APIs are refused |
//! | `REDIS_URL` | where replicas share their nonces, as [`RedisReplayStore::from_url`] takes it | nonces are kept in memory |
//! | `REDIS_INSECURE_ASSUME_NOEVICTION` | `true`: the user of `REDIS_URL` may not run `INFO`, and the operator has set `maxmemory-policy noeviction` | claims of such a user are refused with 503 |
//! | `REPORT_ONLY` | `true`: verify, log and count, and refuse nothing; or the routes for which that holds, such as `POST /api/echo, GET /api/account/{id}`, of which one that does not exist is not noticed. With `POLICY_FILE` the policy reports too, and routes cannot be named | everything is enforced |
//! | `METRICS_ADDR` | where `GET /metrics` answers in Prometheus' text format | nothing is counted |
//! | `RUST_LOG` | which events are logged on standard error | `info` |
//!
//! A key that ends in a line end or a space, is in quotes, or is hexadecimal digits where Base64 is expected ends the
//! program with an error that names the variable, by [one rule for every key](countersign::Secret#the-text-of-a-key).
//!
//! It answers anyone at `GET /healthz`, and its callers at `GET /api/account/{id}`, `POST /api/account/{id}` with
//! `{"status":"active"}` or `{"status":"suspended"}`, and `POST /api/echo`. Accounts 13 and 99 are suspended from the
//! start; every other number is an active account. Callers whose signature is for a body only, those of `DRF_SECRET` and
//! `WEBHOOK_SECRET`, reach `POST /api/echo` and nothing else. One caller may stand in several variables, and then has a key in
//! each of the schemes; where nobody signs as in the transcript, `SERVICE_SECRETS` is `{}`. What is wrong in the variables
//! ends the program with exit code 2, an address that cannot be listened on with 1. A file that goes bad later changes nothing and is
//! an event; servers of `REDIS_URL` that are away are 503 until they are back.
//!
//! Files to begin with:
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
//! `cargo run -p demo -- --serve` prints shell lines that sign a call with openssl: put `KEY`, `HOST` and `credential=` to yours.
//!
//! # Transcript
//!
//! A call by `billing`, which has signed it:
//!
//! ```text
//! > GET /api/account/7 HTTP/1.1
//! > host: 127.0.0.1:8081
//! > x-date: Fri, 02 Jan 2026 03:04:05 GMT
//! > x-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
//! > x-nonce: ab1ea77da142027bdccf911146307534
//! > authorization: HMAC-SHA256 credential=billing, signed-headers=host;x-date;x-content-sha256;x-nonce, signature=…
//!
//! < HTTP/1.1 200 OK
//! < {"id":7,"status":"active","caller":"billing"}
//! ```
//!
//! The same call by someone else (`curl -i http://127.0.0.1:8081/api/account/7`):
//!
//! ```text
//! > GET /api/account/7 HTTP/1.1
//! > host: 127.0.0.1:8081
//!
//! < HTTP/1.1 401 Unauthorized
//! < www-authenticate: HMAC-SHA256 realm="service", signed-headers="host;x-date;x-content-sha256;x-nonce"
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

/// The service. Whatever is below `/api` is behind the layer.
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
    // Layers that are added later are further out: who calls is proven before it is asked what they may.
    if let Some(authorize) = authorize {
        api = api.layer(authorize);
    }
    let api = api.layer(verify);
    Router::new()
        .route("/healthz", get(async || "ok"))
        .merge(api)
}

/// An account as a caller is shown it.
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

/// The name of a proven caller. The name that an unproven one asserts is not repeated.
fn name(caller: &Caller) -> Option<&str> {
    caller.verified().map(|caller| caller.id().as_str())
}

/// What arrived, as the caller can compare it with what it sent.
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
