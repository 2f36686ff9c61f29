//! A service that accepts both `HMAC-SHA256` and AWS Signature Version 4, while its callers move
//! from one scheme to the other.
//!
//! The caller is `billing` in both schemes, so its permissions do not depend on the scheme. Its
//! second key is selected by an access key id. The log shows the scheme and the key of each
//! request. Once no caller uses the key `hmac`, remove that key and its scheme.
//!
//! # Run with
//!
//! ```sh
//! export HMAC_KEY=$(openssl rand -hex 32) SIGV4_SECRET=$(openssl rand -base64 30)
//! cargo run -p two-schemes
//! ```
//!
//! `LISTEN_ADDR` is the address to listen on, by default `127.0.0.1:8083`. The region is
//! `us-east-1`, the service `two-schemes`, the access key id `AKIDBILLING`.
//!
//! # Transcript
//!
//! curl 7.88 signs the query of the URL unchanged. So the query here is in canonical form: names in
//! order, each with `=`.
//!
//! ```text
//! $ curl -v --aws-sigv4 aws:amz:us-east-1:two-schemes --user "AKIDBILLING:$SIGV4_SECRET" \
//!     'http://127.0.0.1:8083/whoami?a=1&b=2'
//! > GET /whoami?a=1&b=2 HTTP/1.1
//! > Host: 127.0.0.1:8083
//! > Authorization: AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/us-east-1/two-schemes/…
//! > X-Amz-Date: 20260102T030405Z
//!
//! < HTTP/1.1 200 OK
//! {"caller":"billing","key":"sigv4","scheme":"AWS4-HMAC-SHA256"}
//! ```
//!
//! With another secret:
//!
//! ```text
//! $ curl -i --aws-sigv4 aws:amz:us-east-1:two-schemes --user AKIDBILLING:wrong \
//!     'http://127.0.0.1:8083/whoami?a=1&b=2'
//! HTTP/1.1 401 Unauthorized
//! www-authenticate: HMAC-SHA256 realm="service", signed-headers="host;x-date;…"
//! www-authenticate: AWS4-HMAC-SHA256 realm="service", region="us-east-1", service="two-schemes"
//! {"error":"invalid_signature"}
//! ```
//!
//! The log, including an earlier call in the old scheme:
//!
//! ```text
//! INFO two_schemes: answered caller=billing scheme=HMAC-SHA256 key=hmac
//! INFO two_schemes: answered caller=billing scheme=AWS4-HMAC-SHA256 key=sigv4
//! WARN countersign: outcome="refused" code="invalid_signature" … asserted=AKIDBILLING …
//! ```

use axum::{Json, Router, routing::get};
use countersign::{
    CallerKey, ConfigError, Keyring, Secret, SigV4VerifySettings, Verifier, VerifyingKey,
};
use serde_json::{Value, json};
use tower_countersign::{VerifiedCaller, VerifyLayer};

/// The caller's name in both schemes.
pub const CALLER: &str = "billing";
/// The access key id of the caller's SigV4 key.
pub const ACCESS_KEY_ID: &str = "AKIDBILLING";
/// The region in the caller's SigV4 signatures.
pub const REGION: &str = "us-east-1";
/// The service in the caller's SigV4 signatures.
pub const SERVICE: &str = "two-schemes";

/// Creates the layer that requires a signature in one of the two schemes, with the caller's key for
/// that scheme.
///
/// # Errors
///
/// A [`ConfigError`] if a key is weak. The error holds no key.
pub fn verify(hmac: &Secret, sigv4: &Secret) -> Result<VerifyLayer<Keyring>, ConfigError> {
    let old = CallerKey::new("hmac", VerifyingKey::hmac_sha256(hmac))?;
    let new = CallerKey::new("sigv4", VerifyingKey::sigv4(sigv4))?.with_key_id(ACCESS_KEY_ID)?;
    let keys = Keyring::builder()
        .caller(CALLER, old)
        .caller(CALLER, new)
        .build()?;
    // A verifier accepts `HMAC-SHA256` by default.
    let verifier = Verifier::builder()
        .accept(SigV4VerifySettings::new(REGION, SERVICE)?)
        .build()?;
    Ok(VerifyLayer::new(keys).with_verifier(verifier))
}

/// Builds the service.
///
/// ```
/// use countersign::Secret;
///
/// let verify = two_schemes::verify(&Secret::generate()?, &Secret::generate()?)?;
/// let app: axum::Router = two_schemes::app(verify);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
pub fn app(verify: VerifyLayer<Keyring>) -> Router {
    Router::new().route("/whoami", get(whoami)).layer(verify)
}

async fn whoami(caller: VerifiedCaller) -> Json<Value> {
    let (id, scheme, key) = (caller.id(), caller.scheme(), caller.key_version());
    tracing::info!(caller = %id, %scheme, %key, "answered");
    Json(json!({ "caller": id.as_str(), "scheme": scheme.to_string(), "key": key.as_str() }))
}
