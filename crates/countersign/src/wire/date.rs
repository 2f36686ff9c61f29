use http::HeaderValue;
use jiff::civil;

use crate::timestamp::Timestamp;

/// The accepted grammars of `x-date`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// IMF-fixdate only (RFC 9110 section 5.6.7): `Fri, 02 Jan 2026 03:04:05 GMT`.
    #[default]
    ImfFixdate,
    /// Also RFC 3339 in UTC: `2026-01-02T03:04:05Z`, with or without a fraction.
    ImfFixdateOrRfc3339,
}

impl DateForm {
    /// Names the expected form of a date, for an error.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ImfFixdate => "an IMF-fixdate",
            Self::ImfFixdateOrRfc3339 => "an IMF-fixdate, or RFC 3339 in UTC",
        }
    }

    #[inline]
    pub(crate) fn parse(self, text: &str) -> Option<Timestamp> {
        match self {
            Self::ImfFixdate => parse_imf_fixdate(text),
            Self::ImfFixdateOrRfc3339 => parse_imf_fixdate(text).or_else(|| parse_rfc3339(text)),
        }
    }
}

/// ```text
/// IMF-fixdate = day-name "," SP 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP "GMT"
/// ```
///
/// The name must be a weekday, but is not checked against the date: the text itself is signed.
fn parse_imf_fixdate(text: &str) -> Option<Timestamp> {
    let bytes: &[u8; 29] = text.as_bytes().try_into().ok()?;
    let [
        w1,
        w2,
        w3,
        b',',
        b' ',
        d1,
        d2,
        b' ',
        m1,
        m2,
        m3,
        b' ',
        y1,
        y2,
        y3,
        y4,
        b' ',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        b' ',
        b'G',
        b'M',
        b'T',
    ] = *bytes
    else {
        return None;
    };
    if !matches!(
        &[w1, w2, w3],
        b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun"
    ) {
        return None;
    }
    let month = match &[m1, m2, m3] {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    let year = i16::from(two_digits(y1, y2)?)
        .checked_mul(100)?
        .checked_add(i16::from(two_digits(y3, y4)?))?;
    utc(
        year,
        month,
        two_digits(d1, d2)?,
        two_digits(h1, h2)?,
        two_digits(n1, n2)?,
        two_digits(s1, s2)?,
    )
}

/// ```text
/// rfc3339 = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*6DIGIT ] "Z"
/// ```
fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = match text.strip_suffix('Z')?.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text.strip_suffix('Z')?, "0"),
    };
    let bytes: &[u8; 19] = whole.as_bytes().try_into().ok()?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = *bytes
    else {
        return None;
    };
    if fraction.is_empty() || fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = 10_i64.checked_pow(6_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    let micros = fraction.parse::<i64>().ok()?.checked_mul(scale)?;
    let second = utc_of_digits([
        [y1, y2],
        [y3, y4],
        [m1, m2],
        [d1, d2],
        [h1, h2],
        [n1, n2],
        [s1, s2],
    ])?;
    Some(Timestamp::from_unix_micros(
        second.as_unix_micros().checked_add(micros)?,
    ))
}

/// Reads the digits of a century, a year in it, a month, a day, an hour, a minute and a second.
pub(crate) fn utc_of_digits(digits: [[u8; 2]; 7]) -> Option<Timestamp> {
    let [century, year, month, day, hour, minute, second] =
        digits.map(|[tens, ones]| two_digits(tens, ones));
    let year = i16::from(century?)
        .checked_mul(100)?
        .checked_add(i16::from(year?))?;
    utc(year, month?, day?, hour?, minute?, second?)
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| byte.checked_sub(b'0').filter(|digit| *digit <= 9);
    let value = digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)?;
    i8::try_from(value).ok()
}

