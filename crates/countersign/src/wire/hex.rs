//! Hexadecimal digits in headers.

use http::HeaderName;

use crate::error::{Reason, reason};

/// The accepted case of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    Lower,
    Mixed,
}

/// Returns the reason for a header without the digits of a SHA-256.
#[cold]
pub(crate) fn no_digest(name: &HeaderName, found: &str) -> Reason {
    reason!(
        "header {}: expected 64 lower-case hexadecimal digits, found {} characters, {} of them \
        others",
        name,
        found.len(),
        others(found)
    )
}

/// Returns the number of characters that are not lower-case hexadecimal digits.
pub(crate) fn others(text: &str) -> usize {
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.bytes().filter(|byte| !lower(byte)).count()
}

/// Decodes exactly 2 `N` digits.
///
/// These values are public, so unlike keys they need no constant time. The loop has no early exit,
/// so that the compiler can vectorize it.
#[inline]
pub(crate) fn decode<const N: usize>(text: &str, letters: Letters) -> Option<[u8; N]> {
    let (digits, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digits: &[[u8; 2]; N] = digits.try_into().ok()?;
    // The bit in which the two cases of an ASCII letter differ.
    let folded = match letters {
        Letters::Lower => 0,
        Letters::Mixed => 0x20,
    };
    let mut nibbles = [[0; 2]; N];
    let mut wrong = 0;
    for (nibble, digit) in nibbles
        .as_flattened_mut()
        .iter_mut()
        .zip(digits.as_flattened())
    {
        let number = digit.wrapping_sub(b'0');
        let letter = (digit | folded).wrapping_sub(b'a');
        *nibble = if number < 10 {
            number
        } else {
            letter.wrapping_add(10)
        };
        wrong |= u8::from(number >= 10) & u8::from(letter >= 6);
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(nibbles) {
        *byte = high << 4 | low;
    }
    (wrong == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_back_and_nothing_else_is_a_digit() {
        for byte in 0..=u8::MAX {
            let lower = format!("{byte:02x}");
            let upper = format!("{byte:02X}");
            assert_eq!(decode(&lower, Letters::Lower), Some([byte]), "{lower}");
            assert_eq!(decode(&upper, Letters::Mixed), Some([byte]), "{upper}");
            let only_lower = (lower == upper).then_some([byte]);
            assert_eq!(decode(&upper, Letters::Lower), only_lower, "{upper}");
        }
        for other in (0..=0x7f_u8).map(char::from) {
            for text in [format!("{other}0"), format!("0{other}")] {
                let is_digit = other.is_ascii_hexdigit();
                assert_eq!(
                    decode::<1>(&text, Letters::Mixed).is_some(),
                    is_digit,
                    "{text:?}"
                );
                let is_lower = is_digit && !other.is_ascii_uppercase();
                assert_eq!(
                    decode::<1>(&text, Letters::Lower).is_some(),
                    is_lower,
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn takes_exactly_as_many_digits_as_there_are_to_be() {
        for (name, text) in [
            ("none", ""),
            ("one", "0"),
            ("odd", "000"),
            ("more", "0000"),
            ("non-ASCII", "é"),
        ] {
            assert_eq!(decode::<1>(text, Letters::Mixed), None, "{name}");
        }
    }
}
