//! The list of covered headers.
//!
//! ```text
//! SignedHeaders = name *( ";" name )      in byte order, each once, `host` among them
//! name          = 1*( "a"-"z" / "0"-"9" / tchar without letters and "%" )
//! ```
//!
//! A URL may spell the semicolons `%3B`.

use std::cmp::Ordering;

use crate::{
    error::{Escaped, Reason, Rejection, reason},
    wire::ByteSet,
};

/// The place of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListForm {
    Header,
    Query,
}

/// Yields the names of a list and checks each: valid, and greater than the previous one.
pub(super) fn names(list: &str, form: ListForm) -> impl Iterator<Item = Result<&str, Reason>> {
    let mut rest = Some(list);
    let mut before = "";
    std::iter::from_fn(move || {
        let (name, behind) = NAME_BYTES.split(rest.take()?);
        rest = match behind.as_bytes() {
            [] => None,
            [b';', ..] => behind.get(1..),
            [b'%', b'3', b'B' | b'b', ..] if form == ListForm::Query => behind.get(3..),
            _ => return Some(Err(no_name(name, behind))),
        };
        if name.is_empty() {
            return Some(Err(no_name(name, behind)));
        }
        if name == "authorization" {
            return Some(Err(reason!(
                "SignedHeaders: expected headers that can be covered, found authorization"
            )));
        }
        if by_bytes(name, before) != Ordering::Greater {
            return Some(Err(reason!(
                "SignedHeaders: expected names in order and each once, found {} after {}",
                Escaped::text(name),
                Escaped::text(before)
            )));
        }
        before = name;
        Some(Ok(name))
    })
}

/// Compares two names. Most names differ in their first bytes, so this is faster than comparing
/// many bytes at a time.
pub(super) fn by_bytes(one: &str, other: &str) -> Ordering {
    one.bytes().cmp(other.bytes())
}

/// Returns the reason for a malformed name in the list.
#[cold]
fn no_name(name: &str, rest: &str) -> Reason {
    let other = rest.chars().next().filter(|other| *other != ';');
    let mut buffer = [0; 4];
    let other = other.map_or("nothing", |other| other.encode_utf8(&mut buffer));
    reason!(
        "SignedHeaders: expected names in lower case between semicolons, found \"{}\" after \"{}\"",
        Escaped::text(other),
        Escaped::text(name)
    )
}

/// Returns the reason for a list without `host`.
#[cold]
pub(super) fn host_missing(list: &str) -> Rejection {
    Rejection::insufficient_coverage(reason!(
        "SignedHeaders: expected host in the list, found \"{}\"",
        Escaped::text(list)
    ))
}

/// Returns whether the text is a token (RFC 9110 section 5.6.2) without upper-case letters and
/// without the `%` of URLs.
static NAME_BYTES: ByteSet = ByteSet::of(b"!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(list: &str, form: ListForm) -> Option<Vec<&str>> {
        names(list, form).collect::<Result<_, _>>().ok()
    }

    #[test]
    fn takes_names_in_order() {
        let expected = Some(vec!["host", "range", "x-amz-date"]);
        assert_eq!(parse("host;range;x-amz-date", ListForm::Header), expected);
        for list in [
            "host;range;x-amz-date",
            "host%3Brange%3Bx-amz-date",
            "host%3brange;x-amz-date",
        ] {
            assert_eq!(parse(list, ListForm::Query), expected, "{list}");
        }
    }

    #[test]
    fn refuses_every_other_list() {
        for (name, list) in [
            ("nothing", ""),
            ("upper case", "Host"),
            ("out of order", "x-amz-date;host"),
            ("twice", "host;host"),
            ("empty name", "host;;x-amz-date"),
            ("empty name at the end", "host;"),
            ("empty name at the start", ";host"),
            ("space", "host; x-amz-date"),
            ("comma", "host,x-amz-date"),
            ("colon", "host:a"),
            ("not ASCII", "höst"),
            ("authorization", "authorization;host"),
            ("escape", "host%20"),
            ("another escape", "host%3Bx%2Damz-date"),
        ] {
            for form in [ListForm::Header, ListForm::Query] {
                assert_eq!(parse(list, form), None, "{name}");
            }
        }
        assert_eq!(parse("host%3Brange", ListForm::Header), None);
    }
}
