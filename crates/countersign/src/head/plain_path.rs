use crate::wire::ByteSet;

/// A path in plain form: no other text names the same resource on any server.
///
/// Only [`parse`](Self::parse) makes one. An `Allow` matches nothing else.
#[derive(Clone, Copy, Debug)]
pub struct PlainPath<'r>(&'r str);

/// `pchar` of RFC 3986 section 3.3 without `;`, where some frameworks cut off path parameters, and
/// without `%`, which is checked with the two digits after it.
const PLAIN: ByteSet =
    ByteSet::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@");

impl<'r> PlainPath<'r> {
    /// Parses a path by these rules:
    ///
    /// 1. The path starts with a slash. Only the last segment may be empty, and no segment is `.`
    ///    or `..`.
    /// 2. Outside escapes, only `pchar` of RFC 3986 and `/` are allowed, without `;`. Backslashes,
    ///    non-ASCII bytes and controls are refused.
    /// 3. An escape is `%` with two upper-case hexadecimal digits (RFC 3986 section 2.1). Only
    ///    bytes that need an escape may be escaped: never a `pchar`, `/`, `;`, `\`, `%` or a
    ///    control. `%25` is refused because it hides an escape that is decoded twice.
    /// 4. The decoded path is UTF-8 without control characters. Overlong encodings are therefore
    ///    refused.
    ///
    /// # Errors
    ///
    /// The rule that the path breaks.
    pub fn parse(path: &'r str) -> Result<Self, &'static str> {
        let Some(segments) = path.strip_prefix('/') else {
            return Err("the path does not start with a slash");
        };
        let mut segments = segments.split('/').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "." | ".." => return Err("the path has a dot segment"),
                "" if segments.peek().is_some() => return Err("the path has an empty segment"),
                _ => check_segment(segment)?,
            }
        }
        Ok(Self(path))
    }

    /// Returns the path.
    pub fn as_str(self) -> &'r str {
        self.0
    }
}

fn check_segment(segment: &str) -> Result<(), &'static str> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (Some(high), Some(low)) = (
                bytes.next().and_then(upper_hex),
                bytes.next().and_then(upper_hex),
            ) else {
                return Err("the path has an escape without two upper-case digits");
            };
            decoded.push(escaped((high << 4) | low)?);
        } else if PLAIN.has(byte) {
            // The decoded bytes before this character must be complete UTF-8 without it.
            if !decoded.is_empty() {
                check_text(&decoded)?;
                decoded.clear();
            }
        } else {
            return Err("the path has a character that must be escaped or must not be there");
        }
    }
    check_text(&decoded)
}

/// Returns the byte of an escape, if it needs one.
fn escaped(byte: u8) -> Result<u8, &'static str> {
    if PLAIN.has(byte) {
        return Err("the path escapes a character that needs no escape");
    }
    match byte {
        b'/' | b'\\' | b';' | b'%' => {
            Err("the path escapes a slash, a backslash, a semicolon or a percent sign")
        }
        _ => Ok(byte),
    }
}

fn check_text(decoded: &[u8]) -> Result<(), &'static str> {
    match std::str::from_utf8(decoded) {
        Ok(text) if text.chars().any(char::is_control) => {
            Err("the path escapes a control character")
        }
        Ok(_) => Ok(()),
        Err(_) => Err("the path escapes bytes that are not UTF-8"),
    }
}

const fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_paths_in_their_one_form() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/api/account/123",
            "/a.b/..c/.../d..",
            "/~user/x-y_z",
            "/!$&'()*+,=:@",
            "/a%20b",
            "/b%C3%BCcher",
            "/%E2%82%AC/%F0%9F%A6%80",
            "/%22%3C%3E%3F%23%5B%5D%5E%60%7B%7C%7D",
        ] {
            assert_eq!(PlainPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn refuses_every_other_form() {
        for (name, path) in [
            ("nothing", ""),
            ("asterisk form", "*"),
            ("no slash", "a/b"),
            ("two slashes", "//"),
            ("two slashes before", "//a"),
            ("two slashes between", "/a//b"),
            ("two slashes at the end", "/a//"),
            ("dot", "/a/./b"),
            ("dot at the end", "/a/."),
            ("dots", "/a/../b"),
            ("dots at the end", "/a/.."),
            ("escaped dots", "/a/%2E%2E/b"),
            ("escaped dots, lower case", "/a/%2e%2e/b"),
            ("half-escaped dots", "/a/.%2E/b"),
            ("twice-escaped dots", "/a/%252E%252E/b"),
            ("escaped letter", "/%61dmin"),
            ("escaped digit", "/%31"),
            ("escaped tilde", "/%7Euser"),
            ("escaped at sign, which can stand for itself", "/a%40b"),
            ("escaped colon", "/a%3Ab"),
            ("escaped star", "/%2A"),
            ("escaped slash", "/a%2Fb"),
            ("escaped slash, lower case", "/a%2fb"),
            ("escaped backslash", "/a%5Cb"),
            ("escaped semicolon", "/a%3Bb"),
            ("escaped percent sign", "/a%25b"),
            ("escaped NUL", "/a%00"),
            ("escaped newline", "/a%0A"),
            ("escaped delete", "/a%7F"),
            ("escaped control beyond ASCII", "/a%C2%85"),
            ("lower-case digits", "/a%c3%bc"),
            ("one digit", "/a%2"),
            ("no digits", "/a%"),
            ("wrong digits", "/a%GG"),
            ("overlong slash", "/a%C0%AFb"),
            ("overlong dot", "/a%C0%AE"),
            ("half a character", "/a%C3"),
            ("a character in two halves", "/a%C3b%BC"),
            ("surrogate", "/a%ED%A0%80"),
            ("Latin-1", "/a%FC"),
            ("path parameter", "/a;x=1"),
            ("backslash", "/a\\b"),
            ("space", "/a b"),
            ("quote", "/a\"b"),
            ("brace", "/{id}"),
            ("question mark", "/a?b"),
            ("number sign", "/a#b"),
            ("beyond ASCII", "/bücher"),
            ("control", "/a\u{1}"),
        ] {
            assert!(PlainPath::parse(path).is_err(), "{name}: {path}");
        }
    }
}
