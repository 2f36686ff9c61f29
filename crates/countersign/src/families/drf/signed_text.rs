//! The signed text: `timestamp "." body`. A timestamp holds no dot, so different pairs have
//! different texts.

/// Returns the text up to the body.
pub(super) fn before_the_body(timestamp: &str) -> Vec<u8> {
    [timestamp.as_bytes(), b"."].concat()
}

/// Returns whether a timestamp announces a nonce: by one leading zero.
pub(super) fn announces_nonce(timestamp: &str) -> bool {
    matches!(timestamp.as_bytes(), [b'0', b'1'..=b'9', ..])
}

/// Returns the timestamp of a request with a nonce.
pub(super) fn announcing_nonce(timestamp: &str) -> String {
    ["0", timestamp].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_in_front_announces_a_nonce() {
        for (timestamp, expected) in [
            ("1767323045", false),
            ("01767323045", true),
            ("001767323045", false),
            ("0", false),
            ("00", false),
            ("10", false),
        ] {
            assert_eq!(announces_nonce(timestamp), expected, "{timestamp}");
        }
        for timestamp in ["1", "1767323045"] {
            assert!(announces_nonce(&announcing_nonce(timestamp)));
        }
    }

    #[test]
    fn is_the_timestamp_and_a_dot() {
        assert_eq!(before_the_body("1767323045"), b"1767323045.");
    }
}
