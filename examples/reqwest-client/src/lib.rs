//! A reqwest client of two services. One client signs for both, retries, and uploads a file as a
//! streamed multipart form.
//!
//! Versions: reqwest 0.13 and reqwest-middleware 0.5.
//!
//! # Run with
//!
//! Here `user-service` plays both services, each with a different key. `targets.toml`:
//!
//! ```toml
//! [[targets]]
//! name = "accounts"
//! caller = "billing"
//! authorities = ["127.0.0.1:8081"]
//! secret_hex = "<64 hexadecimal digits>"
//!
//! [[targets]]
//! name = "files"
//! caller = "billing"
//! authorities = ["127.0.0.1:8082"]
//! secret_hex = "<64 other hexadecimal digits>"
//! ```
//!
//! ```sh
//! SERVICE_SECRETS='{"billing":"<64 hexadecimal digits>"}' cargo run -p user-service &
//! LISTEN_ADDR=127.0.0.1:8082 SERVICE_SECRETS='{"billing":"<64 other hexadecimal digits>"}' \
//!     cargo run -p user-service &
//! cargo run -p reqwest-client -- \
//!     targets.toml http://127.0.0.1:8081 http://127.0.0.1:8082 README.md
//! ```
//!
//! # Transcript
//!
//! ```text
//! $ cargo run -p reqwest-client -- \
//!     targets.toml http://127.0.0.1:8081 http://127.0.0.1:8082 README.md
//! accounts: 200 OK {"id":7,"status":"suspended","caller":"billing"}
//! files: 200 OK {"caller":"billing","len":…,"sha256":"…"}
//! ```
//!
//! For a URL without a target, nothing is sent, and the program ends with exit code 1.
//!
//! ```text
//! $ cargo run -p reqwest-client -- \
//!     targets.toml http://127.0.0.1:8083 http://127.0.0.1:8082 README.md
//! reqwest-client: authority 127.0.0.1:8083: expected that of a target, one of 127.0.0.1:8081
//! (accounts), 127.0.0.1:8082 (files); found no target for it
//! ```
//!
//! # Retries
//!
//! [`Retry`] must be outside the signer, so that each attempt is signed again with a new date and
//! nonce. A service refuses a second copy of a signed request as a replay.
//!
//! A retry middleware clones the request. A request with a streamed body cannot be cloned, so
//! [`Retry`] sends it once. [`upload`] therefore builds the form again for each attempt. The signer
//! reads the form into memory, up to its limit (`with_buffer_bytes`).
//!
//! The crate `reqwest-retry` can replace [`Retry`].

mod retry;

use std::path::Path;

use countersign::TargetSigners;
use reqwest::{Response, multipart};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, RequestBuilder};
use serde_json::json;
use tower_countersign::{BoxError, SignMiddleware};

pub use self::retry::Retry;

/// Creates the client. It follows no redirects: reqwest would send the signature to the new host.
///
/// ```
/// use countersign::{Secret, Signer, SigningKey, TargetSigners};
///
/// let key = SigningKey::hmac_sha256(&Secret::generate()?);
/// let accounts = Signer::new("billing", key, ["accounts.internal:8081"])?;
/// let signers = TargetSigners::builder().target("accounts", accounts).build()?;
/// let client = reqwest_client::client(signers)?;
/// # Ok::<(), tower_countersign::BoxError>(())
/// ```
///
/// # Errors
///
/// As [`reqwest::ClientBuilder::build`].
pub fn client(signers: TargetSigners) -> Result<ClientWithMiddleware, reqwest::Error> {
    let http = reqwest::Client::builder()
        // Services call each other directly, without the environment's proxy.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    Ok(ClientBuilder::new(http)
        .with(Retry::default())
        // Added last, so that it signs each attempt.
        .with(SignMiddleware::new(signers))
        .build())
}

/// Suspends an account, with a query and a JSON body.
pub fn suspend(client: &ClientWithMiddleware, accounts: &str, account: u64) -> RequestBuilder {
    client
        .post(format!("{accounts}/api/account/{account}"))
        .query(&[("reason", "unpaid")])
        .json(&json!({ "status": "suspended" }))
}

/// Uploads a file as a multipart form. The file is read from disk while the form is signed.
///
/// # Errors
///
/// If the file cannot be read, no target has the URL's authority, or there is no response.
pub async fn upload(
    client: &ClientWithMiddleware,
    files: &str,
    file: &Path,
) -> Result<Response, BoxError> {
    let retry = Retry::default();
    let mut attempt = 1;
    loop {
        let form = multipart::Form::new()
            .text("kind", "invoice")
            .file("file", file)
            .await?;
        let sent = client
            .post(format!("{files}/api/echo"))
            .multipart(form)
            .send()
            .await;
        if !retry.is_due(attempt, &sent) {
            return Ok(sent?);
        }
        retry.pause(attempt).await;
        attempt = attempt.saturating_add(1);
    }
}

/// Returns the signer's error if a request was not sent because of it.
pub fn sign_error(error: &Error) -> Option<&countersign::SignError> {
    match error {
        Error::Middleware(error) => error.downcast_ref(),
        Error::Reqwest(_) => None,
    }
}
