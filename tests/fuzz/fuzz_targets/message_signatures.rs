//! A line each of `Signature-Input`, `Signature` and `Content-Digest`, everything else being right; and a component, which
//! is written as it is read.
#![no_main]

use countersign::{ComponentId, RequestHead};
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("a"));
    let names = ["signature-input", "signature", "content-digest"];
    for (name, line) in names.into_iter().zip(data.split(|byte| *byte == b'\n')) {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.insert(name, value);
        let text = str::from_utf8(line).unwrap_or_default();
        if let Ok(component) = text.parse::<ComponentId<'_>>() {
            let again = component.to_string().parse();
            assert_eq!(Ok(component), again.map_err(|error: countersign::ConfigError| error.kind()));
        }
    }
    fuzz::refuse(RequestHead::new(&Method::GET, &Uri::from_static("/?x=1"), &headers));
});
