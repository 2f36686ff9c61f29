//! The headers of a signature over the body, one in each line, everything else being right: for webhooks id, timestamp and
//! signatures, for the DRF profile timestamp and signature.
#![no_main]

use countersign::RequestHead;
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (target, names) in [
        ("/drf", &["x-hmac-timestamp", "x-hmac-signature"][..]),
        ("/webhooks", &["webhook-id", "webhook-timestamp", "webhook-signature"]),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("a"));
        for (name, value) in names.iter().zip(data.split(|byte| *byte == b'\n')) {
            let Ok(value) = HeaderValue::from_bytes(value) else { return };
            headers.insert(*name, value);
        }
        fuzz::refuse(RequestHead::new(&Method::POST, &Uri::from_static(target), &headers));
    }
});
