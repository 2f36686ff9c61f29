//! The covered headers as they are signed: white space at the ends removed, runs of it made one space, values of one name
//! joined by commas. White space is space and tab; clients that also trim other characters of Unicode
//! (Go's `strings.Fields`, Python's `split`) sign what no HTTP field value may hold.

use std::borrow::Cow;

use http::HeaderValue;
use smallvec::SmallVec;

/// Up to this many covered headers are kept without an allocation.
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

/// The value of all occurrences of a header; borrowed where it is sent in canonical form. `None` if one of them is not
/// ASCII.
pub(super) fn canonical_value<'r>(
    first: &'r HeaderValue,
    further: impl IntoIterator<Item = &'r HeaderValue>,
) -> Option<Cow<'r, str>> {
    let mut joined = canonical_line(first)?;
    for value in further {
        let value = canonical_line(value)?;
        let text = joined.to_mut();
        text.push(',');
        text.push_str(&value);
    }
    Some(joined)
}

fn canonical_line(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let bytes = value.as_bytes();
    // Most values have no white space at all: such a one is in canonical form.
    if is_graphic(bytes) {
        return str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    value.to_str().ok().map(canonical_text)
}

/// Whether all bytes are ASCII that can be seen. All are looked at before any is judged, eight at a time.
fn is_graphic(bytes: &[u8]) -> bool {
    let all = |all: bool, byte: &u8| all & byte.is_ascii_graphic();
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks = chunks.iter();
    chunks.fold(true, |so_far, chunk| so_far & chunk.iter().fold(true, all))
        & rest.iter().fold(true, all)
}

pub(super) fn canonical_text(text: &str) -> Cow<'_, str> {
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

/// Whether a header may occur once only: those that this scheme reads, and those in which two values are two answers to one
/// question.
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
            assert_eq!(
                canonical_value(&values[0], &values[1..]).as_deref(),
                Some(expected),
                "{name}"
            );
        }
    }

    #[test]
    fn a_canonical_value_is_borrowed() {
        let value = HeaderValue::from_static("a b");
        assert!(matches!(
            canonical_value(&value, []),
            Some(Cow::Borrowed("a b"))
        ));
    }

    /// Source: actpub-httpsig, which read a value that is not ASCII as an empty one.
    #[test]
    fn a_value_that_is_not_ascii_has_no_canonical_form() {
        let value = HeaderValue::from_bytes("a\u{a0}b".as_bytes()).unwrap();
        assert_eq!(canonical_value(&value, []), None);
        let first = HeaderValue::from_static("a");
        assert_eq!(canonical_value(&first, [&value]), None);
    }
}
