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

/// The value of all occurrences of a header; borrowed where it is sent in canonical form. `None` if there is none, or one
/// of them is not ASCII.
pub(super) fn canonical_value<'r>(
    values: impl IntoIterator<Item = &'r HeaderValue>,
) -> Option<Cow<'r, str>> {
    let mut values = values.into_iter();
    let mut joined = canonical_text(values.next()?.to_str().ok()?);
    for value in values {
        let value = canonical_text(value.to_str().ok()?);
        let text = joined.to_mut();
        text.push(',');
        text.push_str(&value);
    }
    Some(joined)
}

pub(super) fn canonical_text(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(SPACE);
    if !text.contains('\t') && !text.contains("  ") {
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
                canonical_value(&values).as_deref(),
                Some(expected),
                "{name}"
            );
        }
    }

    #[test]
    fn a_canonical_value_is_borrowed() {
        let value = HeaderValue::from_static("a b");
        assert!(matches!(
            canonical_value([&value]),
            Some(Cow::Borrowed("a b"))
        ));
    }

    /// Source: actpub-httpsig, which read a value that is not ASCII as an empty one.
    #[test]
    fn a_value_that_is_not_ascii_has_no_canonical_form() {
        let value = HeaderValue::from_bytes("a\u{a0}b".as_bytes()).unwrap();
        assert_eq!(canonical_value([&value]), None);
        assert_eq!(
            canonical_value([&HeaderValue::from_static("a"), &value]),
            None
        );
        assert_eq!(canonical_value([]), None);
    }
}
