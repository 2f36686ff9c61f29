//! The header `cookie`. HTTP/2 and HTTP/3 may split it into several lines.

use std::borrow::Cow;

use http::{HeaderMap, header::COOKIE};

/// The separator of joined lines (RFC 9113 section 8.2.3, RFC 9114 section 4.2.1).
pub(crate) const SEPARATOR: &str = "; ";

/// Returns the length of the joined value without reading it. `None` if there is no `cookie`.
pub(crate) fn len(headers: &HeaderMap) -> Option<usize> {
    let lines = headers.get_all(COOKIE).iter();
    let lengths = lines.map(|line| line.len().saturating_add(SEPARATOR.len()));
    let sum = lengths.reduce(usize::saturating_add)?;
    // No separator follows the last line.
    Some(sum.saturating_sub(SEPARATOR.len()))
}

/// Joins the lines, each without surrounding white space. Borrows a single line. `None` if there is
/// no `cookie` or a line is not ASCII.
pub(crate) fn value(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut lines = headers.get_all(COOKIE).iter().map(|line| {
        let line = line.to_str().ok()?;
        Some(line.trim_matches([' ', '\t']))
    });
    let mut value = Cow::Borrowed(lines.next()??);
    for line in lines {
        let text = value.to_mut();
        text.push_str(SEPARATOR);
        text.push_str(line?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn joined(lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        let value = value(&headers).map(Cow::into_owned);
        let len = len(&headers);
        assert!(value.as_ref().is_none_or(|value| Some(value.len()) <= len));
        assert_eq!(len.is_none(), lines.is_empty());
        value
    }

    #[test]
    fn pieces_are_one_value() {
        let cases: [(&[&[u8]], Option<&str>); 6] = [
            (&[], None),
            (&[b"a=1"], Some("a=1")),
            (&[b"a=1; b=2"], Some("a=1; b=2")),
            (&[b"a=1", b"b=2", b"c=3"], Some("a=1; b=2; c=3")),
            (&[b" a=1 ", b"\tb=2"], Some("a=1; b=2")),
            (&[b"a=1", b"b=\xe9"], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(joined(lines).as_deref(), expected, "{lines:?}");
        }
    }
}
