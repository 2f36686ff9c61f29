//! `webhook-timestamp`: seconds since 1970, with one spelling only.
//!
//! The official libraries parse the number and sign its printed form. There, `+1`, `1.0` and `01`
//! verify with the signature of `1`. Here the text itself is signed, and has one form.

use http::HeaderName;

use crate::{
    error::{Escaped, Reason, SignError, reason},
    timestamp::Timestamp,
    wire::unix_seconds,
};

pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let canonical = text == "0" || !text.starts_with('0');
    unix_seconds::parse(text).filter(|_| canonical)
}

/// Returns the reason for a malformed timestamp.
#[cold]
pub(super) fn refusal(name: &HeaderName, found: &str) -> Reason {
    if unix_seconds::parse(found).is_some() {
        reason!(
            "header {}: expected no leading zeroes, found {}",
            name,
            Escaped::text(found)
        )
    } else {
        unix_seconds::refusal(name, found)
    }
}

pub(super) fn format(now: Timestamp) -> Result<String, SignError> {
    unix_seconds::format(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("1649367553", Some(1_649_367_553)),
            ("999999999999", Some(999_999_999_999)),
            ("00", None),
            ("01649367553", None),
            ("+1649367553", None),
            ("1649367553.0", None),
            ("", None),
            ("1000000000000", None),
            ("-9223372036854775808", None),
        ] {
            assert_eq!(
                parse(text),
                seconds.map(Timestamp::from_unix_seconds),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let now = Timestamp::from_unix_seconds(1_649_367_553);
        assert_eq!(parse(&format(now).unwrap()), Some(now));
    }
}
