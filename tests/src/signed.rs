//! Requests signed by hand, in memory and as bytes on a connection.

use bytes::Bytes;
use countersign::{PayloadDigest, Signer, Timestamp};
use http::{Request, request::Parts};

use crate::keys;

/// The authority that the tests' requests are for.
pub const AUTHORITY: &str = "user-service.internal";

/// The tests' usual caller, for [`AUTHORITY`].
pub fn billing() -> Signer {
    keys::signer("billing", keys::hmac_key(keys::SECRET), AUTHORITY)
}

/// The request with the headers of a signature made at `now`.
pub fn at<B: AsRef<[u8]>>(now: Timestamp, signer: &Signer, request: Request<B>) -> Request<B> {
    let (mut parts, body) = request.into_parts();
    let digest = PayloadDigest::of(body.as_ref());
    signer.sign(&parts, digest, now).unwrap().apply(&mut parts);
    Request::from_parts(parts, body)
}

/// The same at the present moment.
pub fn now<B: AsRef<[u8]>>(signer: &Signer, request: Request<B>) -> Request<B> {
    at(std::time::SystemTime::now().into(), signer, request)
}

/// The same in a scheme that signs the body itself.
pub fn now_in_full(signer: &Signer, request: Request<Bytes>) -> Request<Bytes> {
    let (mut parts, body) = request.into_parts();
    let now = std::time::SystemTime::now().into();
    let signature = signer.sign(&parts, &body[..], now).unwrap();
    signature.apply(&mut parts);
    Request::from_parts(parts, body)
}

/// A GET of a path of [`AUTHORITY`], unsigned.
pub fn get(path: &str) -> Request<Bytes> {
    Request::get(format!("http://{AUTHORITY}{path}"))
        .body(Bytes::new())
        .unwrap()
}

/// A POST to a path of [`AUTHORITY`], unsigned.
pub fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(format!("http://{AUTHORITY}{path}"))
        .body(body.into())
        .unwrap()
}

/// The head as HTTP/1.1 in origin form, without the empty line that ends it. `Host` comes from the
/// URI.
pub fn head(parts: &Parts) -> String {
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut lines = vec![format!("{} {target} HTTP/1.1\r\n", parts.method)];
    if let Some(authority) = parts.uri.authority() {
        lines.push(format!("host: {authority}\r\n"));
    }
    for (name, value) in &parts.headers {
        lines.push(format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    lines.concat()
}

/// The whole request as HTTP/1.1, with its length, on a connection that closes behind it.
pub fn bytes(request: &Request<Bytes>) -> Vec<u8> {
    let (parts, body) = request.clone().into_parts();
    let length = body.len();
    let mut bytes = head(&parts).into_bytes();
    bytes.extend_from_slice(
        format!("content-length: {length}\r\nconnection: close\r\n\r\n").as_bytes(),
    );
    bytes.extend_from_slice(&body);
    bytes
}
