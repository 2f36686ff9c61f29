//! The signed date: `YYYYMMDD'T'HHMMSS'Z'` (ISO 8601 basic form) in `x-amz-date`.
//! Without `x-amz-date`, `Date` holds an IMF-fixdate. The string to sign always holds the basic
//! form.

use std::fmt;

use crate::{
    timestamp::Timestamp,
    wire::{DateForm, utc_of_digits},
};

/// A date in basic form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct AmzDate([u8; 16]);

impl AmzDate {
    /// Formats a moment, rounded down to the second. Returns `None` outside the years 0 to 9999.
    pub(super) fn of(at: Timestamp) -> Option<Self> {
        let at = at.to_civil()?;
        let century = at.year().checked_div(100)?;
        let of_century = at.year().checked_rem(100)?;
        let mut text = *b"00000000T000000Z";
        let (date, [_, time @ .., _]) = text.split_first_chunk_mut::<8>()? else {
            return None;
        };
        let date_parts = [
            i8::try_from(century).ok()?,
            i8::try_from(of_century).ok()?,
            at.month(),
            at.day(),
        ];
        let time_parts = [at.hour(), at.minute(), at.second()];
        let places = date.chunks_exact_mut(2).chain(time.chunks_exact_mut(2));
        for (place, value) in places.zip(date_parts.into_iter().chain(time_parts)) {
            let value = u8::try_from(value).ok()?;
            let digits = [value.checked_div(10)?, value.checked_rem(10)?];
            for (place, digit) in place.iter_mut().zip(digits) {
                *place = digit.checked_add(b'0')?;
            }
        }
        Some(Self(text))
    }

    /// Parses the basic form only.
    pub(super) fn parse(text: &str) -> Option<(Self, Timestamp)> {
        let text: &[u8; 16] = text.as_bytes().try_into().ok()?;
        let [
            y1,
            y2,
            y3,
            y4,
            m1,
            m2,
            d1,
            d2,
            b'T',
            h1,
            h2,
            n1,
            n2,
            s1,
            s2,
            b'Z',
        ] = *text
        else {
            return None;
        };
        let at = utc_of_digits([
            [y1, y2],
            [y3, y4],
            [m1, m2],
            [d1, d2],
            [h1, h2],
            [n1, n2],
            [s1, s2],
        ])?;
        Some((Self(*text), at))
    }

    /// Parses the value of `Date`.
    pub(super) fn parse_http(text: &str) -> Option<(Self, Timestamp)> {
        let at = DateForm::ImfFixdate.parse(text)?;
        Some((Self::of(at)?, at))
    }

    pub(super) fn as_str(&self) -> &str {
        // Invariant: both constructors write ASCII only.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns whether the date falls on this day.
    pub(super) fn is_of_day(&self, day: &str) -> bool {
        let [own @ .., _, _, _, _, _, _, _, _] = &self.0;
        own == day.as_bytes()
    }

    /// Returns the day, which the scope must repeat.
    pub(super) fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_the_basic_form() {
        for (text, seconds) in [
            ("20150830T123600Z", 1_440_938_160),
            ("19700101T000000Z", 0),
            ("19691231T235959Z", -1),
            ("20380119T031408Z", 2_147_483_648),
            ("20200229T120000Z", 1_582_977_600),
            ("99991230T220000Z", 253_402_207_200),
            ("99991231T235959Z", 253_402_300_799),
            ("00000101T000000Z", -62_167_219_200),
        ] {
            let at = Timestamp::from_unix_seconds(seconds);
            let (date, found) = AmzDate::parse(text).unwrap();
            assert_eq!((date.as_str(), found), (text, at));
            assert_eq!(AmzDate::of(at), Some(date));
            assert_eq!(date.day(), &text[..8]);
            assert!(date.is_of_day(&text[..8]));
            for other in ["", &text[..7], &text[..9], "20150829"] {
                assert!(!date.is_of_day(other), "{other}");
            }
        }
        let within = Timestamp::from_unix_millis(1_440_938_160_999);
        assert_eq!(AmzDate::of(within).unwrap().as_str(), "20150830T123600Z");
        assert_eq!(AmzDate::of(Timestamp::from_unix_seconds(i64::MAX)), None);
        assert_eq!(AmzDate::of(Timestamp::from_unix_seconds(i64::MIN)), None);
        assert_eq!(
            AmzDate::of(Timestamp::from_unix_seconds(-62_167_219_201)),
            None
        );
    }

    #[test]
    fn refuses_every_other_way_to_write_a_date() {
        for text in [
            "",
            "20150830T123600",
            "20150830T123600z",
            "20150830t123600Z",
            "20150830 123600Z",
            "20150830T123600ZZ",
            " 20150830T123600Z",
            "20150830T123600+0000",
            "2015-08-30T12:36:00Z",
            "20150830T123600.0Z",
            "20151330T123600Z",
            "20150230T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "+2150830T123600Z",
            "2015083aT123600Z",
            "٢٠١٥T123600Z",
            "1440938160",
        ] {
            assert_eq!(AmzDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_http_date_is_signed_in_the_basic_form() {
        let (date, at) = AmzDate::parse_http("Sun, 30 Aug 2015 12:36:00 GMT").unwrap();
        assert_eq!(date.as_str(), "20150830T123600Z");
        assert_eq!(at, Timestamp::from_unix_seconds(1_440_938_160));
        assert_eq!(AmzDate::parse_http("20150830T123600Z"), None);
    }
}
