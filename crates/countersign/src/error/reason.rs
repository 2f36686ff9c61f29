//! Reasons of refusals, for the operator: a fixed text, and the values that it names.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use http::HeaderName;

use super::{Escaped, Mismatch};
use crate::timestamp::Timestamp;

/// The greatest length of a reason with values, in bytes.
const MAX_LEN: usize = 1024;

/// The greatest number of names shown from a list.
const MAX_NAMES: usize = 16;

/// A reason. Made by [`reason!`], which escapes and truncates text from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Fixed(&'static str),
    Detailed(Box<Detail>),
}

/// A reason with values that are known only at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A formatted text.
    Composed(Printable),
    Stale(Stale),
    Mismatch(Mismatch),
}

/// A date that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    /// The header or parameter that carries the date.
    pub(crate) carrier: &'static str,
    pub(crate) signed_at: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) window: Duration,
}

/// Makes a [`Reason`] from a text with a `{}` for each value. Values must be [`Named`].
macro_rules! reason {
    ($text:literal $(,)?) => {
        $crate::error::Reason::Fixed($text)
    };
    ($text:literal, $($named:expr),+ $(,)?) => {
        $crate::error::Reason::composed(format_args!(
            $text,
            $($crate::error::Named::from($named)),+
        ))
    };
}
pub(crate) use reason;

/// A value that a reason may hold.
pub(crate) enum Named<'n> {
    /// Text of this library.
    Text(&'static str),
    /// Text from a peer.
    Peer(Escaped<'n>),
    /// Texts from a peer or from the settings.
    List(&'n [&'n str]),
    /// A header name: a token.
    Header(&'n HeaderName),
    /// A value that the operator has set.
    Set(&'n dyn fmt::Display),
    Count(usize),
    Bytes(u64),
}

/// A value that the operator has set, such as a caller's name or a key's version.
pub(crate) struct Set<'n>(pub(crate) &'n dyn fmt::Display);

impl Reason {
    /// Formats a text. Escapes everything but printable ASCII and truncates the text.
    #[cold]
    pub(crate) fn composed(text: fmt::Arguments<'_>) -> Self {
        let mut printable = Printable(String::new());
        // Writing stops early where the text is truncated.
        let _: fmt::Result = printable.write_fmt(text);
        Self::Detailed(Box::new(Detail::Composed(printable)))
    }

    /// Names a value over a limit, and the `setting` that changes the limit.
    #[cold]
    pub(crate) fn over(
        what: Named<'_>,
        limit: usize,
        unit: &'static str,
        found: usize,
        setting: &'static str,
    ) -> Self {
        reason!(
            "{}: expected at most {} {}, found {}; {} sets the limit",
            what,
            limit,
            unit,
            found,
            setting
        )
    }

    /// Names a value over a fixed limit.
    #[cold]
    pub(crate) fn over_fixed(
        what: Named<'_>,
        limit: usize,
        unit: &'static str,
        found: usize,
    ) -> Self {
        reason!(
            "{}: expected at most {} {}, found {}",
            what,
            limit,
            unit,
            found
        )
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<Detail> for Reason {
    fn from(detail: Detail) -> Self {
        Self::Detailed(Box::new(detail))
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(text) => f.write_str(text),
            Self::Detailed(detail) => match &**detail {
                Detail::Composed(text) => f.write_str(&text.0),
                Detail::Stale(stale) => stale.fmt(f),
                Detail::Mismatch(mismatch) => mismatch.fmt(f),
            },
        }
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            carrier,
            signed_at,
            now,
            window,
        } = self;
        let seconds = signed_at.as_unix_seconds();
        if let Some(unit) = finer_unit(seconds) {
            return write!(
                f,
                "{carrier}: expected seconds since 1970-01-01T00:00:00Z, found {seconds}, which \
                looks like {unit}; it is {now}"
            );
        }
        let window = window.as_secs();
        write!(
            f,
            "{carrier}: signed at {signed_at}, more than {window} s from {now}"
        )
    }
}

/// Returns the finer unit in which a number of "seconds" was probably written. As seconds, the date
/// is after the year 5138. In the finer unit, the date is after March 1973.
pub(crate) fn finer_unit(seconds: i64) -> Option<&'static str> {
    match seconds {
        100_000_000_000..100_000_000_000_000 => Some("milliseconds"),
        100_000_000_000_000..100_000_000_000_000_000 => Some("microseconds"),
        100_000_000_000_000_000.. => Some("nanoseconds"),
        _ => None,
    }
}

