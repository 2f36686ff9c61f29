//! The golden vectors, and what an answer to each must be.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Terminal, failure::Failure, input};

/// The files, and whether their cases are to be signed.
const FILES: [(&str, bool, &str); 4] = [
    (
        "hmac-sha256.json",
        true,
        include_str!("../../../vectors/hmac-sha256.json"),
    ),
    (
        "ed25519.json",
        true,
        include_str!("../../../vectors/ed25519.json"),
    ),
    (
        "verify.json",
        false,
        include_str!("../../../vectors/verify.json"),
    ),
    (
        "verify-ed25519.json",
        false,
        include_str!("../../../vectors/verify-ed25519.json"),
    ),
];

/// The members of a sign case that a signer is given. The others are the answer.
const SIGN_INPUT: [&str; 11] = [
    "name",
    "caller",
    "key_hex",
    "method",
    "target",
    "host",
    "date_unix",
    "x_date",
    "nonce",
    "content_type",
    "extra_headers",
];

/// The members of the answer to a sign case. Only the signature must be there.
const SIGN_OUTPUT: [&str; 4] = [
    "signature",
    "canonical_request",
    "signed_headers",
    "authorization",
];

/// One case.
pub(super) struct Case {
    pub(super) file: &'static str,
    pub(super) name: String,
    /// The line that the other implementation reads.
    pub(super) line: String,
    expected: Expected,
}

enum Expected {
    Signature(Map<String, Value>),
    Decision(String),
}

/// The judgement on an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Judgement {
    Right,
    /// The other implementation does not have what the case needs.
    Skipped,
    Wrong {
        expected: String,
        found: String,
    },
}

/// Reads the cases: those of this program, or of files with the same names in a folder.
pub(super) fn read(
    terminal: &mut Terminal<'_>,
    folder: Option<&Path>,
) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for (file, signs, own) in FILES {
        let content: Value = match folder {
            Some(folder) => {
                let path = folder.join(file);
                let text = input::read_text(terminal, &path, input::MAX_CONFIG_LEN)?;
                serde_json::from_str(&text).map_err(|error| {
                    Failure::usage(format_args!("{}: {error}", input::shown(&path)))
                })?
            }
            None => serde_json::from_str(own).map_err(Failure::usage)?,
        };
        let listed = content.get("cases").and_then(Value::as_array);
        let listed =
            listed.ok_or_else(|| Failure::usage(format_args!("{file}: expected cases")))?;
        for case in listed {
            let case = Case::of(file, signs, &content, case);
            cases.push(case.ok_or_else(|| Failure::usage(format_args!("{file}: expected cases")))?);
        }
    }
    Ok(cases)
}

impl Case {
    fn of(file: &'static str, signs: bool, content: &Value, case: &Value) -> Option<Self> {
        let case = case.as_object()?;
        let name = case.get("name")?.as_str()?.to_owned();
        let mut line = Map::new();
        let kind = if signs { "sign" } else { "verify" };
        line.insert("kind".to_owned(), kind.into());
        line.insert("scheme".to_owned(), content.get("scheme")?.clone());
        let expected = if signs {
            for member in SIGN_INPUT.into_iter().chain(["body_b64"]) {
                line.insert(member.to_owned(), case.get(member)?.clone());
            }
            let members = SIGN_OUTPUT.into_iter();
            let members =
                members.map(|member| Some((member.to_owned(), case.get(member)?.clone())));
            Expected::Signature(members.collect::<Option<_>>()?)
        } else {
            line.insert("window_ms".to_owned(), content.get("window_ms")?.clone());
            let given = case.iter().filter(|(member, _)| *member != "expect");
            line.extend(given.map(|(member, value)| (member.clone(), value.clone())));
            Expected::Decision(case.get("expect")?.as_str()?.to_owned())
        };
        Some(Self {
            file,
            name,
            line: Value::Object(line).to_string(),
            expected,
        })
    }

    /// Judges the line with which the other implementation answers.
    pub(super) fn judge(&self, answer: &str) -> Judgement {
        let wrong = |expected: &str, found: &str| Judgement::Wrong {
            expected: expected.to_owned(),
            found: shortened(found),
        };
        let Ok(Value::Object(answer)) = serde_json::from_str(answer) else {
            return wrong("one JSON object on a line", answer);
        };
        if answer.contains_key("skip") {
            return Judgement::Skipped;
        }
        match &self.expected {
            Expected::Decision(expected) => match answer.get("answer").and_then(Value::as_str) {
                Some(found) if found == expected => Judgement::Right,
                Some(found) => wrong(expected, found),
                None => wrong("a member answer with a text", "none"),
            },
            Expected::Signature(expected) => {
                if !answer.contains_key("signature") {
                    return wrong("a member signature", "none");
                }
                for (member, expected) in expected {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let found = answer.get(member);
                    if let Some(found) = found.filter(|found| *found != expected) {
                        let expected = format!("{member} {:?}", text(expected));
                        return wrong(&expected, &format!("{:?}", text(found)));
                    }
                }
                Judgement::Right
            }
        }
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 1000;
    let start: String = text.chars().take(LONGEST).collect();
    start.escape_debug().to_string()
}
