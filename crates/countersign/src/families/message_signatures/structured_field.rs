//! Structured Field Values (RFC 9651), as far as this family needs them.

use std::{borrow::Cow, error, fmt};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{HeaderName, HeaderValue};
use sfv::{BareItemFromInput, Dictionary, FieldType, Item, List, ListSerializer, Parser};

use super::{CONTENT_DIGEST, rules::Bytes};
use crate::{
    error::{Reason, Rejection, reason},
    head::not_ascii,
};

/// The type of a structured field, which its text does not tell (RFC 9651 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StructuredType {
    /// A list of items and inner lists.
    List,
    /// A dictionary of items and inner lists.
    Dictionary,
    /// One item.
    Item,
}

impl StructuredType {
    /// Serializes the field again by RFC 9651 section 4.1. Returns `None` if it is not of this
    /// type.
    pub(super) fn reserialize(self, text: &str) -> Option<String> {
        match self {
            Self::List => parse::<List>(text)?.serialize(),
            Self::Dictionary => parse::<Dictionary>(text)?.serialize(),
            Self::Item => return Some(parse::<Item>(text)?.serialize()),
        }
        // An empty list is serialized as an empty text.
        .or(Some(String::new()))
    }
}

/// A dictionary field.
#[derive(Debug)]
pub(super) struct ParsedDictionary(Dictionary);

impl ParsedDictionary {
    /// Parses the lines. Returns `None` if they form no dictionary.
    pub(super) fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// Serializes one member again. Returns `None` if the key is absent.
    pub(super) fn write_member(&self, key: &str, text: &mut String) -> Option<()> {
        // As the only member of a list, it is serialized as after its key in a dictionary.
        let mut list = ListSerializer::with_buffer(text);
        list.members(self.0.get(key));
        list.finish().map(|_| ())
    }
}

fn parse<T: FieldType>(text: &str) -> Option<T> {
    Parser::new(text).parse().ok()
}

/// Yields the lines of a dictionary field, which the caller parses one by one. Their members are
/// those of the lines joined by commas (RFC 9651 section 4.2).
/// Only an empty line, or a line that ends inside a member, would differ; both are refused. `limit`
/// bounds the sum of the lengths.
pub(super) fn lines<'r>(
    lines: &[&'r HeaderValue],
    name: &'static HeaderName,
    limit: usize,
) -> impl Iterator<Item = Result<&'r str, Rejection>> {
    let malformed = |reason: Reason| Rejection::malformed(reason);
    let mut left = limit;
    lines.iter().map(move |line| {
        match left.checked_sub(line.len()) {
            Some(rest) => left = rest,
            None => return Err(malformed(too_long(lines, name, limit))),
        }
        match line.to_str() {
            Err(_) => Err(malformed(not_ascii(name.into(), line))),
            Ok(line) if line.trim_ascii().is_empty() => Err(malformed(reason!(
                "header {}: expected a dictionary, found an empty line",
                name
            ))),
            Ok(line) => Ok(line),
        }
    })
}

/// Returns the reason for lines that are too long in total.
#[cold]
fn too_long(lines: &[&HeaderValue], name: &HeaderName, limit: usize) -> Reason {
    let bytes = lines.iter().map(|line| line.len());
    let bytes = bytes.fold(0, usize::saturating_add);
    let setting = if *name == CONTENT_DIGEST {
        "HeadLimits::with_covered_value_bytes"
    } else {
        "HeadLimits::with_authorization_bytes"
    };
    Reason::over(name.into(), limit, "bytes", bytes, setting)
}

/// A bare item of a type that this family uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text<'de> {
    /// A string without escapes. No string in this family needs escapes, so each has one spelling.
    Plain(&'de str),
    /// The boolean `true`.
    True,
    Other,
}

impl<'de> Text<'de> {
    pub(super) fn of(item: &BareItemFromInput<'de>) -> Self {
        match item {
            BareItemFromInput::String(Cow::Borrowed(text)) if is_plain_text(text.as_str()) => {
                Self::Plain(text.as_str())
            }
            BareItemFromInput::Boolean(true) => Self::True,
            _ => Self::Other,
        }
    }

