//! Percent escapes in other encodings, for candidates only. Signed texts never use these functions.

/// Characters that encoders do not escape, besides letters and digits.
pub(super) const KEPT_SETS: [&[u8]; 4] = [
    // RFC 3986 section 2.3, as SigV4 encodes.
    b"-._~",
    // `encodeURIComponent` of JavaScript.
    b"-._~!'()*",
    // `encodeURI` of JavaScript.
    b"-._~!'()*;,/?:@&=+$",
    // `application/x-www-form-urlencoded`.
    b"-._*",
];

/// Decodes a text. A `%` without two digits is kept.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [b'%', high, low, behind @ ..] if digit(*high).is_some() && digit(*low).is_some() => {
                let [high, low] = [*high, *low].map(|byte| digit(byte).unwrap_or_default());
                bytes.push(high << 4 | low);
                rest = behind;
            }
            [byte, behind @ ..] => {
                bytes.push(*byte);
                rest = behind;
            }
            [] => return bytes,
        }
    }
}

/// Decodes a text, if the result is UTF-8 without control characters.
pub(super) fn decoded_text(text: &str) -> Option<String> {
    let decoded = String::from_utf8(decoded(text)).ok()?;
    (!decoded.chars().any(char::is_control)).then_some(decoded)
}

/// Escapes every byte except letters, digits and the bytes in `kept`.
pub(super) fn encoded(bytes: &[u8], kept: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || kept.contains(byte) {
            text.push(char::from(*byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|nibble| {
                let digit = DIGITS.get(usize::from(nibble)).copied();
                char::from(digit.unwrap_or_default())
            });
            text.push('%');
            text.extend(digits);
        }
    }
    text
}

/// Writes the digits of every escape in lower case.
pub(super) fn with_lower_case_digits(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut lowered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        lowered.push('%');
        match piece.split_at_checked(2) {
            Some((digits, rest)) if digits.bytes().all(|byte| digit(byte).is_some()) => {
                lowered.push_str(&digits.to_ascii_lowercase());
                lowered.push_str(rest);
            }
            _ => lowered.push_str(piece),
        }
    }
    lowered
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_and_written() {
        for (text, bytes) in [
            ("a%20b", &b"a b"[..]),
            ("%2f%2F", b"//"),
            ("%", b"%"),
            ("%2", b"%2"),
            ("%zz%41", b"%zzA"),
        ] {
            assert_eq!(decoded(text), bytes, "{text}");
        }
        assert_eq!(decoded_text("%C3%A9").unwrap(), "\u{e9}");
        assert_eq!(decoded_text("%0A"), None);
        assert_eq!(decoded_text("%FF"), None);
        assert_eq!(encoded(b"a/b c\xff", b"/"), "a/b%20c%FF");
        assert_eq!(with_lower_case_digits("A%2FB%zZ%"), "A%2fB%zZ%");
    }
}
