//! `UriEncode` of the specification: encodes every byte but `A-Z a-z 0-9 - . _ ~` as `%XX` with
//! upper-case digits.

use crate::wire::{ByteSet, Sink};

/// Whether `/` stays unescaped, as in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slash {
    Keep,
    Encode,
}

impl Slash {
    fn keeps(self, byte: u8) -> bool {
        is_unreserved(byte) || matches!((self, byte), (Self::Keep, b'/'))
    }
}

/// The unreserved characters of RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    UNRESERVED.has(byte)
}

static UNRESERVED: ByteSet =
    ByteSet::of(b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Splits a text after the prefix that [`recode`] would not change, with `/` escaped.
pub(super) fn split_canonical(text: &str) -> (&str, &str) {
    let (mut kept, mut rest) = UNRESERVED.split(text);
    while let [b'%', high, low, ..] = rest.as_bytes()
        && is_canonical_escape(*high, *low, Slash::Encode)
    {
        let (_, behind) = UNRESERVED.split(rest.get(3..).unwrap_or_default());
        let len = text.len().saturating_sub(behind.len());
        // Invariant: the split is at a character boundary, after an escape or an ASCII byte of the
        // set.
        (kept, rest) = text.split_at_checked(len).unwrap_or((text, ""));
    }
    (kept, rest)
}

/// Encodes every byte of a text, including `%`.
pub(super) fn encode(text: &str, slash: Slash, sink: &mut impl Sink) {
    if text.bytes().all(|byte| slash.keeps(byte)) {
        sink.write(text);
    } else {
        write(text.bytes(), slash, sink);
    }
}

/// Decodes a text once and encodes it, so that every spelling of the same bytes gives one result.
pub(super) fn recode(text: &str, slash: Slash, sink: &mut impl Sink) {
    if is_canonical(text, slash) {
        sink.write(text);
    } else {
        write(decoded(text), slash, sink);
    }
}

/// Yields the decoded bytes of a text. A `%` without two digits yields itself.
pub(super) fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut rest = text.as_bytes();
    std::iter::from_fn(move || {
        let (byte, behind) = match rest {
            [b'%', high, low, behind @ ..] => match byte_of(*high, *low) {
                Some(byte) => (byte, behind),
                None => rest.split_first().map(|(byte, behind)| (*byte, behind))?,
            },
            _ => rest.split_first().map(|(byte, behind)| (*byte, behind))?,
        };
        rest = behind;
        Some(byte)
    })
}

/// Returns whether two hexadecimal digits follow every `%`.
pub(super) fn is_well_formed(text: &str) -> bool {
    let mut escapes = text.split('%').skip(1);
    escapes.all(|escape| {
        let mut digits = escape.bytes().take(2);
        matches!(
            (digits.next(), digits.next()),
            (Some(high), Some(low)) if byte_of(high, low).is_some()
        )
    })
}

/// Returns whether [`recode`] would not change a text.
pub(super) fn is_canonical(text: &str, slash: Slash) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| piece.bytes().all(|byte| slash.keeps(byte));
    if !pieces.next().is_some_and(plain) {
        return false;
    }
    pieces.all(|piece| match piece.as_bytes() {
        [high, low, ..] => is_canonical_escape(*high, *low, slash) && plain(piece),
        _ => false,
    })
}

/// Returns whether a text has one accepted spelling of its escapes. Unreserved bytes must have no
/// escape, and every escape upper-case digits. Bytes with two readings must be escaped: a
/// semicolon, which some readers take for `&`, and bytes beyond ASCII.
///
/// Other reserved characters, such as `:`, may be escaped or not.
pub(super) fn is_escaped_in_one_way(text: &str) -> bool {
    let mut pieces = text.split('%');
    let plain = |piece: &str| piece.bytes().all(|byte| byte.is_ascii() && byte != b';');
    if !pieces.next().is_some_and(plain) {
        return false;
    }
    pieces.all(|piece| match piece.as_bytes() {
        [high, low, ..] => is_canonical_escape(*high, *low, Slash::Encode) && plain(piece),
        _ => false,
    })
}

/// Returns whether these are the upper-case digits of a byte that needs an escape.
fn is_canonical_escape(high: u8, low: u8, slash: Slash) -> bool {
    let upper = |digit: u8| matches!(digit, b'0'..=b'9' | b'A'..=b'F');
    upper(high) && upper(low) && byte_of(high, low).is_some_and(|byte| !slash.keeps(byte))
}

