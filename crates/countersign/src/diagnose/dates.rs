//! Reads dates in the forms that callers send, for any scheme.

use crate::timestamp::Timestamp;

/// The unit of a date text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Date,
    Seconds,
    Milliseconds,
}

/// Counts of at least this value are milliseconds: as seconds they would be after the year 5000.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// Reads a date in any known form.
pub(super) fn read(text: &str) -> Option<(Timestamp, Unit)> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !whole.is_empty() && whole.len() <= 15 && is_number(whole) && is_number(fraction) {
        let count: i64 = whole.parse().ok()?;
        return Some(if count >= FIRST_MILLIS {
            (Timestamp::from_unix_millis(count), Unit::Milliseconds)
        } else {
            (Timestamp::from_unix_seconds(count), Unit::Seconds)
        });
    }
    let at = http(text).or_else(|| basic_date(text)).or_else(|| {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(at.as_second())
    })?;
    Some((Timestamp::from_unix_seconds(at), Unit::Date))
}

/// Formats the basic form of ISO 8601, as in SigV4.
pub(super) fn basic(at: Timestamp) -> String {
    let whole = Timestamp::from_unix_seconds(at.as_unix_seconds());
    whole.to_string().replace(['-', ':'], "")
}

/// Returns whether a count of seconds is really one of milliseconds: read as milliseconds, it is
/// within a day of now.
pub(super) fn looks_like_millis(signed_at: Timestamp, now: Timestamp) -> bool {
    let as_millis = Timestamp::from_unix_millis(signed_at.as_unix_seconds());
    as_millis.abs_diff(now) < std::time::Duration::from_secs(24 * 60 * 60)
}

/// Returns the offset from UTC in minutes that explains a difference, if any. Offsets are multiples
/// of 15 minutes, up to 14 hours.
pub(super) fn offset_of(signed_at: Timestamp, now: Timestamp) -> Option<i64> {
    let seconds = signed_at
        .as_unix_seconds()
        .checked_sub(now.as_unix_seconds())?;
    let quarters = seconds.checked_add(450)?.div_euclid(900);
    let rest = seconds.checked_sub(quarters.checked_mul(900)?)?;
    let is_offset = (2..=56).contains(&quarters.abs()) && rest.abs() <= 90;
    if is_offset {
        quarters.checked_mul(15)
    } else {
        None
    }
}

fn http(text: &str) -> Option<i64> {
    let text = text.replace("UTC", "GMT");
    let zoned = jiff::fmt::rfc2822::parse(&text).ok()?;
    Some(zoned.timestamp().as_second())
}

fn basic_date(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let parts = [
        date.get(..4)?,
        "-",
        date.get(4..6)?,
        "-",
        date.get(6..8)?,
        "T",
        time.get(..2)?,
        ":",
        time.get(2..4)?,
        ":",
        time.get(4..6)?,
        "Z",
    ];
    let is_whole = date.len() == 8 && time.len() == 6;
    let at: jiff::Timestamp = parts.concat().parse().ok()?;
    is_whole.then(|| at.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_callers_send() {
        let at = Timestamp::from_unix_seconds(1_767_323_045);
        for (text, unit) in [
            ("Fri, 02 Jan 2026 03:04:05 GMT", Unit::Date),
            ("Fri, 02 Jan 2026 03:04:05 UTC", Unit::Date),
            ("Fri, 02 Jan 2026 05:04:05 +0200", Unit::Date),
            ("2026-01-02T03:04:05Z", Unit::Date),
            ("2026-01-02T03:04:05.123+00:00", Unit::Date),
            ("20260102T030405Z", Unit::Date),
            ("1767323045", Unit::Seconds),
            ("1767323045.25", Unit::Seconds),
            ("1767323045000", Unit::Milliseconds),
        ] {
            let (found, found_unit) = read(text).unwrap();
            assert_eq!(found.as_unix_seconds(), at.as_unix_seconds(), "{text}");
            assert_eq!(found_unit, unit, "{text}");
        }
        for text in ["", "now", "-5", "1767323045000000000", "1.2.3"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(basic(at), "20260102T030405Z");
    }

    #[test]
    fn a_distance_that_a_time_zone_explains_is_told_from_a_clock() {
        let now = Timestamp::from_unix_seconds(1_767_323_045);
        let apart = |seconds: i64| {
            let at = Timestamp::from_unix_seconds(1_767_323_045 + seconds);
            offset_of(at, now)
        };
        assert_eq!(apart(3600), Some(60));
        assert_eq!(apart(-18_000 - 30), Some(-300));
        assert_eq!(apart(19_800 + 60), Some(330));
        for seconds in [0, 600, 900, 3_900, 60 * 60 * 15, i64::MAX - 1_767_323_045] {
            assert_eq!(apart(seconds), None, "{seconds}");
        }
        let millis = Timestamp::from_unix_seconds(1_767_323_045_000);
        assert!(looks_like_millis(millis, now));
        assert!(!looks_like_millis(now, now));
    }
}
