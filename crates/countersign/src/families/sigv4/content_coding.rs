use http::header::CONTENT_ENCODING;

use super::header_lines::HeaderLines;
use crate::{error::Rejection, head::RequestHead};

/// The content coding of a chunked body. It decides nothing, because clients may leave it unsigned.
const AWS_CHUNKED: &str = "aws-chunked";

/// Refuses the coding of a chunked body on another body.
pub(super) fn ensure_allowed(
    content_sha256: Option<&str>,
    head: &RequestHead<'_>,
) -> Result<(), Rejection> {
    let is_aws_chunked = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.eq_ignore_ascii_case(AWS_CHUNKED.as_bytes())
    };
    let values = head.headers().get_all(CONTENT_ENCODING).iter();
    let mut codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if !is_chunked(content_sha256) && codings.any(is_aws_chunked) {
        return Err(Rejection::malformed(
            "header content-encoding: expected aws-chunked only with a STREAMING value of \
             x-amz-content-sha256, found it with another",
        ));
    }
    Ok(())
}

/// Returns whether `content-encoding` says no more than that the body is chunked.
pub(super) fn is_chunked_only(content_sha256: Option<&str>, lines: &HeaderLines<'_>) -> bool {
    let mut values = lines.named(CONTENT_ENCODING.as_str());
    is_chunked(content_sha256) && values.all(|value| value.as_bytes() == AWS_CHUNKED.as_bytes())
}

fn is_chunked(content_sha256: Option<&str>) -> bool {
    content_sha256.is_some_and(|text| text.starts_with("STREAMING-"))
}
