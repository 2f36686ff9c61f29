use std::{
    ascii,
    fmt::{self, Write},
};

use http::HeaderValue;

/// Shows text from a peer in a log: at most 64 bytes, with everything but visible ASCII and spaces
/// escaped.
///
/// ```
/// use countersign::Escaped;
///
/// assert_eq!(Escaped::text("a\nb\"").to_string(), "a\\nb\\\"");
/// assert_eq!(Escaped::text(&"x".repeat(1000)).to_string().len(), 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped<'t>(&'t [u8]);

impl<'t> Escaped<'t> {
    /// The greatest number of bytes shown.
    pub const MAX_LEN: usize = 64;

    /// Shows a text.
    pub const fn text(text: &'t str) -> Self {
        Self(text.as_bytes())
    }

    /// Shows a text where a name, a version or a date is expected. Hides text that may hold a
    /// signature or a secret: text that assigns a value, or with 40 letters and digits in a row,
    /// like a digest in hexadecimal or Base64.
    pub(crate) fn unless_secret(text: &'t str) -> Self {
        const SECRET: Escaped<'static> = Escaped::text("[not shown: it may hold a signature]");
        let longest = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/')))
            .map(str::len)
            .max();
        if text.contains('=') || longest.is_some_and(|longest| longest >= 40) {
            SECRET
        } else {
            Self::text(text)
        }
    }

    /// Shows a header value. It **must not** carry a signature, a token or a secret.
    pub fn value(value: &'t HeaderValue) -> Self {
        Self(value.as_bytes())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(Self::MAX_LEN) {
            for escaped in ascii::escape_default(*byte) {
                f.write_char(char::from(escaped))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_signature_is_not_shown_in_the_place_of_a_name() {
        let digits = "0f".repeat(32);
        for text in [
            format!("signature={digits}"),
            format!("billing;signature={}", "0f".repeat(4)),
            digits,
            "q8Zk2LrT0vYx+W9/nCbE5hJmP3sUaGd7FiRoKtXwAAAA=".to_owned(),
        ] {
            let shown = Escaped::unless_secret(&text).to_string();
            assert_eq!(shown, "[not shown: it may hold a signature]", "{text}");
        }
        for text in ["x-date", "X-Content-Sha256", "1795935271891", "v2", "a b"] {
            assert_eq!(Escaped::unless_secret(text).to_string(), text);
        }
    }

    #[test]
    fn what_a_peer_writes_is_escaped_and_cut() {
        for (text, expected) in [
            ("billing", "billing"),
            ("a b", "a b"),
            ("a\n\x1b[31mé\"", "a\\n\\x1b[31m\\xc3\\xa9\\\""),
            ("", ""),
        ] {
            assert_eq!(Escaped::text(text).to_string(), expected, "{text:?}");
        }
        let long = "x".repeat(1000);
        assert_eq!(Escaped::text(&long).to_string(), "x".repeat(64));
        let value = HeaderValue::from_bytes(b"\xff").unwrap();
        assert_eq!(Escaped::value(&value).to_string(), "\\xff");
    }
}
