/// The name of the line that signs the lines before it.
pub(super) const SIGNATURE: &str = "x-amz-trailer-signature";

/// A line of the trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TrailerLine {
    pub(super) name: Box<str>,
    pub(super) value: Box<str>,
}

impl TrailerLine {
    /// Parses a line without its CRLF.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let (name, value) = str::from_utf8(line).ok()?.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        let is_valid = is_name(name) && value.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self {
            name: name.into(),
            value: value.into(),
        })
    }
}

/// Returns whether a trailer can have this name: lower-case letters, digits and `-`.
pub(super) fn is_name(name: &str) -> bool {
    let is_valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !name.is_empty() && name.bytes().all(is_valid)
}

/// Returns the text that a trailer's signature covers: the lines sorted by name.
pub(super) fn canonical(lines: &[TrailerLine]) -> String {
    let mut sorted: Vec<_> = lines.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let mut text = String::new();
    for line in sorted {
        text.extend([&*line.name, ":", &*line.value, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_in_one_form_only() {
        for (line, expected) in [
            ("a:b", Some(("a", "b"))),
            (
                "x-amz-checksum-crc32: \t a= \t",
                Some(("x-amz-checksum-crc32", "a=")),
            ),
            ("a:", Some(("a", ""))),
            ("a:b:c", Some(("a", "b:c"))),
            ("a", None),
            (":b", None),
            ("a :b", None),
            (" a:b", None),
            ("A:b", None),
            ("a:b c", None),
            ("a:b\rc", None),
            ("a:é", None),
        ] {
            let found = TrailerLine::parse(line.as_bytes());
            let found = found.as_ref().map(|line| (&*line.name, &*line.value));
            assert_eq!(found, expected, "{line:?}");
        }
    }

    #[test]
    fn the_signed_text_has_the_lines_sorted_by_name() {
        let lines =
            ["b:2", "a-c:3", "a:1"].map(|line| TrailerLine::parse(line.as_bytes()).unwrap());
        assert_eq!(canonical(&lines), "a:1\na-c:3\nb:2\n");
    }
}
