//! reqsign-aws-v4. The caller hashes the body; it derives the key each time.

use benches::{
    case::Case,
    request::{self, SIGV4_ACCESS_KEY, SIGV4_REGION, SIGV4_SECRET, SIGV4_SERVICE},
};
use futures::FutureExt;
use http::{HeaderName, HeaderValue, request::Parts};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest};
use sha2::{Digest, Sha256};

const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Signs and sets the headers.
pub fn sign(body_len: usize) -> Case {
    let body = request::body(body_len);
    let (signer, context, credential) = signer();
    Case::consuming(
        "reqsign-aws-v4",
        move || crate::absolute(request::unsigned(body_len)),
        move |parts| sign_with(&signer, &context, &credential, parts, &body),
    )
}

/// The same once.
pub fn signed(mut parts: Parts, body: &[u8]) -> Parts {
    let (signer, context, credential) = signer();
    sign_with(&signer, &context, &credential, &mut parts, body);
    parts
}

fn signer() -> (RequestSigner, Context, Credential) {
    let credential = Credential {
        access_key_id: SIGV4_ACCESS_KEY.to_string(),
        secret_access_key: SIGV4_SECRET.to_string(),
        session_token: None,
        expires_in: None,
    };
    let signer = RequestSigner::new(SIGV4_SERVICE, SIGV4_REGION);
    (signer, Context::new(), credential)
}

fn sign_with(
    signer: &RequestSigner,
    context: &Context,
    credential: &Credential,
    parts: &mut Parts,
    body: &[u8],
) {
    let hash = HeaderValue::try_from(hex::encode(Sha256::digest(body))).unwrap();
    parts.headers.insert(X_AMZ_CONTENT_SHA256, hash);
    let signed = signer.sign_request(context, parts, Some(credential), None);
    signed.now_or_never().unwrap().unwrap();
}
