//! AWS Signature Version 4: `target`, `Authorization` parameters and payload hash, one in each line.
#![no_main]

use countersign::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (target, parameters, hash) = (line(), line(), line());
    let Ok(uri) = Uri::try_from(target) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("a"));
    let date = HeaderName::from_static("x-amz-date");
    headers.insert(date, HeaderValue::from_static("20260102T030405Z"));
    if !parameters.is_empty() {
        let value = [b"AWS4-HMAC-SHA256 ", parameters].concat();
        let Ok(value) = HeaderValue::from_bytes(&value) else { return };
        headers.insert(header::AUTHORIZATION, value);
    }
    if !hash.is_empty() {
        let Ok(value) = HeaderValue::from_bytes(hash) else { return };
        headers.insert(HeaderName::from_static("x-amz-content-sha256"), value);
    }
    fuzz::refuse(RequestHead::new(&Method::GET, &uri, &headers));
});
