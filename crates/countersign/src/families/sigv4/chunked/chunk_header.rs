use crate::wire::hex::{self, Letters};

/// The line before the data of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    /// The length of the data in bytes. 0 marks the last chunk.
    pub(super) size: u64,
    /// The signature, if the line has one.
    pub(super) signature: Option<[u8; 32]>,
}

impl ChunkHeader {
    /// Parses a line without its CRLF.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        let (size, signature) = match line.split_once(';') {
            None => (line, None),
            Some((size, extension)) => {
                let digits = extension.strip_prefix("chunk-signature=")?;
                (size, Some(hex::decode(digits, Letters::Lower)?))
            }
        };
        Some(Self {
            size: parse_size(size)?,
            signature,
        })
    }
}

/// Parses a size in either case of letters. Refuses leading zeros, signs and blanks, which
/// receivers read in different ways.
fn parse_size(text: &str) -> Option<u64> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits_only || has_leading_zero || text.len() > 16 {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_size_in_one_spelling_only() {
        for (text, expected) in [
            ("0", Some(0)),
            ("a", Some(10)),
            ("A0", Some(160)),
            ("10000", Some(65536)),
            ("ffffffffffffffff", Some(u64::MAX)),
            ("", None),
            ("00", None),
            ("0a", None),
            ("+a", None),
            ("-1", None),
            ("0x10", None),
            (" 1", None),
            ("1 ", None),
            ("1_0", None),
            ("g", None),
            ("10000000000000000", None),
        ] {
            let found = ChunkHeader::parse(text.as_bytes());
            assert_eq!(found.map(|header| header.size), expected, "{text:?}");
        }
    }

    #[test]
    fn reads_one_extension_only() {
        let digits = "ab".repeat(32);
        let signed = format!("5;chunk-signature={digits}");
        let expected = ChunkHeader {
            size: 5,
            signature: Some([0xab; 32]),
        };
        assert_eq!(ChunkHeader::parse(signed.as_bytes()), Some(expected));
        for other in [
            "5;".to_owned(),
            format!("5; chunk-signature={digits}"),
            format!("5;chunk-signature={digits} "),
            format!("5;chunk-signature={digits}0"),
            format!("5;chunk-signature={}", digits.to_uppercase()),
            format!("5;chunk-signature={digits};a=b"),
            format!("5;a=b;chunk-signature={digits}"),
            format!("5;Chunk-Signature={digits}"),
        ] {
            assert_eq!(ChunkHeader::parse(other.as_bytes()), None, "{other}");
        }
        assert_eq!(ChunkHeader::parse(b"5\xff"), None);
    }
}
