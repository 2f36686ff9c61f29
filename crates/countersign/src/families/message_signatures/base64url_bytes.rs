//! Byte sequences in unpadded base64url, as AdCP writes them. RFC 9651 does not allow this
//! alphabet, so its readers get the same bytes in the usual one.

/// Rewrites the byte sequences of a line from unpadded base64url. `None` if one holds a letter of
/// the usual alphabet alone, or padding: no text has two readings.
pub(super) fn to_base64(line: &str) -> Option<String> {
    let mut written = String::with_capacity(line.len());
    let mut place = Place::Outside;
    for character in line.chars() {
        let (to, next) = match (&place, character) {
            (Place::Outside, '"') => ('"', Place::String),
            (Place::Outside, ':') => (':', Place::Bytes),
            (Place::Outside, other) => (other, Place::Outside),
            (Place::String, '\\') => ('\\', Place::Escape),
            (Place::String, '"') => ('"', Place::Outside),
            (Place::String | Place::Escape, other) => (other, Place::String),
            (Place::Bytes, ':') => (':', Place::Outside),
            (Place::Bytes, '-') => ('+', Place::Bytes),
            (Place::Bytes, '_') => ('/', Place::Bytes),
            (Place::Bytes, '+' | '/' | '=') => return None,
            (Place::Bytes, other) => (other, Place::Bytes),
        };
        written.push(to);
        place = next;
    }
    Some(written)
}

enum Place {
    Outside,
    String,
    Escape,
    Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_byte_sequences_alone() {
        for (line, expected) in [
            ("sig1=:a-_9:", Some("sig1=:a+/9:")),
            ("a-b=:AA:, c_d=:-:", Some("a-b=:AA:, c_d=:+:")),
            (
                r#"a=:AA:;x="-:_\":-:", b=:_:"#,
                Some(r#"a=:AA:;x="-:_\":-:", b=:/:"#),
            ),
            ("sig1=:AA==:", None),
            ("sig1=:a+b:", None),
            ("sig1=:a/b:", None),
        ] {
            assert_eq!(to_base64(line).as_deref(), expected, "{line}");
        }
    }
}
