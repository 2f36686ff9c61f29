use std::fmt;

/// The form of a recorded request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestForm {
    /// The bytes of an HTTP/1.1 request.
    Raw,
    /// A `curl` command line.
    CurlCommand,
    /// The output of `curl --trace` or `curl --trace-ascii`.
    CurlTrace,
    /// The output of `curl -v`.
    CurlVerbose,
    /// A HAR file, or one entry of it.
    Har,
}

impl RequestForm {
    /// Every form.
    pub const ALL: &'static [Self] = &[
        Self::Raw,
        Self::CurlCommand,
        Self::CurlTrace,
        Self::CurlVerbose,
        Self::Har,
    ];

    /// Returns the name of the form: `raw`, `curl`, `curl-trace`, `curl-verbose` or `har`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::CurlCommand => "curl",
            Self::CurlTrace => "curl-trace",
            Self::CurlVerbose => "curl-verbose",
            Self::Har => "har",
        }
    }

    /// Recognizes the form of an input. Everything that is in no other form is raw.
    pub(super) fn of(input: &[u8]) -> Self {
        let start = input.trim_ascii_start();
        if start.starts_with(b"{") {
            return Self::Har;
        }
        let command = start.strip_prefix(b"$ ").unwrap_or(start);
        if command
            .strip_prefix(b"curl")
            .is_some_and(|rest| rest.starts_with(b" ") || rest.starts_with(b"\\"))
        {
            return Self::CurlCommand;
        }
        let first = start.split(|byte| *byte == b'\n').next();
        let first = without_time(first.unwrap_or_default());
        let is_of = |starts: &[&[u8]]| starts.iter().any(|text| first.starts_with(text));
        if is_of(&[b"== Info:", b"=> Send ", b"<= Recv "]) {
            return Self::CurlTrace;
        }
        if is_of(&[b"* ", b"> "]) {
            return Self::CurlVerbose;
        }
        Self::Raw
    }
}

impl fmt::Display for RequestForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Removes the time that `curl --trace-time` writes before a line, such as `12:34:56.789012 `, and
/// the identifiers of `--trace-ids`, such as `[0-0] `.
pub(super) fn without_time(line: &[u8]) -> &[u8] {
    let mut rest = line;
    if let Some((time, after)) = split_at_space(rest)
        && time.len() == 15
        && time
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
    {
        rest = after;
    }
    if let Some((ids, after)) = split_at_space(rest)
        && ids.starts_with(b"[")
        && ids.ends_with(b"]")
    {
        rest = after;
    }
    rest
}

fn split_at_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    let (word, after) = line.split_at_checked(at)?;
    Some((word, after.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_recognized_by_its_first_line() {
        for (input, form) in [
            ("GET / HTTP/1.1\r\n", RequestForm::Raw),
            ("curly / HTTP/1.1\r\n", RequestForm::Raw),
            ("curl http://a/", RequestForm::CurlCommand),
            ("\n  $ curl -v http://a/", RequestForm::CurlCommand),
            ("curl\\\n http://a/", RequestForm::CurlCommand),
            ("== Info:   Trying", RequestForm::CurlTrace),
            ("=> Send header, 9 bytes (0x9)", RequestForm::CurlTrace),
            (
                "12:34:56.789012 [0-0] == Info: Trying",
                RequestForm::CurlTrace,
            ),
            ("*   Trying 127.0.0.1:80...", RequestForm::CurlVerbose),
            ("> GET / HTTP/1.1", RequestForm::CurlVerbose),
            (" {\"log\": 1}", RequestForm::Har),
        ] {
            assert_eq!(RequestForm::of(input.as_bytes()), form, "{input}");
        }
    }
}
