//! The fuzz targets. Each reads a part of a request from the input; all other parts are right.

use bytes::Bytes;
use countersign::{ComponentId, ConfigError, RequestHead};
use countersign_cli::request::{MAX_HEADERS, RecordedRequest, RequestForm};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::refuse;

/// Panics if an input breaks a claim.
pub type Target = fn(&[u8]);

/// All targets, with the names of their folders in `corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("authorization", authorization),
    ("cavage", cavage),
    ("date", date),
    ("head", head),
    ("message_signatures", message_signatures),
    ("recorded_request", recorded_request),
    ("signed_body", signed_body),
    ("sigv4", sigv4),
];

/// Input: the value of `Authorization`.
pub fn authorization(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a"));
    headers.insert(
        "x-date",
        HeaderValue::from_static("Fri, 02 Jan 2026 03:04:05 GMT"),
    );
    headers.insert(
        "x-content-sha256",
        HeaderValue::from_static(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    );
    headers.insert("authorization", value);
    refuse(RequestHead::new(
        &Method::GET,
        &Uri::from_static("/"),
        &headers,
    ));
}

/// Input: the parameters of draft-cavage-12, `Digest` and `Date`, one in each line. The parameters
/// are read from either header.
pub fn cavage(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || HeaderValue::from_bytes(lines.next().unwrap_or_default());
    let (Ok(parameters), Ok(digest), Ok(signed_at)) = (line(), line(), line()) else {
        return;
    };
    let prefixed = [b"Signature ", parameters.as_bytes()].concat();
    let Ok(prefixed) = HeaderValue::from_bytes(&prefixed) else {
        return;
    };
    for (name, value) in [("signature", parameters), ("authorization", prefixed)] {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("a"));
        headers.insert("digest", digest.clone());
        headers.insert("date", signed_at.clone());
        headers.insert(name, value);
        refuse(RequestHead::new(
            &Method::GET,
            &Uri::from_static("/?x=1"),
            &headers,
        ));
    }
}

/// Input: the value of `x-date`.
pub fn date(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a"));
    headers.insert("x-date", value);
    headers.insert(
        "x-content-sha256",
        HeaderValue::from_static(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    );
    headers.insert(
        "authorization",
        HeaderValue::from_static("HMAC-SHA256 credential=a, signed-headers=host;x-date;x-content-sha256, signature=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    );
    refuse(RequestHead::new(
        &Method::GET,
        &Uri::from_static("/"),
        &headers,
    ));
}

/// Input: a whole head, `METHOD target` in the first line and a header in each further line.
pub fn head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let (method, target) = match first.iter().position(|byte| *byte == b' ') {
        Some(space) => (&first[..space], &first[space + 1..]),
        None => (&b"GET"[..], first),
    };
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method), Uri::try_from(target)) else {
        return;
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    refuse(RequestHead::new(&method, &uri, &headers));
}

/// Input: a line each of `Signature-Input`, `Signature` and `Content-Digest`. A line that is a
/// component must also print as another line that parses to the same component.
pub fn message_signatures(data: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a"));
    let names = ["signature-input", "signature", "content-digest"];
    for (name, line) in names.into_iter().zip(data.split(|byte| *byte == b'\n')) {
        let Ok(value) = HeaderValue::from_bytes(line) else {
            return;
        };
        headers.insert(name, value);
        let text = str::from_utf8(line).unwrap_or_default();
        if let Ok(component) = text.parse::<ComponentId<'_>>() {
            let again = component.to_string().parse();
            assert_eq!(
                Ok(component),
                again.map_err(|error: ConfigError| error.kind())
            );
        }
    }
    refuse(RequestHead::new(
        &Method::GET,
        &Uri::from_static("/?x=1"),
        &headers,
    ));
}

/// Input: a recorded request, in any form that the program `countersign` reads. A request that can
/// be read is refused, and is not larger than its record allows.
pub fn recorded_request(data: &[u8]) {
    let input = Bytes::copy_from_slice(data);
    let forms = RequestForm::ALL.iter().copied().map(Some);
    for form in forms.chain([None]) {
        for entry in [None, Some(1)] {
            match RecordedRequest::read(&input, form, entry) {
                Ok(request) => {
                    let body = request.body.unwrap_or_default();
                    // The longest that a byte becomes is three: `%00` of --data-urlencode.
                    assert!(body.len() <= data.len() * 3, "{} bytes", body.len());
                    assert!(request.parts.headers.len() <= MAX_HEADERS);
                    refuse(RequestHead::from(&request.parts));
                }
                Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
            }
        }
    }
}

/// Input: the headers of a signature over the body, one in each line. For Standard Webhooks: id,
/// timestamp, signatures. For Django REST framework: timestamp, signature.
pub fn signed_body(data: &[u8]) {
    for (target, names) in [
        ("/drf", &["x-hmac-timestamp", "x-hmac-signature"][..]),
        (
            "/webhooks",
            &["webhook-id", "webhook-timestamp", "webhook-signature"],
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("a"));
        for (name, value) in names.iter().zip(data.split(|byte| *byte == b'\n')) {
            let Ok(value) = HeaderValue::from_bytes(value) else {
                return;
            };
            headers.insert(*name, value);
        }
        refuse(RequestHead::new(
            &Method::POST,
            &Uri::from_static(target),
            &headers,
        ));
    }
}

/// Input: target, parameters of `Authorization` and payload hash of AWS Signature Version 4, one in
/// each line.
pub fn sigv4(data: &[u8]) {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (target, parameters, hash) = (line(), line(), line());
    let Ok(uri) = Uri::try_from(target) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("a"));
    headers.insert("x-amz-date", HeaderValue::from_static("20260102T030405Z"));
    if !parameters.is_empty() {
        let value = [b"AWS4-HMAC-SHA256 ", parameters].concat();
        let Ok(value) = HeaderValue::from_bytes(&value) else {
            return;
        };
        headers.insert(header::AUTHORIZATION, value);
    }
    if !hash.is_empty() {
        let Ok(value) = HeaderValue::from_bytes(hash) else {
            return;
        };
        headers.insert(HeaderName::from_static("x-amz-content-sha256"), value);
    }
    refuse(RequestHead::new(&Method::GET, &uri, &headers));
}
