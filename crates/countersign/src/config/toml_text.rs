//! Reads TOML that holds keys. Errors name the place and the problem, and quote nothing that may be
//! a key.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::{
    config::schema::State,
    document::{Position, toml_date},
    error::{ConfigError, ConfigErrorKind, nearest},
    key::Validity,
};

/// Parses a text into `T`.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    if text.starts_with('\u{feff}') {
        return Err(wrong(
            "line 1, column 1: expected TOML, found a byte order mark",
        ));
    }
    let table =
        toml::de::Deserializer::parse(text).map_err(|error| wrong(not_toml(text, &error)))?;
    T::deserialize(table).map_err(|error| wrong(of_another_form(text, &error)))
}

/// Returns the line number of the start of `span`, for an error.
pub(super) fn line(text: &str, span: &Range<usize>) -> String {
    format!("line {}", Position::of(text, span.start).line)
}

/// Reads the state and the dates of a key.
pub(super) fn validity(
    state: State,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
) -> Result<Validity, ConfigError> {
    let read = |name, date: Option<toml::value::Datetime>| {
        date.map(|date| toml_date(name, &date)).transpose()
    };
    Ok(Validity {
        state: state.into(),
        not_before: read("not_before", not_before)?,
        not_after: read("not_after", not_after)?,
    })
}

fn wrong(message: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::File, message)
}

fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or_default();
    let place = Position::of(text, span.start);
    let lines = &mut text.lines();
    let line = lines.nth(place.line.saturating_sub(1)).unwrap_or_default();
    // Shows the parser's message only if it quotes no word of the line, because the line may hold a
    // key.
    let words = error.message().split(|byte: char| !byte.is_alphanumeric());
    if words
        .filter(|word| word.len() >= 6)
        .any(|word| line.contains(word))
    {
        return format!("{place}: expected TOML, found something else");
    }
    format!("{place}: expected TOML: {}", error.message())
}

fn of_another_form(text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or_default();
    let found = text.get(span.clone()).unwrap_or_default();
    let found = found.trim_matches(['"', '\'']);
    let message = error.message();
    let problem = if message.starts_with("unknown field") {
        unknown("key", found, &names_expected(message))
    } else if message.starts_with("unknown variant") {
        unknown("value", found, &names_expected(message))
    } else if let Some(name) = message.strip_prefix("missing field ") {
        format!("expected {}, found none", name.trim_matches('`'))
    } else {
        of_another_type(message)
    };
    format!("{}: {problem}", Position::of(text, span.start))
}

/// Describes an unknown name and lists the known ones. Hides a name that could be a key.
pub(super) fn unknown(what: &str, found: &str, known: &[&str]) -> String {
    let near = match nearest(found, known.iter().copied()) {
        Some(near) => format!(" (did you mean {near}?)"),
        None => String::new(),
    };
    format!(
        "unknown {what}{}: expected {}{near}",
        shown(found),
        one_of(known)
    )
}

/// Formats a list for an error.
pub(super) fn one_of(known: &[&str]) -> String {
    match known {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        several => format!("one of {}", several.join(", ")),
    }
}

/// Shows a short name of letters, digits, `-`, `_` and `.`. Hides any other, because it may be a
/// key.
pub(super) fn shown(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_hex = name.len() >= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (1..24).contains(&name.len()) && name.bytes().all(is_plain) && !is_hex {
        format!(" {name}")
    } else {
        String::new()
    }
}

/// Returns the names in a serde message, which come from our types: "…, expected one of `a`, `b`".
fn names_expected(message: &str) -> Vec<&str> {
    let list = message.rsplit_once(", expected ").map(|(_, list)| list);
    let parts = list.unwrap_or_default().split('`');
    // The names are between the marks: every second part.
    parts.skip(1).step_by(2).collect()
}

/// Rewrites "invalid type: string "…", expected a boolean" without the value.
fn of_another_type(message: &str) -> String {
    let expected = match message
        .rsplit_once(", expected ")
        .map(|(_, expected)| expected)
    {
        Some("a string" | "string") => "a string",
        Some("a boolean" | "boolean") => "true or false",
        Some("a sequence" | "sequence") => "an array",
        Some(expected) if expected.contains("atetime") || expected.contains("date") => {
            "a date-time with an offset"
        }
        Some(expected) if expected.starts_with("struct") => "a table",
        Some(_) | None => "a value of another type",
    };
    let found = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.split([' ', ',']).next());
    let found = match found {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("floating") => "a float",
        Some("boolean") => "a boolean",
        Some("sequence") => "an array",
        Some("map") => "a table",
        Some(_) | None => "another value",
    };
    format!("expected {expected}, found {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_be_a_key_is_shown() {
        for (name, expected) in [
            ("secret_hx", " secret_hx"),
            ("9b346041bc9a4957", ""),
            ("hunter2 hunter2", ""),
            ("abcdefghijklmnopqrstuvwx", ""),
            ("", ""),
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
    }
}
