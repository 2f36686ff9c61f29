//! The canonical form of the covered headers.
//!
//! White space at the ends is removed, inner runs become one space, and values of one name are
//! joined by commas. White space is space and tab. Some clients also trim other Unicode characters
//! (Go's `strings.Fields`, Python's `split`); no HTTP field value may hold those.

use std::borrow::Cow;

use http::HeaderValue;
use smallvec::SmallVec;

use crate::head::cookie;

/// Number of covered headers kept without an allocation.
const INLINE: usize = 12;

/// The covered headers, sorted by name.
pub(super) type CoveredHeaders<'r> = SmallVec<[CoveredHeader<'r>; INLINE]>;

/// A covered header: its name in lower case and its value in canonical form.
#[derive(Clone, Debug)]
pub(super) struct CoveredHeader<'r> {
    pub(super) name: &'r str,
    pub(super) value: Cow<'r, str>,
}

const SPACE: [char; 2] = [' ', '\t'];

/// Returns the canonical value of one header line, borrowed if it was sent in that form. Returns
/// `None` if it is not ASCII.
#[inline]
pub(super) fn canonical_value(value: &HeaderValue) -> Option<Cow<'_, str>> {
    value.to_str().ok().map(canonical_text)
}

/// Returns the separator between lines of one header that are signed as one value. HTTP/2 may split
/// `cookie` into several lines, to be joined by `; ` (RFC 9113 section 8.2.3).
pub(super) fn separator(name: &str) -> &'static str {
    match name {
        "cookie" => cookie::SEPARATOR,
        _ => ",",
    }
}

/// Returns the canonical value of all lines of a header. Returns `None` if a line is not ASCII or
/// there is no line.
pub(super) fn joined<'r>(
    name: &str,
    values: impl IntoIterator<Item = &'r HeaderValue>,
) -> Option<Cow<'r, str>> {
    let mut values = values.into_iter();
    let mut joined = canonical_value(values.next()?)?;
    for value in values {
        let value = canonical_value(value)?;
        let text = joined.to_mut();
        text.push_str(separator(name));
        text.push_str(&value);
    }
    Some(joined)
}

#[inline]
pub(super) fn canonical_text(text: &str) -> Cow<'_, str> {
    // Most values hold no white space at all and are already canonical.
    if !has_space(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    folded(text)
}

fn folded(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(SPACE);
    let mut before = 0;
    let mut has_run = false;
    for byte in text.bytes() {
        has_run |= (byte == b'\t') || (byte == b' ') && (before == b' ');
        before = byte;
    }
    if !has_run {
        return Cow::Borrowed(text);
    }
    let mut canonical = String::with_capacity(text.len());
    for word in text.split(SPACE).filter(|word| !word.is_empty()) {
        if !canonical.is_empty() {
            canonical.push(' ');
        }
        canonical.push_str(word);
    }
    Cow::Owned(canonical)
}

/// Reads all bytes before judging any, eight at a time. The last eight bytes are read again in
/// place of a byte-by-byte remainder.
#[inline]
fn has_space(bytes: &[u8]) -> bool {
    let is_space = |byte: u8| (byte == b' ') || (byte == b'\t');
    let any = |any: bool, byte: &u8| any | is_space(*byte);
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(false, any);
    };
    let (chunks, _) = bytes.as_chunks::<8>();
    let chunks = chunks.iter();
    let before = chunks.fold(false, |so_far, chunk| {
        so_far | chunk.iter().fold(false, any)
    });
    before | last.iter().fold(false, any)
}

/// Returns whether a header may occur only once: each header that this scheme reads, and each
/// header in which two values contradict each other.
pub(super) fn is_single(name: &str) -> bool {
    const SINGLE: [&str; 7] = [
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "x-nonce",
    ];
    name.starts_with("x-amz-") || SINGLE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_collapses_and_joins() {
        for (name, values, expected) in [
            ("empty", &[""][..], ""),
            ("blank", &["  \t "], ""),
            ("plain", &["don't touch me"], "don't touch me"),
            ("ends", &["  trim both \t"], "trim both"),
            ("runs", &["a   b  c"], "a b c"),
            ("a tab", &["a\tb"], "a b"),
            ("quoted", &["\"a  b\""], "\"a b\""),
            ("two", &[" value1 ", "value2  x"], "value1,value2 x"),
            ("two, one empty", &["", "b"], ",b"),
        ] {
            let values: Vec<_> = values
                .iter()
                .map(|value| HeaderValue::from_str(value).unwrap())
                .collect();
            assert_eq!(joined("a", &values).as_deref(), Some(expected), "{name}");
            let cookie = joined("cookie", &values);
            let expected = expected.replace(',', "; ");
            assert_eq!(cookie.as_deref(), Some(&*expected), "{name}");
        }
    }

    #[test]
    fn a_canonical_value_is_borrowed() {
        for text in ["", "a", "a b", "application/json"] {
            let value = HeaderValue::from_static(text);
            let found = canonical_value(&value);
            assert!(matches!(found, Some(Cow::Borrowed(found)) if found == text));
        }
    }

    #[test]
    fn white_space_is_found_wherever_it_stands() {
        for len in 0..40 {
            let graphic = vec![b'a'; len];
            assert!(!has_space(&graphic), "{len}");
            for at in 0..len {
                for space in [b' ', b'\t'] {
                    let mut bytes = graphic.clone();
                    bytes[at] = space;
                    assert!(has_space(&bytes), "{at} of {len}");
                }
            }
        }
    }

    /// Source: actpub-httpsig, which read a non-ASCII value as an empty value.
    #[test]
    fn a_value_that_is_not_ascii_has_no_canonical_form() {
        let value = HeaderValue::from_bytes("a\u{a0}b".as_bytes()).unwrap();
        assert_eq!(canonical_value(&value), None);
        let first = HeaderValue::from_static("a");
        assert_eq!(joined("a", [&first, &value]), None);
        assert_eq!(joined("a", []), None);
    }
}
