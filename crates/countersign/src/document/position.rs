use std::fmt;

/// A line and a column of a document, both counted from 1. TOML counts columns in characters, and
/// the JSON parser in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Position {
    /// Returns the position of the character at this offset in bytes.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let column = before.chars().rev().take_while(|it| *it != '\n').count();
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column: column.saturating_add(1),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_from_one_in_characters() {
        let text = "a\nbü = 1\n";
        for (offset, line, column) in [(0, 1, 1), (2, 2, 1), (5, 2, 3), (99, 3, 1)] {
            let expected = Position { line, column };
            assert_eq!(Position::of(text, offset), expected, "{offset}");
        }
    }
}
