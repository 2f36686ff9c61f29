//! Reads TOML, and says where it is wrong.

use countersign::{ConfigError, ConfigErrorKind};
use serde::de::DeserializeOwned;

/// Parses a text. The error names line, column and problem, and quotes no line of the text: someone
/// may have written a secret there.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| wrong(text, &error))
}

/// Describes an error of a text.
pub(super) fn wrong(text: &str, error: &toml::de::Error) -> ConfigError {
    let message = without_values(error.message());
    let message = match error.span() {
        Some(span) => {
            let (line, column) = position(text, span.start);
            format!("line {line}, column {column}: {message}")
        }
        None => message,
    };
    ConfigError::new(ConfigErrorKind::File, message)
}

/// Hides the text in `invalid type: string "…", expected …`.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last && message.starts_with("invalid ") => {
            let before = message.get(..first).unwrap_or_default();
            let after = message.get(last.saturating_add(1)..).unwrap_or_default();
            format!("{}{after}", before.trim_end())
        }
        _ => message.lines().collect::<Vec<_>>().join("; "),
    }
}

/// Returns the line and the column, in characters, both counted from 1.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::File;

    #[test]
    fn an_error_names_the_place_and_quotes_no_value() {
        for (text, expected) in [
            (
                "version = 1\nlisten = 1",
                "line 2, column 1: unknown field `listen`",
            ),
            (
                "version = 1\ndrain = \"hunter2\"",
                "line 2, column 9: expected a time such as",
            ),
            (
                "version = \"hunter2\"",
                "line 1, column 11: invalid type: string, expected u32",
            ),
            (
                "version = 1\nkeys = \"hunter2\"",
                "line 2, column 8: invalid type: string, expected",
            ),
            ("version = 1\n\u{fc} =", "line 2, column 1: "),
            (
                "version = 1\n[limits]\nbody = { size = \"1 MiB\" }",
                "line 3, column 10: unknown field",
            ),
            ("", "missing field `version`"),
        ] {
            let error = parse::<File>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
