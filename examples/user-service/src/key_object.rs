//! Reads variables that hold a JSON object of name to key.

use std::{collections::HashSet, fmt};

use countersign::{CallerKey, KeyId, Keyring, KeyringBuilder, VerifyingKey};
use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use tower_countersign::BoxError;

/// The maximum length of a name that errors show, in bytes. Most access key ids are as long, and
/// every key is longer.
const MAX_SHOWN: usize = 20;

/// Adds every member of the object to the keys, as a caller of that name with a key of this
/// version.
///
/// A member whose name and key are swapped looks like any other. So errors show the position of a
/// member, and its name only if the name is too short for a key.
pub(crate) fn add(
    mut keys: KeyringBuilder,
    variable: &str,
    version: &str,
    json: &str,
    read: impl Fn(&str) -> Result<VerifyingKey, BoxError>,
) -> Result<KeyringBuilder, BoxError> {
    let mut seen = HashSet::new();
    for (place, (name, key)) in (1..).zip(parse(variable, json)?) {
        let is_shown = name.len() <= MAX_SHOWN && KeyId::new(&name).is_ok();
        let shown = if is_shown {
            format!(" ({name})")
        } else {
            String::new()
        };
        let wrong =
            |problem: &dyn fmt::Display| format!("{variable}: member {place}{shown}: {problem}");
        KeyId::new(&name).map_err(|_| wrong(&"its name is not one that a caller can have"))?;
        if !seen.insert(name.clone()) {
            return Err(wrong(&"its name is listed twice").into());
        }
        let key = read(&key).map_err(|error| wrong(&error))?;
        let key = CallerKey::new(version, key)?;
        // Check the key as a keyring would, under a name that can be shown.
        Keyring::builder()
            .caller(format!("{place}"), key.clone())
            .build()
            .map_err(|error| wrong(&error))?;
        keys = keys.caller(name, key);
    }
    if seen.is_empty() {
        return Err(format!("{variable}: expected at least one member, found none").into());
    }
    Ok(keys)
}

/// Reads the members one by one. A JSON parser would silently keep only one of two members with the
/// same name.
fn parse(variable: &str, json: &str) -> Result<Vec<(String, String)>, BoxError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer
        .deserialize_map(Members)
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| {
            // The parser's error text may quote the input.
            format!(
                "{variable}: expected a JSON object of name to key, found {} (line {}, column {})",
                form_of_no_object(json),
                error.line(),
                error.column()
            )
            .into()
        })
}

/// Describes the variable's content in common cases of other values.
fn form_of_no_object(json: &str) -> &'static str {
    if json.is_empty() {
        "an empty value"
    } else if json.starts_with('\u{feff}') {
        "a byte order mark"
    } else if json.starts_with(['"', '\'', '`']) {
        "quotes around it"
    } else {
        "something else"
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map
            .next_entry()
            .map_err(|_| A::Error::custom("expected strings"))?
        {
            members.push(member);
        }
        Ok(members)
    }
}