impl From<&'static str> for Named<'_> {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl<'n> From<Escaped<'n>> for Named<'n> {
    fn from(text: Escaped<'n>) -> Self {
        Self::Peer(text)
    }
}

impl<'n> From<&'n [&'n str]> for Named<'n> {
    fn from(list: &'n [&'n str]) -> Self {
        Self::List(list)
    }
}

impl<'n> From<&'n Vec<&'n str>> for Named<'n> {
    fn from(list: &'n Vec<&'n str>) -> Self {
        Self::List(list)
    }
}

impl<'n> From<&'n HeaderName> for Named<'n> {
    fn from(name: &'n HeaderName) -> Self {
        Self::Header(name)
    }
}

impl<'n> From<Set<'n>> for Named<'n> {
    fn from(Set(text): Set<'n>) -> Self {
        Self::Set(text)
    }
}

impl From<usize> for Named<'_> {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<u64> for Named<'_> {
    fn from(count: u64) -> Self {
        Self::Bytes(count)
    }
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Peer(text) => text.fmt(f),
            Self::List([]) => f.write_str("nothing"),
            Self::List(list) => {
                for (position, text) in list.iter().take(MAX_NAMES).enumerate() {
                    let between = if position > 0 { ", " } else { "" };
                    write!(f, "{between}{}", Escaped::text(text))?;
                }
                match list.len().checked_sub(MAX_NAMES) {
                    None | Some(0) => Ok(()),
                    Some(more) => write!(f, " and {more} more"),
                }
            }
            Self::Header(name) => write!(f, "{:.64}", name.as_str()),
            Self::Set(text) => text.fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Bytes(count) => count.fmt(f),
        }
    }
}

/// Keeps printable ASCII and escapes everything else, up to a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printable(String);

impl Write for Printable {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() >= MAX_LEN {
                return Err(fmt::Error);
            }
            if matches!(character, ' '..='~') {
                self.0.push(character);
            } else {
                self.0.extend(character.escape_default());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_escaped_and_a_reason_is_cut() {
        let forged = "a\"\nWARN b";
        assert_eq!(
            reason!("host: found \"{}\"", Escaped::text(forged)).to_string(),
            "host: found \"a\\\"\\nWARN b\""
        );
        // Escapes text as well that the caller should have escaped.
        let set = reason!("{}", Set(&"a\nb\u{e9}")).to_string();
        assert_eq!(set, "a\\nb\\u{e9}");
        let long = "x".repeat(5000);
        assert_eq!(reason!("{}", Set(&long)).to_string().len(), MAX_LEN);
        let names = vec!["name"; 18];
        let list = reason!("{}", &names).to_string();
        assert!(list.ends_with("name, name and 2 more"), "{list}");
    }

    #[test]
    fn a_number_that_is_no_count_of_seconds_is_told_as_what_it_looks_like() {
        for (number, expected) in [
            (1_795_935_271, None),
            (99_999_999_999, None),
            (1_795_935_271_891, Some("milliseconds")),
            (1_795_935_271_891_000, Some("microseconds")),
            (i64::MAX, Some("nanoseconds")),
            (-1_795_935_271_891, None),
        ] {
            assert_eq!(finer_unit(number), expected, "{number}");
        }
    }
}