    /// Returns the text of a string, without its escapes.
    pub(super) fn with_escapes(item: &BareItemFromInput<'de>) -> Option<Cow<'de, str>> {
        match item {
            BareItemFromInput::String(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.as_str())),
            BareItemFromInput::String(Cow::Owned(text)) => {
                Some(Cow::Owned(text.as_str().to_owned()))
            }
            _ => None,
        }
    }
}

/// Writes a byte sequence of up to 96 bytes after these texts. The allocation has the exact length,
/// so that a header value takes it over.
pub(super) fn byte_sequence(before: [&str; 2], bytes: &[u8], form: Bytes) -> Option<String> {
    let mut buffer = [0; 128];
    // Needs no constant time: the encoded bytes are public.
    let len = match form {
        Bytes::Base64 => STANDARD.encode_slice(bytes, &mut buffer),
        Bytes::Base64Url => URL_SAFE_NO_PAD.encode_slice(bytes, &mut buffer),
    };
    let len = len.ok()?;
    let digits = str::from_utf8(buffer.get(..len)?).ok()?;
    let [first, second] = before;
    Some([first, second, ":", digits, ":"].concat())
}

/// Returns whether a text needs no escapes in a string.
pub(super) fn is_plain_text(text: &str) -> bool {
    let plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    text.bytes().all(plain)
}

/// Returns the visitor's error for a member of the wrong type.
#[derive(Debug)]
pub(super) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not what the field is made of")
    }
}

impl error::Error for Unreadable {}

/// Collects the parameters of a component identifier, in order: none has more than two.
pub(super) type AtMostTwo<'c> = [Option<(&'c str, Text<'c>)>; 2];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_fields_anew() {
        use StructuredType::{Dictionary, Item, List};

        for (name, kind, text, expected) in [
            (
                "RFC 9421 section 2.1.1",
                Dictionary,
                " a=1,    b=2;x=1;y=2,   c=(a   b   c)",
                Some("a=1, b=2;x=1;y=2, c=(a b c)"),
            ),
            ("an empty dictionary", Dictionary, "", Some("")),
            ("an empty list", List, "", Some("")),
            ("a list", List, "a,(b  c);d=?1", Some("a, (b c);d")),
            ("an item", Item, " 1.50 ;a=?1", None),
            ("an item with a space", Item, " 1.50;  a=?1", Some("1.5;a")),
            ("no dictionary", Dictionary, "a, \"", None),
            ("no item", Item, "", None),
        ] {
            assert_eq!(kind.reserialize(text).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn finds_members_of_dictionaries() {
        let text = " a=1, b=2;x=1;y=2, c=(a   b    c), d, a=3";
        for (key, expected) in [
            ("a", Some("3")),
            ("b", Some("2;x=1;y=2")),
            ("c", Some("(a b c)")),
            ("d", Some("?1")),
            ("e", None),
        ] {
            let mut found = String::new();
            let dictionary = ParsedDictionary::parse(text).unwrap();
            let written = dictionary.write_member(key, &mut found);
            assert_eq!(written.map(|()| &*found), expected, "{key}");
        }
        assert!(ParsedDictionary::parse("1").is_none());
    }

    #[test]
    fn lines_are_bounded_ascii_and_never_empty() {
        static NAME: HeaderName = HeaderName::from_static("signature");
        for (name, values, expected) in [
            ("none", &[][..], Some(0)),
            ("two", &["a=1", "b=2"], Some(2)),
            ("an empty one", &["a=1", " \t"], None),
            ("at the limit", &["a=1234", "b=23"], Some(2)),
            ("beyond the limit", &["a=1234", "b=234"], None),
            ("obs-text", &["a=é"], None),
        ] {
            let value = |value: &&str| HeaderValue::from_bytes(value.as_bytes()).unwrap();
            let values: Vec<_> = values.iter().map(value).collect();
            let values: Vec<_> = values.iter().collect();
            let found: Option<Vec<_>> = lines(&values, &NAME, 10).map(Result::ok).collect();
            assert_eq!(found.map(|lines| lines.len()), expected, "{name}");
        }
    }
}
