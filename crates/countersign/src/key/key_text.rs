//! The rule for the text of a key, for every encoding and source.

use crate::error::{ConfigError, ConfigErrorKind};

/// The fewest hexadecimal digits that are refused as Base64: the digits of 16 bytes.
const MIN_HEX_LEN: usize = 32;

/// Refuses a text with characters that editors, shells and mounts add to keys. The error describes
/// the addition and holds nothing of the key.
///
/// Such a key would fail every request without a visible reason.
pub(crate) fn ensure_key_alone(text: &str) -> Result<(), ConfigError> {
    match addition(text) {
        None => Ok(()),
        Some(found) => Err(ConfigError::new(
            ConfigErrorKind::Key,
            format!("expected the key alone, found a text that {found}"),
        )),
    }
}

/// Describes the text added to a key. `None` if nothing was added.
fn addition(text: &str) -> Option<&'static str> {
    if text.starts_with('\u{feff}') {
        return Some("begins with a byte order mark");
    }
    match text.chars().next_back() {
        Some('\n' | '\r') => return Some("ends in a line end"),
        Some(last) if last.is_whitespace() => return Some("ends in white space"),
        _ => {}
    }
    match text.chars().next() {
        Some('\n' | '\r') => return Some("begins with a line end"),
        Some(first) if first.is_whitespace() => return Some("begins with white space"),
        _ => {}
    }
    let is_enclosed = |open: char, close: char| {
        text.strip_prefix(open)
            .is_some_and(|rest| rest.ends_with(close))
    };
    if [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')]
        .iter()
        .any(|(open, close)| is_enclosed(*open, *close))
    {
        return Some("is enclosed in quotes");
    }
    if is_enclosed('<', '>') {
        return Some("is enclosed in angle brackets, as placeholders are");
    }
    if text.ends_with("\\n") || text.ends_with("\\r") {
        return Some("ends in a line end that is written as an escape");
    }
    if text.contains(['\n', '\r']) {
        return Some("holds a line end");
    }
    if text.contains(char::is_control) {
        return Some("holds a control character");
    }
    if text.contains(is_invisible) {
        return Some("holds an invisible character");
    }
    None
}

/// Returns whether the character is a soft hyphen, joiner, direction mark, byte order mark, or the
/// replacement character for invalid UTF-8.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fffd}'
    )
}

/// Refuses hexadecimal digits where Base64 is expected. The Base64 of 24 random bytes is such a
/// text with a probability below 10^-14.
pub(crate) fn ensure_no_hex(text: &str) -> Result<(), ConfigError> {
    let is_hex = text.len() >= MIN_HEX_LEN
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit());
    if !is_hex {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::Key,
        format!("expected Base64, found {} hexadecimal digits", text.len()),
    ))
}

/// Names the form of a text that is not hexadecimal digits, if it is a common one.
pub(crate) fn form_of_no_hex(text: &str) -> &'static str {
    if text.starts_with("-----BEGIN") {
        "PEM"
    } else if text.starts_with("0x") || text.starts_with("0X") {
        "the prefix 0x"
    } else if text.starts_with("whsec_") || text.starts_with("whsk_") || text.starts_with("whpk_") {
        "a key of Standard Webhooks"
    } else if text.starts_with('$') {
        "a variable that was not expanded"
    } else if text.contains([':', ' ']) {
        "digits with separators"
    } else if is_likely_base64(text) {
        "Base64"
    } else {
        "another character"
    }
}

/// Names the form of a text that is not standard Base64, if it is a common one.
pub(crate) fn form_of_no_base64(text: &str) -> &'static str {
    if text.starts_with("-----BEGIN") {
        "PEM"
    } else if text.starts_with("v1,whsec_") {
        "v1, in front of whsec_"
    } else if text.starts_with("whsec_") {
        "the prefix whsec_"
    } else if text.starts_with("whsk_") {
        "the prefix whsk_ of a private key"
    } else if text.starts_with("whpk_") {
        "the prefix whpk_ of a public key"
    } else if text.contains(['-', '_'])
        && text
            .bytes()
            .all(|byte| is_base64(byte) || b"-_".contains(&byte))
    {
        "the alphabet for URLs, with - and _"
    } else if text.bytes().all(is_base64) {
        "a wrong length, padding or last character"
    } else {
        "another character"
    }
}

/// A text with a few mistyped hexadecimal digits does not count as Base64.
fn is_likely_base64(text: &str) -> bool {
    let others = text.bytes().filter(|byte| !byte.is_ascii_hexdigit());
    text.len() >= 22 && text.bytes().all(is_base64) && others.count() >= 4
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "correct horse battery staple 0123456789 xyz";

    /// Source: additions of editors, shells, `.env` files, Kubernetes mounts and copying from a web
    /// page.
    #[test]
    fn refuses_what_was_added_to_a_key_and_names_it() {
        for (text, expected) in [
            (format!("{KEY}\n"), "ends in a line end"),
            (format!("{KEY}\r\n"), "ends in a line end"),
            (format!("{KEY}\n\n"), "ends in a line end"),
            (format!("{KEY}\r"), "ends in a line end"),
            (format!("{KEY} "), "ends in white space"),
            (format!("{KEY}\t"), "ends in white space"),
            (format!("{KEY}\u{a0}"), "ends in white space"),
            (format!("\n{KEY}"), "begins with a line end"),
            (format!(" {KEY}"), "begins with white space"),
            (format!("\u{feff}{KEY}"), "begins with a byte order mark"),
            (
                format!("\u{feff}\"{KEY}\""),
                "begins with a byte order mark",
            ),
            (format!("\"{KEY}\""), "is enclosed in quotes"),
            (format!("'{KEY}'"), "is enclosed in quotes"),
            (format!("`{KEY}`"), "is enclosed in quotes"),
            (format!("“{KEY}”"), "is enclosed in quotes"),
            (format!("<{KEY}>"), "as placeholders are"),
            (format!("{KEY}\\n"), "written as an escape"),
            (format!("{KEY}\\r\\n"), "written as an escape"),
            (format!("{KEY}\n{KEY}"), "holds a line end"),
            (format!("{KEY}\0{KEY}"), "holds a control character"),
            (format!("{KEY}\u{200b}"), "holds an invisible character"),
            (format!("{KEY}\u{feff}"), "holds an invisible character"),
            (format!("{KEY}\u{fffd}"), "holds an invisible character"),
        ] {
            let error = ensure_key_alone(&text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Key, "{text:?}");
            assert!(error.to_string().ends_with(expected), "{text:?}: {error}");
            assert!(!error.to_string().contains("horse"), "{text:?}: {error}");
        }
    }

    #[test]
    fn takes_texts_that_can_be_meant() {
        for text in [
            "",
            KEY,
            "\"",
            "\"one quote",
            "one quote'",
            "<one bracket",
            "one bracket>",
            "'two kinds\"",
            "\\n in front",
            "clé de bücher",
            "密钥",
        ] {
            assert!(ensure_key_alone(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_no_base64() {
        let hex = "00ff".repeat(16);
        for text in [&*hex, &hex.to_uppercase(), &hex[..32], &"a1".repeat(64)] {
            let error = ensure_no_hex(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("expected Base64, found {} hexadecimal digits", text.len())
            );
        }
        let letters = "A".repeat(32);
        for text in [
            &hex[..31],
            &letters,
            &format!("{hex}=="),
            &format!("{hex}g"),
        ] {
            assert!(ensure_no_hex(text).is_ok(), "{text}");
        }
    }
}
