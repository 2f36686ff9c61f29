//! The parameters after the scheme name in `Authorization`.

use crate::error::{Escaped, Reason, reason};

/// Returns the reason for an unexpected parameter. Shows only its name: text without a name may be
/// a signature or a secret.
#[cold]
pub(crate) fn unknown_parameter(expected: &'static str, text: &str) -> Reason {
    let is_name = |name: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=24).contains(&name.len()) && name.bytes().all(plain)
    };
    let (parameter, _) = until_comma(text);
    match parameter
        .split_once('=')
        .map(|(name, _)| name)
        .filter(is_name)
    {
        Some(name) => reason!(
            "authorization: expected {}, found {}=",
            expected,
            Escaped::text(name)
        ),
        None => reason!(
            "authorization: expected {}, found {} characters without such a name",
            expected,
            parameter.len()
        ),
    }
}

/// Returns the reason for `authorization` with missing parameters.
#[cold]
pub(crate) fn missing_parameters(missing: &[Option<&'static str>]) -> Reason {
    let missing: Vec<&str> = missing.iter().copied().flatten().collect();
    reason!(
        "authorization: expected all parameters, found no {}",
        &missing
    )
}

/// Splits a value, up to the next space or tab, from the rest.
#[inline]
pub(crate) fn until_space(text: &str) -> (&str, &str) {
    let is_space = |byte: u8| (byte == b' ') || (byte == b'\t');
    // Most values have none. The loop has no early exit, so that the compiler can vectorize it.
    if !text.bytes().fold(false, |any, byte| any | is_space(byte)) {
        return (text, "");
    }
    let end = text.bytes().position(is_space);
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}

/// Splits a value, up to the next comma, from the rest.
#[inline]
pub(crate) fn until_comma(text: &str) -> (&str, &str) {
    // Skips whole chunks without a comma first: the compiler compares all bytes of a chunk at once.
    let (chunks, _) = text.as_bytes().as_chunks::<16>();
    let commas = |chunk: &[u8; 16]| {
        chunk
            .iter()
            .fold(0, |any, byte| any | u8::from(*byte == b','))
    };
    let passed = chunks.iter().take_while(|chunk| commas(chunk) == 0).count();
    let passed = passed.saturating_mul(16);
    let mut rest = text.bytes().enumerate().skip(passed);
    let end = rest.find(|(_, byte)| *byte == b',').map(|(at, _)| at);
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}