fn write(bytes: impl Iterator<Item = u8>, slash: Slash, sink: &mut impl Sink) {
    for byte in bytes {
        let [high, low] = escape(byte);
        let escaped = [b'%', high, low];
        let plain = [byte];
        let text = if slash.keeps(byte) {
            str::from_utf8(&plain)
        } else {
            str::from_utf8(&escaped)
        };
        // Invariant: kept bytes and escapes are both ASCII.
        sink.write(text.unwrap_or_default());
    }
}

const fn byte_of(high: u8, low: u8) -> Option<u8> {
    match (nibble(high), nibble(low)) {
        (Some(high), Some(low)) => Some(high << 4 | low),
        _ => None,
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

const fn escape(byte: u8) -> [u8; 2] {
    [digit(byte >> 4), digit(byte & 0x0f)]
}

const fn digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => nibble.wrapping_add(b'0'),
        _ => nibble.wrapping_sub(10).wrapping_add(b'A'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_kept_or_escaped() {
        for byte in 0..=0x7f_u8 {
            let text = char::from(byte).to_string();
            let mut encoded = String::new();
            encode(&text, Slash::Encode, &mut encoded);
            let expected = if is_unreserved(byte) {
                text.clone()
            } else {
                format!("%{byte:02X}")
            };
            assert_eq!(encoded, expected);
            for spelling in [format!("%{byte:02X}"), format!("%{byte:02x}")] {
                let mut recoded_text = String::new();
                recode(&spelling, Slash::Encode, &mut recoded_text);
                assert_eq!(recoded_text, expected, "{spelling}");
            }
        }
    }

    #[test]
    fn encodes_and_recodes() {
        for (name, text, slash, encoded, recoded_text) in [
            ("nothing", "", Slash::Keep, "", ""),
            ("kept", "Az09-._~", Slash::Encode, "Az09-._~", "Az09-._~"),
            ("slash kept", "/a/b", Slash::Keep, "/a/b", "/a/b"),
            ("slash", "/a", Slash::Encode, "%2Fa", "%2Fa"),
            ("escaped slash", "%2fa", Slash::Keep, "%252fa", "/a"),
            ("space", "a%20b", Slash::Encode, "a%2520b", "a%20b"),
            ("plus", "a+b", Slash::Encode, "a%2Bb", "a%2Bb"),
            (
                "lower case",
                "%c3%bc",
                Slash::Encode,
                "%25c3%25bc",
                "%C3%BC",
            ),
            ("raw UTF-8", "ü", Slash::Encode, "%C3%BC", "%C3%BC"),
            ("needlessly escaped", "%41", Slash::Encode, "%2541", "A"),
            ("no digits", "%zz%", Slash::Encode, "%25zz%25", "%25zz%25"),
        ] {
            let mut text_encoded = String::new();
            encode(text, slash, &mut text_encoded);
            assert_eq!(text_encoded, encoded, "{name}");
            let mut text_recoded = String::new();
            recode(text, slash, &mut text_recoded);
            assert_eq!(text_recoded, recoded_text, "{name}");
            assert_eq!(is_canonical(text, slash), text == recoded_text, "{name}");
            assert!(is_canonical(recoded_text, slash), "{name}");
            let (start, rest) = split_canonical(text);
            assert_eq!(format!("{start}{rest}"), text, "{name}");
            assert!(is_canonical(start, Slash::Encode), "{name}");
            let is_whole = is_canonical(text, Slash::Encode);
            assert_eq!(rest.is_empty(), is_whole, "{name}");
        }
    }

    #[test]
    fn an_escape_is_in_upper_case_and_of_a_byte_that_needs_one() {
        for (text, expected) in [
            ("", true),
            ("Az09-._~", true),
            ("a%20b%2F%C3%BC%3B%2B", true),
            ("a:b/c,d@e*f!g", true),
            ("a;b", false),
            ("%3Ba;", false),
            ("é", false),
            ("%41", false),
            ("%7E", false),
            ("%2f", false),
            ("%c3%BC", false),
            ("%", false),
            ("%2", false),
            ("%2G", false),
        ] {
            assert_eq!(is_escaped_in_one_way(text), expected, "{text}");
        }
    }

    #[test]
    fn two_digits_follow_every_percent_sign() {
        for (text, well_formed) in [
            ("", true),
            ("a%20b%2F", true),
            ("%c3%BC", true),
            ("%", false),
            ("%2", false),
            ("a%2", false),
            ("%2g", false),
            ("%%20", false),
            ("%2é", false),
        ] {
            assert_eq!(is_well_formed(text), well_formed, "{text}");
        }
    }
}
