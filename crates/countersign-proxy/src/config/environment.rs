//! Replaces settings by variables of the environment.

use std::{collections::BTreeMap, ffi::OsString};

use countersign::{ConfigError, ConfigErrorKind};

use super::{file::File, text};

const PREFIX: &str = "COUNTERSIGN__";

/// Returns the settings that variables replace: `COUNTERSIGN__LIMITS__BODY__TIMEOUT` is
/// `limits.body.timeout`.
pub(super) fn overrides(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> BTreeMap<String, String> {
    let named = variables.filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let path = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
        Some((path.replace("__", "."), value.into_string().ok()?))
    });
    named.collect()
}

/// Reads a text whose settings are replaced. Each section of an array is addressed by its number,
/// from 0: `verify.0.listen`.
pub(super) fn parse_with(
    text: &str,
    overrides: &BTreeMap<String, String>,
) -> Result<File, ConfigError> {
    let mut table: toml::Table = text::parse(text)?;
    // An error in the file itself is reported with its place.
    let of_the_file = text::parse::<File>(text);
    for (path, value) in overrides {
        let steps: Vec<&str> = path.split('.').collect();
        if !set(&mut table, &steps, value) {
            let problem = "expected the path of a setting, found none there";
            return Err(wrong(path, problem));
        }
    }
    match File::deserialize_table(table) {
        Ok(file) => Ok(file),
        // The file alone is wrong as well: its error has a place.
        Err(_) if of_the_file.is_err() => of_the_file,
        Err(error) => {
            let names: Vec<&str> = overrides.keys().map(String::as_str).collect();
            Err(wrong(
                &names.join(", "),
                error.message().lines().next().unwrap_or_default(),
            ))
        }
    }
}

/// Sets one setting below `table`. Returns whether there is a place for it.
fn set(table: &mut toml::Table, path: &[&str], value: &str) -> bool {
    match path {
        [] => false,
        [name] => {
            table.insert((*name).to_owned(), value_of(value));
            true
        }
        [name, rest @ ..] => {
            let entry = table
                .entry(*name)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            match (entry, rest) {
                (toml::Value::Table(inside), _) => set(inside, rest, value),
                (toml::Value::Array(sections), [at, rest @ ..]) => {
                    let at = at.parse::<usize>().ok();
                    at.and_then(|at| sections.get_mut(at)?.as_table_mut())
                        .is_some_and(|inside| set(inside, rest, value))
                }
                _ => false,
            }
        }
    }
}

/// Reads numbers, `true`, `false` and arrays as TOML, and everything else as text.
fn value_of(text: &str) -> toml::Value {
    let read = toml::from_str::<toml::Table>(&format!("value = {text}"));
    match read.ok().and_then(|mut table| table.remove("value")) {
        Some(
            value @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Array(_)),
        ) => value,
        _ => toml::Value::String(text.to_owned()),
    }
}

fn wrong(path: &str, problem: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Variable,
        format!("settings of the environment ({path}): {problem}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sizes::{Size, Time};

    fn with(variables: &[(&str, &str)]) -> Result<File, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let text = "version = 1\n[[sign]]\nlisten = \"127.0.0.1:1\"\ntarget = \"a\"\n\
                    upstream = \"https://a\"\n";
        parse_with(text, &overrides(variables))
    }

    #[test]
    fn a_variable_replaces_a_setting_or_adds_one() {
        let file = with(&[
            ("COUNTERSIGN__LIMITS__BODY__TIMEOUT", "10s"),
            ("COUNTERSIGN__LIMITS__BODY__BYTES", "1 MiB"),
            ("COUNTERSIGN__LIMITS__CONNECTIONS__TOTAL", "7"),
            ("COUNTERSIGN__SIGN__0__LISTEN", "127.0.0.1:2"),
            ("COUNTERSIGN_OTHER", "ignored"),
            ("PATH", "ignored"),
        ]);
        let file = file.unwrap();
        assert_eq!(file.limits.body.timeout, Time::seconds(10));
        assert_eq!(file.limits.body.bytes, Size::mib(1));
        assert_eq!(file.limits.connections.total, 7);
        assert_eq!(file.sign[0].listen, "127.0.0.1:2");
    }

    #[test]
    fn a_variable_that_names_no_setting_is_an_error() {
        for (name, expected) in [
            ("COUNTERSIGN__LIMITS__BODI__TIMEOUT", "limits.bodi.timeout"),
            ("COUNTERSIGN__VERSION__X", "version.x"),
            ("COUNTERSIGN__SIGN__1__LISTEN", "sign.1.listen"),
        ] {
            let error = with(&[(name, "10s")]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
