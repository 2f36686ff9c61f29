//! http-signature-normalization: the draft that RFC 9421 came from. MAC and digest are left to its caller.

use std::{collections::BTreeMap, time::Duration};

use base64ct::{Base64, Encoding};
use benches::{
    case::Case,
    request::{self, CALLER},
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION, request::Parts};
use http_signature_normalization::Config;
use sha2::{Digest, Sha256};

const NAME: &str = "http-signature-normalization";
const DIGEST: HeaderName = HeaderName::from_static("digest");

/// What is covered beside the target, `(created)` and `(expires)`.
const COVERED: [&str; 3] = ["host", "content-type", "digest"];

/// Signs and sets the headers.
pub fn sign(body_len: usize) -> Case {
    let body = request::body(body_len);
    let (config, key) = (config(), key());
    Case::consuming(
        NAME,
        move || request::unsigned(body_len),
        move |parts| sign_with(&config, &key, parts, &body),
    )
}

/// Verifies head and body.
pub fn verify(body_len: usize) -> Case {
    let body = request::body(body_len);
    let (config, key) = (config(), key());
    let mut parts = request::unsigned(body_len);
    sign_with(&config, &key, &mut parts, &body);
    Case::repeated(NAME, move || assert!(takes(&config, &key, &parts, &body)))
}

fn config() -> Config {
    Config::new().set_expiration(Duration::from_secs(300))
}

fn key() -> Hmac<Sha256> {
    Hmac::new_from_slice(&hex::decode(request::KEY).unwrap()).unwrap()
}

fn headers(parts: &Parts) -> BTreeMap<String, String> {
    let value = |name: &str| parts.headers[name].to_str().unwrap().to_string();
    COVERED.map(|name| (name.to_string(), value(name))).into()
}

fn sign_with(config: &Config, key: &Hmac<Sha256>, parts: &mut Parts, body: &[u8]) {
    let digest = HeaderValue::try_from(digest(body)).unwrap();
    parts.headers.insert(DIGEST, digest);
    let target = parts.uri.path_and_query().unwrap().as_str();
    let unsigned = config.begin_sign(parts.method.as_str(), target, headers(parts));
    let signed = unsigned.unwrap().sign(CALLER.to_string(), |text| {
        let mac = mac(key, text).finalize().into_bytes();
        Ok::<_, ()>(Base64::encode_string(&mac))
    });
    let header = HeaderValue::try_from(signed.unwrap().authorization_header()).unwrap();
    parts.headers.insert(AUTHORIZATION, header);
}

fn takes(config: &Config, key: &Hmac<Sha256>, parts: &Parts, body: &[u8]) -> bool {
    let mut headers = headers(parts);
    let authorization = parts.headers[AUTHORIZATION].to_str().unwrap();
    headers.insert("authorization".to_string(), authorization.to_string());
    let target = parts.uri.path_and_query().unwrap().as_str();
    let unverified = config.begin_verify(parts.method.as_str(), target, headers);
    let unverified = unverified.unwrap();
    unverified.key_id() == CALLER
        && unverified.verify(|signature, text| {
            let signature = Base64::decode_vec(signature).unwrap();
            mac(key, text).verify_slice(&signature).is_ok()
        })
        && parts.headers[DIGEST] == *digest(body)
}

fn mac(key: &Hmac<Sha256>, text: &str) -> Hmac<Sha256> {
    let mut mac = key.clone();
    mac.update(text.as_bytes());
    mac
}

fn digest(body: &[u8]) -> String {
    format!("SHA-256={}", Base64::encode_string(&Sha256::digest(body)))
}
