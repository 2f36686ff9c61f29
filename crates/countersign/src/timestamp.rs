use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{SignedDuration, civil, fmt::rfc2822::DateTimePrinter, tz::TimeZone};

const MICROS_PER_SECOND: i64 = 1_000_000;

const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
///
/// The core reads no clock: every decision that depends on the time takes a timestamp as an
/// argument. Arithmetic saturates at about ±292,000 years, so no timestamp from a peer can
/// overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// Returns the moment `seconds` after the Unix epoch, or before it if negative.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self {
            micros: seconds.saturating_mul(MICROS_PER_SECOND),
        }
    }

    /// Returns the moment `millis` milliseconds after the Unix epoch, or before it if negative.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self {
            micros: millis.saturating_mul(1_000),
        }
    }

    /// Returns the moment `micros` microseconds after the Unix epoch, or before it if negative.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self { micros }
    }

    /// Reads RFC 3339 with any offset.
    #[cfg(any(feature = "config", feature = "policy"))]
    pub(crate) fn parse_rfc3339(text: &str) -> Option<Self> {
        let timestamp: jiff::Timestamp = text.parse().ok()?;
        Some(Self::from_unix_micros(timestamp.as_microsecond()))
    }

    /// Returns whole seconds since the Unix epoch, rounded down.
    pub const fn as_unix_seconds(self) -> i64 {
        self.micros.div_euclid(MICROS_PER_SECOND)
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn as_unix_micros(self) -> i64 {
        self.micros
    }

    /// Returns the calendar date, without the fraction of a second. `None` outside the years 0 to
    /// 9999.
    pub(crate) fn to_civil(self) -> Option<civil::DateTime> {
        let seconds = self.as_unix_seconds();
        let date = match jiff::Timestamp::from_second(seconds) {
            Ok(timestamp) => TimeZone::UTC.to_datetime(timestamp),
            // The range of the library's timestamps ends a day before its calendar.
            Err(_) => EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()?,
        };
        (0..=9999).contains(&date.year()).then_some(date)
    }

    /// Returns the moment of a date in UTC.
    pub(crate) fn from_civil(date: civil::DateTime) -> Self {
        match TimeZone::UTC.to_timestamp(date) {
            Ok(timestamp) => Self::from_unix_micros(timestamp.as_microsecond()),
            Err(_) => Self::from_unix_seconds(date.duration_since(EPOCH).as_secs()),
        }
    }

    /// Formats an IMF-fixdate (RFC 9110 section 5.6.7) without the fraction of a second: `Fri, 02
    /// Jan 2026 03:04:05 GMT`. `None` outside the years 0 to 9999.
    pub fn to_http_date(self) -> Option<String> {
        let Ok(timestamp) = jiff::Timestamp::from_second(self.as_unix_seconds()) else {
            let date = self.to_civil()?;
            return jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", date).ok();
        };
        let mut text = String::with_capacity(29);
        DateTimePrinter::new()
            .print_timestamp_rfc9110(&timestamp, &mut text)
            .ok()?;
        Some(text)
    }

    /// Returns the moment `duration` later.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self {
            micros: self.micros.saturating_add(micros_of(duration)),
        }
    }

    /// Returns the moment `duration` earlier.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self {
            micros: self.micros.saturating_sub(micros_of(duration)),
        }
    }

    /// Returns the distance between two moments, in either order.
    pub const fn abs_diff(self, other: Self) -> Duration {
        Duration::from_micros(self.micros.abs_diff(other.micros))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => micros_of(since),
            Err(before) => micros_of(before.duration()).saturating_neg(),
        };
        Self { micros }
    }
}

/// RFC 3339 in UTC for the years 0 to 9999, otherwise the number of microseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.micros) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{} us", self.micros),
        }
    }
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let far = Timestamp::from_unix_seconds(i64::MAX);
        assert_eq!(far.saturating_add(Duration::MAX), far);
        let past = Timestamp::from_unix_seconds(i64::MIN);
        assert_eq!(past.saturating_sub(Duration::MAX), past);
        assert_eq!(far.abs_diff(past), Duration::from_micros(u64::MAX));
    }

    #[test]
    fn a_system_time_before_the_epoch_is_negative() {
        let before = UNIX_EPOCH - Duration::from_millis(1500);
        let timestamp = Timestamp::from(before);
        assert_eq!(timestamp.as_unix_micros(), -1_500_000);
        assert_eq!(timestamp.as_unix_seconds(), -2);
    }

    #[test]
    fn the_calendar_reaches_to_the_end_of_the_year_9999() {
        let last = 253_402_300_799;
        let text = |seconds| Timestamp::from_unix_seconds(seconds).to_http_date();
        for (seconds, expected) in [
            (253_402_207_200, "Thu, 30 Dec 9999 22:00:00 GMT"),
            (253_402_207_201, "Thu, 30 Dec 9999 22:00:01 GMT"),
            (last, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] {
            assert_eq!(text(seconds).as_deref(), Some(expected));
            let at = Timestamp::from_unix_seconds(seconds);
            assert_eq!(Timestamp::from_civil(at.to_civil().unwrap()), at);
        }
        for seconds in [last + 1, -62_167_219_201, i64::MAX, i64::MIN] {
            assert_eq!(text(seconds), None, "{seconds}");
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_civil(), None);
        }
    }

    #[test]
    fn displays_as_rfc_3339() {
        let timestamp = Timestamp::from_unix_millis(1_767_323_045_250);
        assert_eq!(timestamp.to_string(), "2026-01-02T03:04:05.25Z");
    }
}
