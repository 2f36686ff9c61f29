//! Splits a command line into words, by the quoting rules of a POSIX shell and `$'…'` of bash.
//!
//! Browsers copy bodies as `$'…'`, which the crates for shell words do not read. Nothing is
//! expanded: a variable or a substitution is an error, because its value is not in the record.

use super::unreadable::shown;

/// The greatest number of words.
const MAX_WORDS: usize = 4096;

/// Splits one command. Comments and several commands are errors.
pub(super) fn split(input: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Words {
        rest: input,
        found: Vec::new(),
        word: None,
    };
    words.run()?;
    Ok(words.found)
}

struct Words<'i> {
    rest: &'i [u8],
    found: Vec<Vec<u8>>,
    /// The word that is read. `None` between words.
    word: Option<Vec<u8>>,
}

impl Words<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(byte) = self.next() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    if byte == b'\n' && !self.rest.trim_ascii().is_empty() && self.has_words() {
                        let next = shown(self.rest.trim_ascii_start());
                        return Err(format!(
                            "expected one command on one line or with backslashes, found a second \
                             line: \"{next}\""
                        ));
                    }
                    self.end_word()?;
                }
                b'\'' => self.single_quoted()?,
                b'"' => self.double_quoted()?,
                b'\\' => self.escaped()?,
                b'$' if self.rest.starts_with(b"'") => {
                    self.next();
                    self.ansi_quoted()?;
                }
                b'$' | b'`' => return Err(expansion()),
                b';' | b'|' | b'<' | b'>' | b'(' | b')' => {
                    let found = char::from(byte);
                    return Err(format!(
                        "expected one command without a shell operator, found {found}"
                    ));
                }
                b'&' => {
                    return Err("expected the URL in quotes, found & outside of quotes".to_owned());
                }
                b'#' if self.word.is_none() => {
                    return Err("expected a command, found a comment".to_owned());
                }
                _ => self.push(byte),
            }
        }
        self.end_word()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn push(&mut self, byte: u8) {
        self.word.get_or_insert_default().push(byte);
    }

    fn has_words(&self) -> bool {
        self.word.is_some() || !self.found.is_empty()
    }

    fn end_word(&mut self) -> Result<(), String> {
        if let Some(word) = self.word.take() {
            if self.found.len() >= MAX_WORDS {
                return Err(format!("expected at most {MAX_WORDS} words"));
            }
            self.found.push(word);
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<(), String> {
        self.word.get_or_insert_default();
        loop {
            match self.next() {
                Some(b'\'') => return Ok(()),
                Some(byte) => self.push(byte),
                None => return Err(unclosed('\'')),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<(), String> {
        self.word.get_or_insert_default();
        loop {
            match self.next() {
                Some(b'"') => return Ok(()),
                Some(b'$' | b'`') => return Err(expansion()),
                Some(b'\\') => match self.next() {
                    Some(b'\n') => {}
                    Some(byte @ (b'$' | b'`' | b'"' | b'\\')) => self.push(byte),
                    Some(byte) => {
                        self.push(b'\\');
                        self.push(byte);
                    }
                    None => return Err(unclosed('"')),
                },
                Some(byte) => self.push(byte),
                None => return Err(unclosed('"')),
            }
        }
    }

    /// Reads the byte after a backslash outside of quotes. A line end joins two lines.
    fn escaped(&mut self) -> Result<(), String> {
        match self.next() {
            Some(b'\r') if self.rest.starts_with(b"\n") => {
                self.next();
            }
            Some(b'\n') => {}
            Some(byte) => self.push(byte),
            None => return Err("expected a byte after the last backslash".to_owned()),
        }
        Ok(())
    }

    /// Reads `$'…'`, after its opening quote.
    fn ansi_quoted(&mut self) -> Result<(), String> {
        self.word.get_or_insert_default();
        loop {
            match self.next() {
                Some(b'\'') => return Ok(()),
                Some(b'\\') => self.ansi_escape()?,
                Some(byte) => self.push(byte),
                None => return Err(unclosed('\'')),
            }
        }
    }

    fn ansi_escape(&mut self) -> Result<(), String> {
        let byte = match self.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'a') => 0x07,
            Some(b'b') => 0x08,
            Some(b'e' | b'E') => 0x1b,
            Some(b'f') => 0x0c,
            Some(b'v') => 0x0b,
            Some(byte @ (b'\\' | b'\'' | b'"' | b'?')) => byte,
            Some(b'x') => {
                let value = self.digits(2, 16)?;
                u8::try_from(value).map_err(|_| escape())?
            }
            Some(kind @ (b'u' | b'U')) => {
                let value = self.digits(if kind == b'u' { 4 } else { 8 }, 16)?;
                let found = char::from_u32(value).ok_or_else(escape)?;
                let mut buffer = [0; 4];
                let text = found.encode_utf8(&mut buffer);
                self.word
                    .get_or_insert_default()
                    .extend_from_slice(text.as_bytes());
                return Ok(());
            }
            Some(first @ b'0'..=b'7') => {
                let rest = self.digits_or_none(2, 8);
                let (value, count) = rest;
                let first = u32::from(first.saturating_sub(b'0'));
                let value = first
                    .saturating_mul(8_u32.saturating_pow(count))
                    .saturating_add(value);
                u8::try_from(value).map_err(|_| escape())?
            }
            _ => return Err(escape()),
        };
        self.push(byte);
        Ok(())
    }

    fn digits(&mut self, most: u32, radix: u32) -> Result<u32, String> {
        match self.digits_or_none(most, radix) {
            (_, 0) => Err(escape()),
            (value, _) => Ok(value),
        }
    }

    /// Reads up to `most` digits. Returns their value and their number.
    fn digits_or_none(&mut self, most: u32, radix: u32) -> (u32, u32) {
        let mut value = 0_u32;
        let mut count = 0_u32;
        while count < most
            && let Some(digit) = self
                .rest
                .first()
                .and_then(|byte| char::from(*byte).to_digit(radix))
        {
            self.next();
            value = value.saturating_mul(radix).saturating_add(digit);
            count = count.saturating_add(1);
        }
        (value, count)
    }
}

fn unclosed(quote: char) -> String {
    format!("expected a closing {quote}, found the end")
}

fn expansion() -> String {
    "expected values, found a variable or a substitution of the shell".to_owned()
}

fn escape() -> String {
    "expected an escape of bash within $'…'".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        for (input, words) in [
            ("a b", &["a", "b"][..]),
            ("  a\t b  \n", &["a", "b"]),
            ("'a b'c", &["a bc"]),
            (r#""a \"b\" \x""#, &[r#"a "b" \x"#]),
            (r"a\ b", &["a b"]),
            ("a \\\n b", &["a", "b"]),
            ("a \\\r\n b", &["a", "b"]),
            ("''", &[""]),
            (r"$'a\n\x41\u00e9\'\101\0'", &["a\nA\u{e9}'A\0"]),
            ("a#b", &["a#b"]),
        ] {
            let found = split(input.as_bytes()).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|word| String::from_utf8_lossy(word))
                .collect();
            assert_eq!(found, words, "{input}");
        }
    }

    #[test]
    fn what_the_record_does_not_hold_is_an_error() {
        for input in [
            "a $B",
            "a \"$B\"",
            "a `b`",
            "a | b",
            "a > b",
            "a;b",
            "a & b",
            "'a",
            "\"a",
            "\"a\\",
            "a\\",
            "$'a",
            "$'\\q'",
            "$'\\x'",
            "$'\\ud800'",
            "$'\\777'",
            "a\nb",
            "# a",
        ] {
            assert!(split(input.as_bytes()).is_err(), "{input}");
        }
    }
}
