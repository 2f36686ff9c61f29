/// A set of bytes, such as those that a grammar allows. One table lookup tests membership.
#[derive(Debug)]
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Makes the set of these bytes.
    #[expect(
        clippy::as_conversions,
        clippy::indexing_slicing,
        reason = "traits such as From have no constant functions yet"
    )]
    pub(crate) const fn of(mut bytes: &[u8]) -> Self {
        let mut set = [false; 256];
        while let [first, rest @ ..] = bytes {
            // Invariant: a byte is less than 256.
            set[*first as usize] = true;
            bytes = rest;
        }
        Self(set)
    }

    /// Splits a text after its leading bytes that are in the set. All bytes of the set must be
    /// ASCII.
    #[inline]
    pub(crate) fn split<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        let len = text.bytes().position(|byte| !self.has(byte));
        // Invariant: the position after an ASCII byte is a character boundary.
        len.and_then(|len| text.split_at_checked(len))
            .unwrap_or((text, ""))
    }

    /// Splits a text before its trailing bytes that are in the set. All bytes of the set must be
    /// ASCII.
    #[inline]
    pub(crate) fn split_end<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        let len = text.bytes().rev().position(|byte| !self.has(byte));
        // Invariant: the position of an ASCII byte is a character boundary.
        len.and_then(|len| text.split_at_checked(text.len().checked_sub(len)?))
            .unwrap_or(("", text))
    }

    /// Returns whether the set contains this byte.
    #[inline]
    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|has| *has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parted_where_the_set_ends_or_begins() {
        static DIGITS: ByteSet = ByteSet::of(b"0123456789");
        for (text, start, end) in [
            ("", "", ""),
            ("12", "12", "12"),
            ("a", "", ""),
            ("1a23", "1", "23"),
            ("1ü23", "1", "23"),
            ("ü", "", ""),
            ("12ü", "12", ""),
        ] {
            assert_eq!(DIGITS.split(text), (start, &text[start.len()..]), "{text}");
            let rest = &text[..text.len() - end.len()];
            assert_eq!(DIGITS.split_end(text), (rest, end), "{text}");
        }
    }
}
