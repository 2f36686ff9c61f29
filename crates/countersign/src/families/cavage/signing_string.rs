//! The signing string (draft-cavage-http-signatures-12 section 2.3), which is the signed text.
//!
//! ```text
//! (request-target): get /path?query
//! host: user-service.internal
//! date: Fri, 02 Jan 2026 03:04:05 GMT
//! ```
//!
//! One line for each covered name, joined by `\n`, without one after the last. No part can hold a
//! line break: the `http` types refuse it in methods, targets and header values. Each line begins
//! with its name, or with a method and a space, which no header name holds. So requests that differ
//! in a covered part have different texts, and a text has one list of names.

use std::ops::Range;

use smallvec::SmallVec;

use super::dialect::Frame;
use crate::head::Target;

/// The line of the request target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TargetLine {
    /// `name: get /path?query`
    Named,
    /// `GET /path?query HTTP/1.1`. The version is that of the sender, whatever the hops speak.
    RequestLine,
    /// `GET /path?query`
    MethodAndTarget,
}

/// The signed text, and where the values of covered headers are in it.
#[derive(Clone, Debug)]
pub(super) struct SigningString<'r> {
    text: String,
    fields: SmallVec<[(&'r str, Range<usize>); 8]>,
    frame: Frame,
}

impl<'r> SigningString<'r> {
    /// Begins a text. `key_id` is the name of the key.
    pub(super) fn new(frame: Frame, key_id: &str) -> Self {
        let mut text = String::with_capacity(512);
        match frame {
            Frame::Bare => {}
            Frame::KeyIdFirst => text.push_str(key_id),
        }
        Self {
            text,
            fields: SmallVec::new(),
            frame,
        }
    }

    /// Adds the line of the request target.
    pub(super) fn push_target(
        &mut self,
        name: &str,
        line: TargetLine,
        method: &str,
        target: Target<'_>,
    ) {
        self.begin_line();
        match line {
            TargetLine::Named => {
                self.text.extend([name, ": "]);
                let method = method.bytes().map(|byte| byte.to_ascii_lowercase());
                self.text.extend(method.map(char::from));
            }
            TargetLine::RequestLine | TargetLine::MethodAndTarget => self.text.push_str(method),
        }
        self.text.extend([" ", target.path]);
        if let Some(query) = target.query {
            self.text.extend(["?", query]);
        }
        if line == TargetLine::RequestLine {
            self.text.push_str(" HTTP/1.1");
        }
    }

    /// Adds the line of a parameter.
    pub(super) fn push_parameter(&mut self, name: &str, value: &str) {
        self.begin_line();
        self.text.extend([name, ": ", value]);
    }

    /// Adds the line of a header.
    pub(super) fn push_field(&mut self, name: &'r str, value: &str) {
        self.push_parameter(name, value);
        let end = self.text.len();
        let start = end.saturating_sub(value.len());
        self.fields.push((name, start..end));
    }

    /// Ends the text.
    pub(super) fn finish(mut self) -> Self {
        match self.frame {
            Frame::Bare => {}
            Frame::KeyIdFirst => self.text.push('\n'),
        }
        self
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Yields the covered headers with their signed values.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, at)| {
            // Invariant: the range was measured when the text was written.
            (*name, self.text.get(at.clone()).unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: Frame, line: TargetLine, query: Option<&str>) -> String {
        let mut text = SigningString::new(frame, "alice");
        let target = Target { path: "/A", query };
        text.push_target("(request-target)", line, "M-SEARCH", target);
        text.push_field("host", "Example.org");
        text.push_field("x-empty", "");
        text.push_parameter("(created)", "12");
        let text = text.finish();
        let fields: Vec<_> = text.fields().collect();
        assert_eq!(fields, [("host", "Example.org"), ("x-empty", "")]);
        text.as_str().to_owned()
    }

    #[test]
    fn has_a_line_for_each_name_and_no_line_break_at_its_end() {
        const REST: &str = "\nhost: Example.org\nx-empty: \n(created): 12";
        for (line, query, expected) in [
            (TargetLine::Named, None, "(request-target): m-search /A"),
            (
                TargetLine::Named,
                Some(""),
                "(request-target): m-search /A?",
            ),
            (TargetLine::RequestLine, Some("b"), "M-SEARCH /A?b HTTP/1.1"),
            (TargetLine::MethodAndTarget, Some("b"), "M-SEARCH /A?b"),
        ] {
            let expected = [expected, REST].concat();
            assert_eq!(text(Frame::Bare, line, query), expected);
            assert_eq!(
                text(Frame::KeyIdFirst, line, query),
                ["alice\n", &expected, "\n"].concat()
            );
        }
    }
}
