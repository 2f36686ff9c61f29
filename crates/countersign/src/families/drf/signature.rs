use http::HeaderValue;

use crate::error::{SignError, SignErrorKind};

/// Parses `X-HMAC-Signature`: 64 lower-case hexadecimal digits. The signature detects replays, so
/// it must have one spelling only.
pub(super) fn parse(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    match base16ct::lower::decode(text, &mut bytes) {
        Ok(decoded) if decoded.len() == 32 => Some(bytes),
        Ok(_) | Err(_) => None,
    }
}

pub(super) fn format(signature: &[u8]) -> Result<HeaderValue, SignError> {
    let text = base16ct::lower::encode_string(signature);
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| SignError::new(SignErrorKind::Header, "the signature is no header value"))?;
    // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "0f20a2e04291d8fb467f52a6564575b27858e2802acb2abf15f384da7c4376fa";

    #[test]
    fn writes_what_it_reads() {
        let bytes = parse(SIGNATURE).unwrap();
        assert_eq!(format(&bytes).unwrap(), SIGNATURE);
    }

    /// Source: RUSTSEC-2024-0010 (a comparison up to the shorter signature). Python's
    /// `hmac.compare_digest` raises on the last rows.
    #[test]
    fn refuses_every_other_length_and_spelling() {
        for text in [
            "",
            "0",
            "0f",
            &SIGNATURE[..62],
            &SIGNATURE[..63],
            &format!("{SIGNATURE}0"),
            &format!("{SIGNATURE}00"),
            &SIGNATURE.to_uppercase(),
            &format!("0x{}", &SIGNATURE[2..]),
            &format!("sha256={SIGNATURE}"),
            &format!(" {}", &SIGNATURE[1..]),
            &"g".repeat(64),
            &"é".repeat(32),
            &"é".repeat(64),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
