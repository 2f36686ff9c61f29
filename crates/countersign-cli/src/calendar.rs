//! Dates in arguments and answers.

use countersign::Timestamp;

use crate::failure::Failure;

/// Returns the year and the month of a moment, such as `2026-01`.
pub(crate) fn year_and_month(now: Timestamp) -> Result<String, Failure> {
    let text = now.to_string();
    text.get(..7)
        .map(str::to_owned)
        .ok_or_else(|| Failure::unavailable("the clock shows no date of the calendar"))
}

/// Reads a date from RFC 3339 or from seconds since 1970. For clap.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Timestamp::from_unix_seconds(seconds));
    }
    let date: jiff::Timestamp = text.parse().map_err(|_| {
        "expected a date such as 2026-01-02T03:04:05Z, or seconds since 1970".to_owned()
    })?;
    Ok(Timestamp::from_unix_micros(date.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_from_both_forms() {
        let expected = Timestamp::from_unix_seconds(1_767_323_045);
        for text in [
            "1767323045",
            "2026-01-02T03:04:05Z",
            "2026-01-02T04:04:05+01:00",
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in ["", "tomorrow", "2026-01-02", "2026-13-02T03:04:05Z", "1e9"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(year_and_month(expected).unwrap(), "2026-01");
    }
}
