//! Heads that are well-formed in each scheme and signed by nobody: what a stranger can send.

use countersign::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, request::Parts};

/// The authority of every head.
pub const HOST: &str = "user-service.internal";

/// The one path on which the schemes that sign the body alone are accepted.
pub const HOOK: &str = "/hook";

/// The region and the service of SigV4.
pub const REGION: &str = "eu-central-1";
/// As [`REGION`].
pub const SERVICE: &str = "user-service";

/// What every RFC 9421 signature covers here.
pub const REQUIRED: &str = r#""@method" "@authority" "@path" "@query""#;

/// The parameters of an RFC 9421 signature.
pub const PARAMETERS: &str = ";created=1767323045;keyid=\"stranger\";nonce=\"0123456789abcdef\"";

/// A signature of RFC 9421: 32 bytes.
pub const BYTES: &str = ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";

/// An entry of `webhook-signature`.
pub const V1: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

const SCOPE: &str = "20260102/eu-central-1/user-service/aws4_request";
const DATE: &str = "20260102T030405Z";

/// A request that carries no signature.
pub fn unsigned(method: Method, target: &str) -> Parts {
    let request = Request::builder().method(method).uri(target);
    request
        .header("host", HOST)
        .body(())
        .unwrap()
        .into_parts()
        .0
}

/// One more line.
pub fn append(headers: &mut HeaderMap, name: &str, value: impl AsRef<[u8]>) {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    headers.append(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
}

/// `HMAC-SHA256` or `ED25519`, over these headers beside those that every signature covers. `space`
/// follows the first comma.
pub fn native(scheme: Scheme, target: &str, further: &[String], space: &str) -> Parts {
    let mut head = unsigned(Method::GET, target);
    let headers = &mut head.headers;
    append(headers, "x-date", "Fri, 02 Jan 2026 03:04:05 GMT");
    append(headers, "x-content-sha256", "0".repeat(64));
    let start = ["host;x-date;x-content-sha256".to_owned()];
    let names = [&start, further].concat().join(";");
    let digits = if scheme == Scheme::Ed25519 { 128 } else { 64 };
    let signature = "0".repeat(digits);
    let value = format!(
        "{scheme} credential=stranger,{space}signed-headers={names}, signature={signature}"
    );
    append(headers, "authorization", value);
    head
}

/// SigV4 in the header, over the host, the date and these headers, whose names follow those in
/// order.
pub fn sigv4(target: &str, further: &[String]) -> Parts {
    let mut head = unsigned(Method::GET, target);
    append(&mut head.headers, "x-amz-date", DATE);
    let start = ["host", "x-amz-date"].map(str::to_owned);
    let names = [&start, further].concat().join(";");
    let signature = "0".repeat(64);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/{SCOPE}, SignedHeaders={names}, Signature={signature}"
    );
    append(&mut head.headers, "authorization", value);
    head
}

/// SigV4 in the URL, over the host and these headers, whose names follow that in order.
pub fn presigned(path: &str, query: &str, further: &[String]) -> Parts {
    let names = [&["host".to_owned()], further].concat().join("%3B");
    let credential = format!("AKID/{SCOPE}").replace('/', "%2F");
    let and = if query.is_empty() { "" } else { "&" };
    let signature = "0".repeat(64);
    let target = format!(
        "{path}?{query}{and}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={DATE}&X-Amz-Expires=60&X-Amz-SignedHeaders={names}&X-Amz-Signature={signature}"
    );
    unsigned(Method::GET, &target)
}

/// RFC 9421, over the required components and these.
pub fn message_signatures(target: &str, components: &str) -> Parts {
    let mut head = unsigned(Method::GET, target);
    let input = format!("sig1=({REQUIRED} {components}){PARAMETERS}");
    append(&mut head.headers, "signature-input", input);
    append(&mut head.headers, "signature", format!("sig1={BYTES}"));
    head
}

/// The DRF scheme, with this as the signature.
pub fn drf(target: &str, signature: &str) -> Parts {
    let mut head = unsigned(Method::POST, target);
    append(&mut head.headers, "x-hmac-timestamp", "1767323045");
    append(&mut head.headers, "x-hmac-signature", signature);
    head
}

/// Standard Webhooks, with this as the signatures.
pub fn webhooks(target: &str, signatures: &str) -> Parts {
    let mut head = unsigned(Method::POST, target);
    append(&mut head.headers, "webhook-id", "msg_1");
    append(&mut head.headers, "webhook-timestamp", "1767323045");
    append(&mut head.headers, "webhook-signature", signatures);
    head
}
