//! hawk: payload hash, header, and the look at the claimed hash that is left to its caller.

use std::{str::FromStr, time::Duration};

use ::hawk::{Credentials, Header, Key, PayloadHasher, RequestBuilder, SHA256};
use benches::{
    case::Case,
    request::{self, CALLER},
};
use http::{
    HeaderValue,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
    request::Parts,
};

const NAME: &str = "hawk";
const WINDOW: Duration = Duration::from_secs(300);

/// Signs and sets the header.
pub fn sign(body_len: usize) -> Case {
    let body = request::body(body_len);
    let credentials = credentials();
    Case::consuming(
        NAME,
        move || request::unsigned(body_len),
        move |parts| sign_with(&credentials, parts, &body),
    )
}

/// Verifies head and body.
pub fn verify(body_len: usize) -> Case {
    let body = request::body(body_len);
    let credentials = credentials();
    let mut parts = request::unsigned(body_len);
    sign_with(&credentials, &mut parts, &body);
    Case::repeated(NAME, move || assert!(takes(&credentials, &parts, &body)))
}

fn credentials() -> Credentials {
    Credentials {
        id: CALLER.to_string(),
        key: Key::new(hex::decode(request::KEY).unwrap(), SHA256).unwrap(),
    }
}

fn request<'r>(parts: &'r Parts, hash: &'r [u8]) -> ::hawk::Request<'r> {
    let authority = parts.headers[HOST].to_str().unwrap();
    let (host, port) = authority.split_once(':').unwrap();
    let target = parts.uri.path_and_query().unwrap().as_str();
    RequestBuilder::new(parts.method.as_str(), host, port.parse().unwrap(), target)
        .hash(hash)
        .request()
}

fn sign_with(credentials: &Credentials, parts: &mut Parts, body: &[u8]) {
    let hash = PayloadHasher::hash(parts.headers[CONTENT_TYPE].as_bytes(), SHA256, body).unwrap();
    let header = request(parts, &hash).make_header(credentials).unwrap();
    let header = HeaderValue::try_from(format!("Hawk {header}")).unwrap();
    parts.headers.insert(AUTHORIZATION, header);
}

fn takes(credentials: &Credentials, parts: &Parts, body: &[u8]) -> bool {
    let header = parts.headers[AUTHORIZATION].to_str().unwrap();
    let header = Header::from_str(header.strip_prefix("Hawk ").unwrap()).unwrap();
    let hash = PayloadHasher::hash(parts.headers[CONTENT_TYPE].as_bytes(), SHA256, body).unwrap();
    header.id.as_deref() == Some(CALLER)
        && header.hash.as_ref() == Some(&hash)
        && request(parts, &hash).validate_header(&header, &credentials.key, WINDOW)
}
