//! A service that accepts `HMAC-SHA256` and AWS Signature Version 4 at once, as one does while its callers move from the one
//! to the other.
//!
//! The caller is `billing` in both, so that what it may do does not change with its signature: its second key goes by an
//! access key id. The log says which scheme and which key a request came with. When nobody comes with key `hmac` any more,
//! that key and its scheme are taken out.
//!
//! # Run with
//!
//! ```sh
//! export HMAC_KEY=$(openssl rand -hex 32) SIGV4_SECRET=$(openssl rand -base64 30)
//! cargo run -p two-schemes
//! ```
//!
//! `LISTEN_ADDR` says where it listens, `127.0.0.1:8083` if it is not set. The region is `us-east-1`, the service
//! `two-schemes`, the access key id `AKIDBILLING`.
//!
//! # Transcript
//!
//! curl 7.88 signs a query as it stands in the URL, so it is written in canonical form here: the names in order, each with its
//! `=`.
//!
//! ```text
//! $ curl -v --aws-sigv4 aws:amz:us-east-1:two-schemes --user "AKIDBILLING:$SIGV4_SECRET" 'http://127.0.0.1:8083/whoami?a=1&b=2'
//! > GET /whoami?a=1&b=2 HTTP/1.1
//! > Host: 127.0.0.1:8083
//! > Authorization: AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/us-east-1/two-schemes/aws4_request, SignedHeaders=host;x-amz-date, Signature=…
//! > X-Amz-Date: 20260102T030405Z
//!
//! < HTTP/1.1 200 OK
//! {"caller":"billing","key":"sigv4","scheme":"AWS4-HMAC-SHA256"}
//! ```
//!
//! With another secret:
//!
//! ```text
//! $ curl -i --aws-sigv4 aws:amz:us-east-1:two-schemes --user AKIDBILLING:wrong 'http://127.0.0.1:8083/whoami?a=1&b=2'
//! HTTP/1.1 401 Unauthorized
//! www-authenticate: HMAC-SHA256 realm="service", signed-headers="host;x-date;x-content-sha256;x-nonce"
//! www-authenticate: AWS4-HMAC-SHA256 realm="service", region="us-east-1", service="two-schemes"
//! {"error":"invalid_signature"}
//! ```
//!
//! And the log, where a call in the old scheme came first:
//!
//! ```text
//! INFO two_schemes: answered caller=billing scheme=HMAC-SHA256 key=hmac
//! INFO two_schemes: answered caller=billing scheme=AWS4-HMAC-SHA256 key=sigv4
//! WARN countersign: outcome="refused" code="invalid_signature" … asserted=AKIDBILLING … reason=key id "AKIDBILLING": the signature is of none of its keys, found version sigv4
//! ```

use axum::{Json, Router, routing::get};
use countersign::{
    CallerKey, ConfigError, Keyring, Secret, SigV4VerifySettings, Verifier, VerifyingKey,
};
use serde_json::{Value, json};
use tower_countersign::{VerifiedCaller, VerifyLayer};

/// The name of the caller, whichever way it signs.
pub const CALLER: &str = "billing";
/// The name by which its requests in SigV4 call for their key.
pub const ACCESS_KEY_ID: &str = "AKIDBILLING";
/// What those are signed for: the region.
pub const REGION: &str = "us-east-1";
/// What those are signed for: the service.
pub const SERVICE: &str = "two-schemes";

/// What is asked of every request: a signature in one of the two schemes, with the caller's key for that scheme.
///
/// # Errors
///
/// A [`ConfigError`] if a key is weak. It holds no key.
pub fn verify(hmac: &Secret, sigv4: &Secret) -> Result<VerifyLayer<Keyring>, ConfigError> {
    let old = CallerKey::new("hmac", VerifyingKey::hmac_sha256(hmac))?;
    let new = CallerKey::new("sigv4", VerifyingKey::sigv4(sigv4))?.with_key_id(ACCESS_KEY_ID)?;
    let keys = Keyring::builder()
        .caller(CALLER, old)
        .caller(CALLER, new)
        .build()?;
    // `HMAC-SHA256` is what a verifier accepts by default.
    let verifier = Verifier::builder()
        .accept(SigV4VerifySettings::new(REGION, SERVICE)?)
        .build()?;
    Ok(VerifyLayer::new(keys).with_verifier(verifier))
}

/// The service.
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
