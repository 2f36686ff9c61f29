//! Exchanges lines of a signed text for a diagnosis.
//!
//! The scheme's own canonicalizer wrote the text. Nothing here reads a request.

/// The layout of the lines of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Method, target, `name:value` lines, an empty line, the list of names, the content hash.
    Native,
    /// Method, path, query, `name:value` lines, an empty line, the list of names, the payload hash.
    SigV4,
    /// `"name": value` lines. The last line holds the parameters.
    SignatureBase,
    /// `name: value` lines. One of them holds the method and the target.
    SigningString,
}

/// A signed text and its layout.
#[derive(Clone, Copy)]
pub(super) struct TextLines<'t> {
    pub(super) text: &'t str,
    pub(super) layout: Layout,
}

/// One change of a signed text. The text is written only when the change is tried, because many
/// texts at once would take many times the memory of the request.
#[derive(Clone, Debug)]
pub(super) enum TextEdit {
    Method(String),
    /// Another value of a covered header.
    Header(String, String),
    WithoutHeader(String),
    /// Another last line.
    Last(String),
    /// Another canonical query of SigV4.
    Query(String),
    /// One piece exchanged at every occurrence.
    Piece {
        from: String,
        to: String,
    },
    SortedHeaders,
    /// A space after the colon of each header line.
    SpacedHeaders,
    /// Capitals in the names of the header lines.
    CapitalHeaders,
    /// Additional text after the last line.
    End(&'static str),
}

impl TextEdit {
    /// Makes the change. `None` if there is nothing to change.
    pub(super) fn apply(&self, lines: TextLines<'_>) -> Option<String> {
        match self {
            Self::Method(method) => lines.with_method(method),
            Self::Header(name, value) => lines.with_header(name, value),
            Self::WithoutHeader(name) => lines.without_header(name),
            Self::Last(line) => lines.with_last(line),
            Self::Query(query) => match lines.layout {
                Layout::SigV4 => lines.with_line(2, query),
                Layout::Native | Layout::SignatureBase | Layout::SigningString => None,
            },
            Self::Piece { from, to } => lines.replacing(from, to),
            Self::SortedHeaders => lines.with_sorted_headers(),
            Self::SpacedHeaders => lines.with_header_lines(|line| line.replacen(':', ": ", 1)),
            Self::CapitalHeaders => lines.with_header_lines(|line| match line.split_once(':') {
                Some((name, value)) => [&with_capitals(name), ":", value].concat(),
                None => line.to_owned(),
            }),
            Self::End(end) => Some([lines.text, end].concat()),
        }
    }
}

/// Capitalizes each word, as HTTP/1.1 libraries write header names.
pub(super) fn with_capitals(text: &str) -> String {
    let words = text.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        [first.to_ascii_uppercase(), rest.to_ascii_lowercase()].concat()
    });
    words.collect::<Vec<_>>().join("-")
}

