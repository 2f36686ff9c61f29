//! Fast parser for structured fields in the exact form of RFC 9651 section 4.1, as most peers send
//! them. This form has one spelling, so one pass over the bytes suffices, and the text equals its
//! serialization.
//!
//! Returns `None` for everything else, including errors. The caller then uses the full parser of
//! section 4.2. Both parsers read the same values.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    component_id::ComponentId, labeled_signature::LabeledSignature, signature_params::Param,
};
use crate::wire::ByteSet;

impl<'r> LabeledSignature<'r> {
    /// Parses the only member of a `Signature-Input` dictionary: an inner list of components
    /// without parameters, then the parameters of RFC 9421. If this returns `None`, discard the
    /// partial result.
    pub(super) fn read_serialized(&mut self, line: &'r str, max_components: usize) -> Option<()> {
        let (label, text) = member(line)?;
        let mut rest = Rest(text);
        rest.skip("(")?;
        loop {
            if self.covered.len() >= max_components {
                return None;
            }
            let id = ComponentId::plain(rest.string()?).ok()?;
            self.covered.push(id).ok()?;
            if rest.skip(" ").is_none() {
                rest.skip(")")?;
                break;
            }
        }
        while rest.skip(";").is_some() {
            self.params.push(rest.parameter()?).ok()?;
        }
        self.label = label;
        self.serialized = Some(text);
        rest.0.is_empty().then_some(())
    }
}

/// Parses the only member of a dictionary: a byte sequence that fits `buffer`.
pub(super) fn byte_sequence<'r, 'b>(
    line: &'r str,
    buffer: &'b mut [u8],
) -> Option<(&'r str, &'b [u8])> {
    let (key, value) = member(line)?;
    let digits = value.strip_prefix(':')?.strip_suffix(':')?;
    // Needs no constant time: the decoded bytes are public.
    let len = STANDARD.decode_slice(digits, buffer).ok()?;
    let bytes = buffer.get(..len)?;
    (!bytes.is_empty()).then_some((key, bytes))
}

/// Splits a member into key and value.
fn member(line: &str) -> Option<(&str, &str)> {
    let (key, value) = KEY_BYTES.split(line);
    let begins = matches!(key.as_bytes().first(), Some(b'a'..=b'z' | b'*'));
    begins.then_some((key, value.strip_prefix('=')?))
}

/// The unread rest.
struct Rest<'r>(&'r str);

impl<'r> Rest<'r> {
    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Takes the leading bytes that are in the set.
    fn take(&mut self, set: &ByteSet) -> &'r str {
        let (taken, rest) = set.split(self.0);
        self.0 = rest;
        taken
    }

    /// Takes a string without escapes.
    fn string(&mut self) -> Option<&'r str> {
        self.skip("\"")?;
        let text = self.take(&PLAIN_TEXT);
        self.skip("\"")?;
        Some(text)
    }

    fn seconds(&mut self) -> Option<i64> {
        let digits = self.take(&DIGITS);
        // A leading zero is never serialized, and an integer has at most 15 digits.
        let is_integer = (1..=15).contains(&digits.len()) && !digits.starts_with('0');
        is_integer.then(|| digits.parse().ok())?
    }

    #[inline]
    fn parameter(&mut self) -> Option<Param<'r>> {
        let key = self.take(&KEY_BYTES);
        self.skip("=")?;
        Some(match key {
            "created" => Param::Created(self.seconds()?),
            "expires" => Param::Expires(self.seconds()?),
            "nonce" => Param::Nonce(self.string()?),
            "keyid" => Param::Keyid(Cow::Borrowed(self.string()?)),
            "alg" => Param::Alg(self.string()?),
            "tag" => Param::Tag(self.string()?),
            _ => return None,
        })
    }
}

static DIGITS: ByteSet = ByteSet::of(b"0123456789");

static KEY_BYTES: ByteSet = ByteSet::of(b"*-._0123456789abcdefghijklmnopqrstuvwxyz");