#[inline]
fn utc(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> Option<Timestamp> {
    let date = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(Timestamp::from_civil(date))
}

/// Formats `at` as an IMF-fixdate. `None` outside the years 0000 to 9999.
pub(crate) fn imf_fixdate(at: Timestamp) -> Option<HeaderValue> {
    HeaderValue::try_from(at.to_http_date()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_imf_fixdates() {
        for (text, seconds) in [
            ("Fri, 02 Jan 2026 03:04:05 GMT", 1_767_323_045),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
            ("Sat, 29 Feb 2020 12:00:00 GMT", 1_582_977_600),
            ("Thu, 30 Dec 9999 22:00:00 GMT", 253_402_207_200),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            // The weekday is signed as text, and not checked against the date.
            ("Mon, 02 Jan 2026 03:04:05 GMT", 1_767_323_045),
        ] {
            let expected = Some(Timestamp::from_unix_seconds(seconds));
            assert_eq!(DateForm::ImfFixdate.parse(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_every_other_way_to_write_a_date() {
        for text in [
            "",
            "1",
            "1767323045",
            "Nov 5 2030",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.000Z",
            "Fri, 2 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan 26 03:04:05 GMT",
            "Friday, 02-Jan-26 03:04:05 GMT",
            "Fri Jan  2 03:04:05 2026",
            "Fri, 02 Jan 2026 03:04:05 UTC",
            "Fri, 02 Jan 2026 03:04:05 +0000",
            "Fri, 02 Jan 2026 03:04:05 gmt",
            "fri, 02 jan 2026 03:04:05 GMT",
            "Xyz, 02 Jan 2026 03:04:05 GMT",
            "Fri, 02 Xyz 2026 03:04:05 GMT",
            "Fri, 30 Feb 2026 03:04:05 GMT",
            "Fri, 00 Jan 2026 03:04:05 GMT",
            "Fri, 32 Jan 2026 03:04:05 GMT",
            "Sat, 29 Feb 2026 03:04:05 GMT",
            "Fri, 02 Jan 2026 24:00:00 GMT",
            "Fri, 02 Jan 2026 03:60:05 GMT",
            "Fri, 02 Jan 2026 03:04:60 GMT",
            "Fri, +2 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan -026 03:04:05 GMT",
            " Fri, 02 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan 2026 03:04:05 GMT ",
            "Fri,\t02 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan 2026 03:04:05 GMTx",
            "Fri, ٠٢ Jan 2026 03:04:05 GMT",
        ] {
            assert_eq!(DateForm::ImfFixdate.parse(text), None, "{text}");
        }
    }

    #[test]
    fn reads_rfc_3339_in_utc_only_where_it_is_asked_for() {
        let with = DateForm::ImfFixdateOrRfc3339;
        let micros = |text| with.parse(text).map(Timestamp::as_unix_micros);
        assert_eq!(micros("2026-01-02T03:04:05Z"), Some(1_767_323_045_000_000));
        assert_eq!(
            micros("2026-01-02T03:04:05.25Z"),
            Some(1_767_323_045_250_000)
        );
        assert_eq!(
            micros("2026-01-02T03:04:05.000001Z"),
            Some(1_767_323_045_000_001)
        );
        assert_eq!(
            micros("Fri, 02 Jan 2026 03:04:05 GMT"),
            Some(1_767_323_045_000_000)
        );
        for text in [
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-01-02t03:04:05z",
            "2026-01-02T03:04:05+00:00",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.0000001Z",
            "2026-01-02T03:04:05.+1Z",
            "2026-13-02T03:04:05Z",
            "2026-01-02T03:04Z",
            "20260102T030405Z",
        ] {
            assert_eq!(with.parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for seconds in [
            0,
            -1,
            1_767_323_045,
            2_147_483_648,
            253_402_207_200,
            253_402_300_799,
            -11_644_473_600,
        ] {
            let at = Timestamp::from_unix_seconds(seconds);
            let text = imf_fixdate(at).unwrap();
            assert_eq!(DateForm::ImfFixdate.parse(text.to_str().unwrap()), Some(at));
        }
    }

    #[test]
    fn writes_no_date_outside_four_digit_years() {
        assert_eq!(imf_fixdate(Timestamp::from_unix_seconds(i64::MAX)), None);
        assert_eq!(imf_fixdate(Timestamp::from_unix_seconds(i64::MIN)), None);
        // Tue, 20 Apr -271821, JavaScript's earliest date.
        assert_eq!(
            imf_fixdate(Timestamp::from_unix_seconds(-8_640_000_000_000)),
            None
        );
    }
}
