use std::fmt::Write as _;

use super::redaction::Redaction;

/// The first difference between two signed texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    line: usize,
    byte: usize,
    ours: Option<String>,
    theirs: Option<String>,
}

impl Difference {
    /// Finds the first difference. `None` if the texts are equal.
    pub(super) fn between(ours: &str, theirs: &str, redaction: &Redaction) -> Option<Self> {
        let mut own = ours.split('\n');
        let mut other = theirs.split('\n');
        let mut number: usize = 0;
        loop {
            number = number.saturating_add(1);
            let (own, other) = (own.next(), other.next());
            if own.is_none() && other.is_none() {
                return None;
            }
            if own == other {
                continue;
            }
            let (a, b) = (own.unwrap_or_default(), other.unwrap_or_default());
            let equal = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
            let shown = |line: &str| visible(&redaction.line(line));
            return Some(Self {
                line: number,
                byte: equal.saturating_add(1),
                ours: own.map(shown),
                theirs: other.map(shown),
            });
        }
    }

    /// Returns the number of the first line that differs, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns the number of the first byte that differs in that line, from 1. Redacted values
    /// count with their length.
    pub fn byte(&self) -> usize {
        self.byte
    }

    /// Returns this verifier's line, with invisible characters shown. `None` if its text is
    /// shorter.
    pub fn ours(&self) -> Option<&str> {
        self.ours.as_deref()
    }

    /// Returns the sender's line, with invisible characters shown. `None` if its text is shorter.
    pub fn theirs(&self) -> Option<&str> {
        self.theirs.as_deref()
    }
}

/// Makes every character visible. Escapes backslashes, spaces at the ends, and everything except
/// visible ASCII.
pub(super) fn visible(text: &str) -> String {
    let inner = text.trim_matches(' ');
    let start = text
        .len()
        .saturating_sub(text.trim_start_matches(' ').len());
    let end = text.len().saturating_sub(start).saturating_sub(inner.len());
    let mut shown = String::with_capacity(text.len());
    shown.extend(std::iter::repeat_n("\\x20", start));
    for c in inner.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\t' | '\r' | '\n' => shown.extend(c.escape_default()),
            ' '..='~' => shown.push(c),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    shown.extend(std::iter::repeat_n("\\x20", end));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(ours: &str, theirs: &str) -> Option<Difference> {
        Difference::between(ours, theirs, &Redaction::default())
    }

    #[test]
    fn says_where_two_texts_part() {
        assert_eq!(between("a\nb", "a\nb"), None);
        let found = between("a\nhost:x", "a\nhost:x:80").unwrap();
        assert_eq!((found.line(), found.byte()), (2, 7));
        assert_eq!(
            (found.ours(), found.theirs()),
            (Some("host:x"), Some("host:x:80"))
        );
        let found = between("a", "a\n").unwrap();
        assert_eq!((found.line(), found.byte()), (2, 1));
        assert_eq!((found.ours(), found.theirs()), (None, Some("")));
        let found = between("a\r\nb", "a\nb").unwrap();
        assert_eq!((found.line(), found.byte()), (1, 2));
        assert_eq!(found.ours(), Some("a\\r"));
    }

    #[test]
    fn shows_no_value_that_is_left_out() {
        let found = between("cookie:hunter2", "cookie:hunter3").unwrap();
        assert_eq!(found.byte(), 14);
        assert!(!format!("{found:?}").contains("hunter"));
    }

    #[test]
    fn every_character_can_be_seen() {
        for (text, shown) in [
            ("a b", "a b"),
            (" a ", "\\x20a\\x20"),
            ("  ", "\\x20\\x20"),
            ("a\tb\r", "a\\tb\\r"),
            ("a\\b", "a\\\\b"),
            ("a\u{a0}b\u{feff}é", "a\\u{a0}b\\u{feff}\\u{e9}"),
            ("\0", "\\u{0}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
