//! A service and its caller in HTTP Message Signatures (RFC 9421) with Ed25519: the service holds a public key only, and so
//! can check its caller's requests and cannot have made them.
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
//! `LISTEN_ADDR` says where the service listens, `127.0.0.1:8084` if it is not set. `EXPECTED_HOST` says what its callers
//! write in their URLs, if that is not the address it listens on.
//!
//! # Transcript
//!
//! ```text
//! $ cargo run -p message-signatures -- call http://127.0.0.1:8084/greetings Ada
//! > POST /greetings HTTP/1.1
//! > content-type: text/plain; charset=utf-8
//! > content-digest: sha-256=:maVjqy9uIelpmPn93Sorq4K3CsAZV5UCuNf8ADL/Yrs=:
//! > signature-input: sig1=("@method" "@authority" "@path" "@query" "content-type" "content-digest");created=1767323045;nonce="…";keyid="billing";tag="greetings-v1"
//! > signature: sig1=:…:
//! > host: 127.0.0.1:8084
//! >
//! > Ada
//!
//! 200 OK
//! Hello Ada, says billing
//! ```
//!
//! Without a signature, which the answer asks for:
//!
//! ```text
//! $ curl -i -d Ada http://127.0.0.1:8084/greetings
//! HTTP/1.1 401 Unauthorized
//! www-authenticate: Signature realm="service"
//! accept-signature: sig1=("@method" "@authority" "@path" "@query" "content-digest");created;alg="ed25519";tag="greetings-v1"
//! {"error":"missing_signature"}
//! ```

use axum::{Router, routing::post};
use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use countersign::{
    CallerKey, ConfigError, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, Secret, Signer, SigningKey, Verifier, VerifyingKey,
};
use http::{Request, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{Layer, ServiceExt};
use tower_countersign::{BoxError, SignLayer, VerifiedCaller, VerifyLayer};

/// The name of the caller, and the `keyid` of its signatures.
pub const CALLER: &str = "billing";
/// The `tag` of signatures that are meant for this service. Others, such as those of a proxy, are not looked at.
const TAG: &str = "greetings-v1";
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// What the service asks of every request: a signature with the key whose public half this is, in Base64, for this host.
///
/// # Errors
///
/// If the key or the host is none.
pub fn verify(public_key: &str, host: &str) -> Result<VerifyLayer<Keyring>, BoxError> {
    let mut point = [0; 32];
    match Base64::decode(public_key, &mut point) {
        Ok(decoded) if decoded.len() == 32 => {}
        _ => return Err("expected a public key of 32 bytes in Base64".into()),
    }
    let key = CallerKey::new("2026-01", VerifyingKey::message_ed25519(&point)?)?;
    let keys = Keyring::builder().caller(CALLER, key).build()?;
    let settings = MessageSignaturesVerifySettings::new()
        .ed25519_only()
        .with_tag(TAG)?;
    // Every callee knows the same public key, so the scheme asks for expected hosts.
    let verifier = Verifier::builder()
        .accept_only(settings)
        .expected_hosts([host])
        .build()?;
    Ok(VerifyLayer::new(keys).with_verifier(verifier))
}

/// The service.
///
/// ```
/// # let public_key = "PUsXw7r8E3BzWWHUxQQkVGbtqb1LwNSbQDOwU8DeTGE=";
/// let app: axum::Router = message_signatures::app(message_signatures::verify(public_key, "greeter.internal")?);
/// # Ok::<(), tower_countersign::BoxError>(())
/// ```
pub fn app(verify: VerifyLayer<Keyring>) -> Router {
    Router::new().route("/greetings", post(greet)).layer(verify)
}

async fn greet(caller: VerifiedCaller, name: String) -> String {
    format!("Hello {name}, says {}", caller.id())
}

/// The caller's signer for one service, from its seed.
///
/// # Errors
///
/// A [`ConfigError`] if the key is weak or the authority is none. It holds no key.
pub fn signer(seed: &Secret, authority: &str) -> Result<Signer, ConfigError> {
    let settings = MessageSignaturesSignSettings::new(CALLER, SigningKey::message_ed25519(seed)?)?;
    Signer::message_signatures(settings.with_tag(TAG)?, [authority])
}

/// Asks the service at this URL to greet somebody, and returns the answer, whatever its status.
///
/// # Errors
///
/// If the URL is not one that the signer signs for, or there is no answer.
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