/// Visible ASCII and spaces without `"` and `\`.
static PLAIN_TEXT: ByteSet = ByteSet::of(
    b" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`\
      abcdefghijklmnopqrstuvwxyz{|}~",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::message_signatures::structured_field::is_plain_text;

    fn read(line: &str, max_components: usize) -> Option<LabeledSignature<'_>> {
        let mut label = LabeledSignature::default();
        label.read_serialized(line, max_components)?;
        Some(label)
    }

    #[test]
    fn plain_text_is_what_is_plain_elsewhere() {
        for byte in 0..=0x7f_u8 {
            let text = char::from(byte).to_string();
            assert_eq!(PLAIN_TEXT.has(byte), is_plain_text(&text), "{text:?}");
        }
    }

    #[test]
    fn leaves_every_other_spelling_to_the_other_parser() {
        const LIST: &str = "sig1=(\"@method\" \"date\");created=1;keyid=\"k\"";
        assert!(read(LIST, 2).is_some());
        for (name, line) in [
            ("nothing", String::new()),
            ("spaces in the list", LIST.replace("\" \"", "\"  \"")),
            ("a space before the list", LIST.replace('(', "( ")),
            ("a space after the list", LIST.replace(')', " )")),
            ("a space before a parameter", LIST.replace(";k", "; k")),
            ("an empty list", "sig1=();created=1".to_owned()),
            ("a component twice", LIST.replace("date", "@method")),
            (
                "a component with a parameter",
                LIST.replace("date\"", "date\";bs"),
            ),
            ("an upper-case component", LIST.replace("date", "Date")),
            (
                "an unknown derived component",
                LIST.replace("@method", "@m"),
            ),
            ("a zero in front", LIST.replace("=1", "=01")),
            ("zero", LIST.replace("=1", "=0")),
            ("a negative integer", LIST.replace("=1", "=-1")),
            ("a decimal", LIST.replace("=1", "=1.0")),
            (
                "an integer too long",
                LIST.replace("=1", "=1234567890123456"),
            ),
            ("no integer", LIST.replace("=1", "=\"1\"")),
            ("no string", LIST.replace("\"k\"", "k")),
            ("an escape", LIST.replace("\"k\"", "\"k\\\\\"")),
            ("a tab", LIST.replace("\"k\"", "\"k\t\"")),
            ("no closing quote", LIST.replace("\"k\"", "\"k")),
            ("an unknown parameter", format!("{LIST};x=1")),
            ("a parameter twice", format!("{LIST};created=1")),
            ("a parameter without a value", format!("{LIST};tag")),
            ("two members", format!("{LIST}, b=(\"date\")")),
            ("a space at the end", format!("{LIST} ")),
            ("a space at the start", format!(" {LIST}")),
            ("an upper-case label", LIST.replace("sig", "Sig")),
            ("a label that begins with a digit", LIST.replace("sig", "")),
        ] {
            assert!(read(&line, 8).is_none(), "{name}");
        }
        assert!(read(LIST, 1).is_none());
        let mut buffer = [0; 64];
        assert!(byte_sequence("a=:AQI=:", &mut buffer).is_some());
        for (len, digits) in [
            (64, format!("{}AA==", "A".repeat(84))),
            (32, format!("{}AAA=", "A".repeat(40))),
        ] {
            let line = format!("a=:{digits}:");
            let found = byte_sequence(&line, buffer.get_mut(..len).unwrap());
            assert_eq!(found, Some(("a", &vec![0; len][..])), "{len}");
        }
        for line in [
            "a=:AQI:",
            "a=:AQJ=:",
            "a=::",
            "a=:A QI=:",
            "a=:AQI=:;b",
            "a=AQI=",
            "A=:AQI=:",
        ] {
            assert_eq!(byte_sequence(line, &mut buffer), None, "{line}");
        }
        let long = format!("a=:{}:", "A".repeat(88));
        assert_eq!(byte_sequence(&long, &mut buffer), None);
    }

    /// The serialization equals the text, so the full parser reads the same values.
    #[test]
    fn what_is_read_is_written_as_it_was_sent() {
        const LISTS: [&str; 7] = [
            "",
            "\"@path\"",
            "\"@path\" \"a\"",
            "\"a\" ",
            "\"A\"",
            " \"a\"",
            "\"a\";sf",
        ];
        const PARAMETERS: [&str; 12] = [
            "",
            ";created=1",
            ";created=0",
            ";created=01",
            ";created=-1",
            ";expires=23",
            ";nonce=\"=;\"",
            ";keyid=\"\"",
            ";alg=\"a b\"",
            ";tag=\"\\\"\"",
            "; tag=\"a\"",
            ";x=1",
        ];
        let mut count: usize = 0;
        for list in LISTS {
            for first in PARAMETERS {
                for second in PARAMETERS {
                    let line = format!("a=({list}){first}{second}");
                    if let Some(found) = read(&line, 8) {
                        let mut text = "a=".to_owned();
                        found.covered.write_to(&mut text);
                        found.params.write_to(&mut text);
                        assert_eq!(text, line);
                        assert_eq!(found.serialized, Some(&line[2..]));
                        count = count.saturating_add(1);
                    }
                }
            }
        }
        // Two lists, with none, one or two different parameters out of five.
        assert_eq!(count, 2 * (1 + 2 * 5 + 5 * 4));
    }
}
