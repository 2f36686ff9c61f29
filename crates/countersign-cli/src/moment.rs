//! Moments as arguments.

use std::str::FromStr;

use countersign::Timestamp;

use crate::calendar;

/// The clock of the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This moment.
    At(Timestamp),
    /// The date that the request was signed at, so that its age does not count.
    Signed,
}

impl FromStr for Moment {
    type Err = String;

    /// Reads RFC 3339 with any offset, seconds since 1970, or `signed`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "signed" {
            return Ok(Self::Signed);
        }
        let moment = calendar::parse(text);
        moment
            .map(Self::At)
            .map_err(|problem| problem + ", or the word signed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_seconds_or_a_word() {
        let at = Moment::At(Timestamp::from_unix_seconds(1_767_323_045));
        for (text, expected) in [
            ("2026-01-02T03:04:05Z", Some(at)),
            ("2026-01-02T05:04:05+02:00", Some(at)),
            ("1767323045", Some(at)),
            ("signed", Some(Moment::Signed)),
            ("2026-01-02T03:04:05", None),
            ("now", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text:?}");
        }
    }
}
