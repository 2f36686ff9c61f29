//! The signed text: `timestamp "." body`. Since a timestamp holds no dot, no two pairs have one text.

/// The text up to the body.
pub(super) fn before_the_body(timestamp: &str) -> Vec<u8> {
    [timestamp.as_bytes(), b"."].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_timestamp_and_a_dot() {
        assert_eq!(before_the_body("1767323045"), b"1767323045.");
    }
}
