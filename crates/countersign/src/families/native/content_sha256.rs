use http::HeaderValue;

use crate::{
    error::{SignError, SignErrorKind},
    payload::PayloadDigest,
    wire::hex::{self, Letters},
};

/// Parses `x-content-sha256`: 64 lower-case hexadecimal digits. The text is signed, so it must have
/// one spelling only.
#[inline]
pub(super) fn parse(text: &str) -> Option<PayloadDigest> {
    hex::decode(text, Letters::Lower).map(PayloadDigest::from_bytes)
}

pub(super) fn format(digest: PayloadDigest) -> Result<HeaderValue, SignError> {
    HeaderValue::try_from(base16ct::lower::encode_string(digest.as_bytes()))
        .map_err(|_| SignError::new(SignErrorKind::Header, "the content hash is no header value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_64_lower_case_digits_and_nothing_else() {
        assert_eq!(parse(EMPTY), Some(PayloadDigest::of(b"")));
        for text in [
            "",
            &EMPTY[1..],
            &format!("{EMPTY}0"),
            &EMPTY.to_uppercase(),
            &"g".repeat(64),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn is_written_as_it_is_displayed() {
        let digest = PayloadDigest::of(b"");
        assert_eq!(digest.to_string(), EMPTY);
        assert_eq!(format(digest).unwrap(), EMPTY);
    }
}
