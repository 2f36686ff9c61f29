//! The two forms of an answer, and the colours of one of them.

use std::fmt;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For a reader.
    Text,
    /// One JSON document, in the shape that the command documents.
    Json,
}

/// The answer of a command. Its JSON is what `Serialize` writes.
pub(crate) trait Answer: Serialize {
    /// Returns the text for a reader. It ends with a line end.
    fn to_text(&self, paint: Paint) -> String;
}

/// The meaning of a coloured word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Warning,
    Strong,
    Faint,
}

/// Colours words, or leaves them plain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    is_colored: bool,
}

impl Paint {
    pub(crate) const fn new(is_colored: bool) -> Self {
        Self { is_colored }
    }

    pub(crate) const fn is_colored(self) -> bool {
        self.is_colored
    }

    /// Returns the text in the colour of its meaning.
    pub(crate) fn paint(self, tone: Tone, text: impl fmt::Display) -> String {
        if !self.is_colored {
            return text.to_string();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_has_no_escape_sequence() {
        assert_eq!(Paint::new(false).paint(Tone::Bad, "no"), "no");
        let colored = Paint::new(true).paint(Tone::Bad, "no");
        assert!(colored.starts_with('\u{1b}') && colored.contains("no"));
    }
}