impl TextLines<'_> {
    /// Returns the text with another method.
    fn with_method(self, method: &str) -> Option<String> {
        match self.layout {
            Layout::Native | Layout::SigV4 => self.with_line(0, method),
            Layout::SignatureBase => self.with_value("\"@method\": ", method),
            Layout::SigningString => self.with_target_method(method),
        }
    }

    /// Returns the text with another method in the line of the target.
    fn with_target_method(self, method: &str) -> Option<String> {
        let mut names = ["(request-target): ", "@request-target: "].into_iter();
        names.find_map(|start| {
            let mut lines = self.text.split('\n');
            let target = lines.find_map(|line| line.strip_prefix(start)?.split_once(' '));
            let (_, target) = target?;
            self.with_value(start, &[method, " ", target].concat())
        })
    }

    /// Returns the text with another value of a covered header.
    fn with_header(self, name: &str, value: &str) -> Option<String> {
        match self.layout {
            Layout::Native | Layout::SigV4 => self.with_value(&[name, ":"].concat(), value),
            Layout::SignatureBase => self.with_value(&["\"", name, "\": "].concat(), value),
            Layout::SigningString => self.with_value(&[name, ": "].concat(), value),
        }
    }

    /// Returns the text without the line of a covered header.
    fn without_header(self, name: &str) -> Option<String> {
        let start = match self.layout {
            Layout::Native | Layout::SigV4 => [name, ":"].concat(),
            Layout::SignatureBase => ["\"", name, "\": "].concat(),
            Layout::SigningString => [name, ": "].concat(),
        };
        let lines = self.text.split('\n');
        let kept: Vec<_> = lines.filter(|line| !line.starts_with(&start)).collect();
        self.changed(kept.join("\n"))
    }

    /// Returns the text with another last line.
    fn with_last(self, line: &str) -> Option<String> {
        let (before, _) = self.text.rsplit_once('\n')?;
        self.changed([before, "\n", line].concat())
    }

    /// Returns the text with one piece exchanged at every occurrence.
    fn replacing(self, from: &str, to: &str) -> Option<String> {
        self.changed(self.text.replace(from, to))
    }

    /// Returns the text with its header lines sorted by name.
    fn with_sorted_headers(self) -> Option<String> {
        let mut lines: Vec<&str> = self.text.split('\n').collect();
        let headers = self.headers(&lines)?;
        lines.get_mut(headers)?.sort_unstable();
        self.changed(lines.join("\n"))
    }

    /// Returns the text with every header line rewritten.
    fn with_header_lines(self, write: impl Fn(&str) -> String) -> Option<String> {
        let lines: Vec<&str> = self.text.split('\n').collect();
        let headers = self.headers(&lines)?;
        let lines = lines.iter().enumerate();
        let lines: Vec<String> = lines
            .map(|(number, line)| {
                if headers.contains(&number) {
                    write(line)
                } else {
                    (*line).to_owned()
                }
            })
            .collect();
        self.changed(lines.join("\n"))
    }

    /// Returns the range of the header lines.
    fn headers(self, lines: &[&str]) -> Option<std::ops::Range<usize>> {
        let first = match self.layout {
            Layout::Native => 2,
            Layout::SigV4 => 3,
            Layout::SignatureBase | Layout::SigningString => return None,
        };
        // Two lines follow the empty one.
        let end = lines.len().checked_sub(3)?;
        (first <= end).then_some(first..end)
    }

    fn with_line(self, number: usize, line: &str) -> Option<String> {
        let mut lines: Vec<&str> = self.text.split('\n').collect();
        *lines.get_mut(number)? = line;
        self.changed(lines.join("\n"))
    }

    fn with_value(self, start: &str, value: &str) -> Option<String> {
        let mut lines: Vec<&str> = self.text.split('\n').collect();
        let other = [start, value].concat();
        let line = lines.iter_mut().find(|line| line.starts_with(start))?;
        *line = &other;
        self.changed(lines.join("\n"))
    }

    fn changed(self, text: String) -> Option<String> {
        (text != self.text).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: &str = "GET\n/a\nhost:h\nx-date:d\na:1\n\nhost;x-date;a\nhash";

    #[test]
    fn exchanges_lines_and_leaves_the_others() {
        let native = TextLines {
            text: NATIVE,
            layout: Layout::Native,
        };
        assert_eq!(
            native.with_method("get"),
            Some(NATIVE.replace("GET", "get"))
        );
        assert_eq!(native.with_method("GET"), None);
        assert_eq!(
            native.with_header("x-date", "e"),
            Some(NATIVE.replace(":d", ":e"))
        );
        assert_eq!(native.with_header("b", "e"), None);
        assert_eq!(
            native.without_header("a"),
            Some(NATIVE.replace("a:1\n", ""))
        );
        assert_eq!(
            native.with_last("other"),
            Some(NATIVE.replace("hash", "other"))
        );
        assert_eq!(
            native.with_sorted_headers().unwrap(),
            "GET\n/a\na:1\nhost:h\nx-date:d\n\nhost;x-date;a\nhash"
        );
        assert_eq!(
            native
                .with_header_lines(|line| line.replace(':', ": "))
                .unwrap(),
            "GET\n/a\nhost: h\nx-date: d\na: 1\n\nhost;x-date;a\nhash"
        );
        let base = TextLines {
            text: "\"@method\": GET\n\"a\": 1\n\"@signature-params\": ()",
            layout: Layout::SignatureBase,
        };
        assert!(
            base.with_method("get")
                .unwrap()
                .starts_with("\"@method\": get\n")
        );
        assert!(base.with_header("a", "2").unwrap().contains("\n\"a\": 2\n"));
        assert_eq!(base.with_sorted_headers(), None);
        let string = TextLines {
            text: "host: h\n(request-target): get /a b\na: 1",
            layout: Layout::SigningString,
        };
        let other = "host: h\n(request-target): GET /a b\na: 1";
        assert_eq!(string.with_method("GET").unwrap(), other);
        assert_eq!(string.with_method("get"), None);
        let other = "host: h\n(request-target): get /a b\na: 2";
        assert_eq!(string.with_header("a", "2").unwrap(), other);
        let other = "host: h\n(request-target): get /a b";
        assert_eq!(string.without_header("a").unwrap(), other);
        assert_eq!(string.with_sorted_headers(), None);
    }
}
