//! The value of `x-date`, everything else being right.
#![no_main]

use countersign::RequestHead;
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a"));
    headers.insert("x-date", value);
    headers.insert(
        "x-content-sha256",
        HeaderValue::from_static("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    );
    headers.insert(
        "authorization",
        HeaderValue::from_static("HMAC-SHA256 credential=a, signed-headers=host;x-date;x-content-sha256, signature=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    );
    fuzz::refuse(RequestHead::new(&Method::GET, &Uri::from_static("/"), &headers));
});
