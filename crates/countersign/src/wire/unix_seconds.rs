//! A date as a count of seconds since 1970-01-01T00:00:00Z.
//!
//! ```text
//! date = 1*12DIGIT
//! ```

use http::HeaderName;

use crate::{
    error::{Escaped, Reason, SignError, SignErrorKind, finer_unit, reason},
    timestamp::Timestamp,
};

/// The greatest number of digits. They reach the year 33658, and no such number overflows.
const MAX_DIGITS: usize = 12;

/// Reads digits only. `str::parse` alone would accept a sign. Python's `int` accepts blanks,
/// underscores and digits of other scripts.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if !(1..=MAX_DIGITS).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().map(Timestamp::from_unix_seconds)
}

/// Returns the reason for a header with anything else.
#[cold]
pub(crate) fn refusal(name: &HeaderName, found: &str) -> Reason {
    let looks_like = found.parse().ok().and_then(finer_unit);
    match looks_like {
        Some(unit) => reason!(
            "header {}: expected seconds since 1970-01-01T00:00:00Z, found {}, which looks like {}",
            name,
            Escaped::unless_secret(found),
            unit
        ),
        None => reason!(
            "header {}: expected 1 to 12 decimal digits, found \"{}\"",
            name,
            Escaped::unless_secret(found)
        ),
    }
}

/// Formats whole seconds in canonical form, without leading zeros.
pub(crate) fn format(now: Timestamp) -> Result<String, SignError> {
    let text = now.as_unix_seconds().to_string();
    match parse(&text) {
        Some(_) => Ok(text),
        None => Err(SignError::new(
            SignErrorKind::Date,
            format!("{now} is outside what 12 digits of seconds can say"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_to_twelve_digits() {
        for (text, seconds) in [
            ("0", 0),
            ("1", 1),
            ("1767323045", 1_767_323_045),
            ("001767323045", 1_767_323_045),
            ("999999999999", 999_999_999_999),
        ] {
            let expected = Some(Timestamp::from_unix_seconds(seconds));
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    /// Source: pitfalls of hawk and http-signature-normalization, whose clocks overflowed. Python's
    /// `int()` reads most of these. The Rust library of Standard Webhooks overflowed on `i64::MIN`.
    #[test]
    fn refuses_everything_else_and_overflows_on_nothing() {
        for text in [
            "",
            " ",
            "+1",
            "-1",
            "-0",
            " 1",
            "1 ",
            "1\t",
            "1_000",
            "1.0",
            "1.",
            "1e9",
            "0x10",
            "NaN",
            "1000000000000",
            "0001767323045",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "１７６７３２３０４５",
            "١٧٦٧",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn writes_what_it_reads_and_no_other_date() {
        for seconds in [0, 1, 1_767_323_045, 999_999_999_999] {
            let date = Timestamp::from_unix_seconds(seconds);
            assert_eq!(parse(&format(date).unwrap()), Some(date), "{seconds}");
        }
        for seconds in [-1, 1_000_000_000_000, i64::MIN, i64::MAX] {
            let error = format(Timestamp::from_unix_seconds(seconds)).unwrap_err();
            assert_eq!(error.kind(), SignErrorKind::Date, "{seconds}");
        }
    }

    #[test]
    fn drops_what_is_less_than_a_second() {
        let date = Timestamp::from_unix_millis(1_767_323_045_999);
        assert_eq!(format(date).unwrap(), "1767323045");
    }
}
