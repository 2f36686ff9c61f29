//! The signed content: `id "." timestamp "." body`. Neither id nor timestamp holds a dot, so
//! different triples have different contents.

/// Returns the content up to the body.
pub(super) fn before_the_body(id: &str, timestamp: &str) -> Vec<u8> {
    [id, ".", timestamp, "."].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_id_and_timestamp_with_a_dot_behind_each() {
        assert_eq!(before_the_body("msg_1", "1649367553"), b"msg_1.1649367553.");
    }
}
