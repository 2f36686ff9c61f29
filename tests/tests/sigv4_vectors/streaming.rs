//! Bodies that are signed chunk by chunk.

use tests::vectors::{assert_count, base64, shared, text};

use crate::{
    SUITE_DATE,
    case::{Context, judge},
    components::{HOST, plain_context},
    message::Message,
};

/// Source: s3_streaming.json, see its README. Bodies signed chunk by chunk, right and wrong, are
/// all refused for one reason before a byte of them is read.
#[test]
fn refuses_every_streaming_payload() {
    let Some(file) = shared("sigv4/s3_streaming.json") else {
        return;
    };
    let cases = file.as_array().unwrap();
    for case in cases {
        let date = text(case, "timestamp");
        let scope = format!(
            "{}/{}/{}/aws4_request",
            &date[..8],
            text(case, "region"),
            text(case, "service")
        );
        let message = Message::new("PUT", "/key", HOST, &base64(case, "encoded_body_b64"))
            .with("x-amz-date", date)
            .with("x-amz-content-sha256", text(case, "content_sha256_header"))
            .with(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                     Signature={}",
                    case["seed_signature"].as_str().unwrap_or(&"0".repeat(64))
                ),
            );
        let context = Context {
            region: text(case, "region").to_owned(),
            service: text(case, "service").to_owned(),
            ..plain_context("s3")
        };
        for verify_settings in [
            context.lenient(),
            context.lenient().insecure_accept_unsigned_payload(),
        ] {
            let found = judge(&message, verify_settings, &context.keyring(), SUITE_DATE).unwrap();
            let reason = found.unwrap_err().to_string();
            assert!(
                reason.contains("expected the hash of the whole body, found STREAMING-"),
                "{}: {reason}",
                text(case, "id")
            );
        }
    }
    assert_count("s3_streaming.json", cases.len(), 26);
}
