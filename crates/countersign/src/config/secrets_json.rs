//! Reads a JSON object of name to hexadecimal key, the form of the article's variables.

use std::{collections::HashSet, fmt};

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use zeroize::Zeroizing;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    key::Secret,
    key_id::{KeyId, ensure_no_key},
};

/// The kind of names in a variable.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Caller,
    Target,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "caller",
            Self::Target => "target",
        })
    }
}

/// Reads `{"name":"hex", …}` member by member, because a JSON parser silently keeps one of two
/// members with the same name.
pub(super) fn parse_secrets(
    role: Role,
    variable: &str,
    json: &str,
) -> Result<Vec<(KeyId, Secret)>, ConfigError> {
    let wrong = |problem: String| {
        ConfigError::new(ConfigErrorKind::Variable, format!("{variable}: {problem}"))
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let members = deserializer
        .deserialize_map(Members)
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| {
            // The parser's own text may quote the input.
            wrong(format!(
                "expected a JSON object of {role} to hexadecimal key, found {} (line {}, column \
                {})",
                form_of_no_object(json),
                error.line(),
                error.column()
            ))
        })?;
    let mut seen = HashSet::new();
    let mut secrets = Vec::new();
    for (name, hex) in members {
        let id = ensure_no_key(&name)
            .and_then(|()| KeyId::named(format_args!("{role} name"), &name))
            .map_err(|error| error.within(variable))?;
        if !seen.insert(id.clone()) {
            return Err(wrong(format!("{role} {id}: listed twice")));
        }
        let secret = Secret::from_hex(&hex)
            .map_err(|error| error.within(format_args!("{variable}: {role} {id}")))?;
        secrets.push((id, secret));
    }
    Ok(secrets)
}

/// Names the form of a text that is not a JSON object, if it is a common one.
fn form_of_no_object(json: &str) -> &'static str {
    if json.is_empty() {
        "an empty value"
    } else if json.starts_with('\u{feff}') {
        "a byte order mark"
    } else if json.starts_with(['"', '\'', '`']) {
        "quotes around it"
    } else if json.trim_start().starts_with('{') {
        "another form of one"
    } else {
        "something else"
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Zeroizing<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map
            .next_entry::<String, String>()
            .map_err(|_| A::Error::custom("expected strings"))?
        {
            members.push((name, Zeroizing::new(value)));
        }
        Ok(members)
    }
}
