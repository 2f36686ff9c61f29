//! The parameters behind the name of a scheme in `Authorization`.

use crate::error::{Escaped, Reason, reason};

/// What a parameter is refused with that is none of those expected. Only its name is shown: what has no name may be a
/// signature or a secret.
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

/// What `authorization` without all of its parameters is refused with.
#[cold]
pub(crate) fn missing_parameters(missing: &[Option<&'static str>]) -> Reason {
    let missing: Vec<&str> = missing.iter().copied().flatten().collect();
    reason!(
        "authorization: expected all parameters, found no {}",
        &missing
    )
}

/// A value, which runs to the next space or tab, and what is behind it.
#[inline]
pub(crate) fn until_space(text: &str) -> (&str, &str) {
    let is_space = |byte: u8| (byte == b' ') || (byte == b'\t');
    // Most values have none. All bytes are looked at before any is judged, so that the compiler takes many at a time.
    if !text.bytes().fold(false, |any, byte| any | is_space(byte)) {
        return (text, "");
    }
    let end = text.bytes().position(is_space);
    end.and_then(|end| text.split_at_checked(end))
        .unwrap_or((text, ""))
}

/// A value, which runs to the next comma, and what is behind it.
#[inline]
pub(crate) fn until_comma(text: &str) -> (&str, &str) {
    // Whole chunks without a comma are passed over first: the compiler compares all bytes of one at once.
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
