//! A service and its caller with HTTP Message Signatures (RFC 9421) and Ed25519. The service holds
//! only a public key, so it can verify requests but cannot create them.
//!
//! # Run with
//!
//! ```sh
//! openssl genpkey -algorithm ed25519 -out billing.pem
//! # The service, with the public key.
//! PUBLIC_KEY=$(openssl pkey -in billing.pem -pubout -outform DER | tail -c 32 | base64) \
//!     cargo run -p message-signatures -- serve &
//! # The caller, with the seed.
//! SEED=$(openssl pkey -in billing.pem -outform DER | tail -c 32 | base64) \
//!     cargo run -p message-signatures -- call http://127.0.0.1:8084/greetings Ada
//! ```
//!
//! `LISTEN_ADDR` is the address on which the service listens, by default `127.0.0.1:8084`.
//! `EXPECTED_HOST` is the host in the callers' URLs, by default the listening address.
//!
//! # Transcript
//!
//! ```text
//! $ cargo run -p message-signatures -- call http://127.0.0.1:8084/greetings Ada
//! > POST /greetings HTTP/1.1
//! > content-type: text/plain; charset=utf-8
//! > content-digest: sha-256=:maVjqy9uIelpmPn93Sorq4K3CsAZV5UCuNf8ADL/Yrs=:
//! > signature-input: sig1=("@method" "@authority" "@path" "@query" "content-type" …);created=…
//! > signature: sig1=:…:
//! > host: 127.0.0.1:8084
//! >
//! > Ada
//!
//! 200 OK
//! Hello Ada, says billing
//! ```
//!
//! A request without a signature, and the response that asks for one:
//!
//! ```text
//! $ curl -i -d Ada http://127.0.0.1:8084/greetings
//! HTTP/1.1 401 Unauthorized
//! www-authenticate: Signature realm="service"
//! accept-signature: sig1=("@method" "@authority" "@path" "@query" "content-digest");created;…
//! {"error":"missing_signature"}
//! ```

use axum::{Router, routing::post};
use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use countersign::{
    Algorithm, CallerKey, ConfigError, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, Secret, Signer, SigningKey, Verifier, VerifyingKey,
};
use http::{Request, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer, VerifiedCaller, VerifyLayer};

/// The name of the caller, and the `keyid` of its signatures.
pub const CALLER: &str = "billing";
/// The `tag` of signatures for this service. Signatures with another tag, such as a proxy's, are
/// ignored.
const TAG: &str = "greetings-v1";
/// The maximum length of a response, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Creates the layer that verifies every request with this Base64 public key, for this host.
///
/// # Errors
///
/// If the key or the host is invalid.
pub fn verify(public_key: &str, host: &str) -> Result<VerifyLayer<Keyring>, BoxError> {
    let mut point = [0; 32];
    match Base64::decode(public_key, &mut point) {
        Ok(decoded) if decoded.len() == 32 => {}
        _ => return Err("expected a public key of 32 bytes in Base64".into()),
    }
    let key = CallerKey::new("2026-01", VerifyingKey::message_ed25519(&point)?)?;
    let keys = Keyring::builder().caller(CALLER, key).build()?;
    let settings = MessageSignaturesVerifySettings::new()
        .with_algorithm(Algorithm::Ed25519)
        .with_tag(TAG)?;
    // Every callee knows the same public key, so the scheme requires expected hosts.
    let verifier = Verifier::builder()
        .accept_only(settings)
        .expected_hosts([host])
        .build()?;
    Ok(VerifyLayer::new(keys).with_verifier(verifier))
}

/// Builds the service.
///
/// ```
/// # let public_key = "PUsXw7r8E3BzWWHUxQQkVGbtqb1LwNSbQDOwU8DeTGE=";
/// let verify = message_signatures::verify(public_key, "greeter.internal")?;
/// let app: axum::Router = message_signatures::app(verify);
/// # Ok::<(), tower_countersign::BoxError>(())
/// ```
pub fn app(verify: VerifyLayer<Keyring>) -> Router {
    Router::new().route("/greetings", post(greet)).layer(verify)
}

async fn greet(caller: VerifiedCaller, name: String) -> String {
    format!("Hello {name}, says {}", caller.id())
}

/// Creates the caller's signer for one service from its seed.
///
/// # Errors
///
/// A [`ConfigError`] if the key is weak or the authority is invalid. The error holds no key.
pub fn signer(seed: &Secret, authority: &str) -> Result<Signer, ConfigError> {
    let settings = MessageSignaturesSignSettings::new(CALLER, SigningKey::message_ed25519(seed)?)?;
    Signer::message_signatures(settings.with_tag(TAG)?, [authority])
}

/// Asks the service at this URL for a greeting, and returns the response, whatever its status.
///
/// # Errors
///
/// If the signer is not bound to the URL's authority, or there is no response.
pub async fn call(signer: Signer, url: Uri, name: &str) -> Result<(StatusCode, Bytes), BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(url)
        .header(CONTENT_TYPE, "text/plain; charset=utf-8")
        .body(Full::<Bytes>::from(name.to_owned()))?;
    let response = SignLayer::new(signer)
        .layer(client)
        .oneshot(request)
        .await?;
    let status = response.status();
    let answer = Limited::new(response.into_body(), MAX_ANSWER);
    Ok((status, answer.collect().await?.to_bytes()))
}
